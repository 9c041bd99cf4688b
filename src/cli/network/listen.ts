import { InvalidArgumentError } from 'commander';

/** `host:port` or `[IPv6]:port`; port 0 lets the system choose. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) throw new InvalidArgumentError('host:port, e.g. 127.0.0.1:9463.');
  return { host, port };
}
