import { InvalidArgumentError, Option } from 'commander';

/** `--log-level`, the same for every agent. */
export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'least important line that is logged')
    .choices(['debug', 'info', 'warn', 'error'])
    .default('info');
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[IPv6]:port`; port 0 lets the system choose. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new InvalidArgumentError('expected host:port, e.g. 127.0.0.1:9463.');
  return { host, port: parsePort(match?.[3] ?? '') };
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535.');
  return port;
}
