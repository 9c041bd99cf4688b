import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Prefix, parsePrefix } from '../model/address.ts';
import { agentPorts } from '../model/contract.ts';

/** The option `--log-level`, the same for every agent. */
export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'least important line that is logged')
    .choices(['debug', 'info', 'warn', 'error'])
    .default('info');
}

/** Adds the options that override the Cluster's source; they are the same for every agent. */
export function addSourceOptions(command: Command): void {
  command
    .addOption(
      new Option('--manifests <dir>', "read the cluster from this folder instead of the Cluster's source").conflicts([
        'kubeconfig',
        'inCluster',
      ]),
    )
    .addOption(
      new Option('--kubeconfig <file>', 'read the cluster from the kube-apiserver that this file names').conflicts(
        'inCluster',
      ),
    )
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('--in-cluster', 'read the cluster that this pod runs in, as its ServiceAccount');
}

/** Adds the options of who may visit an agent's endpoint; they are the same for every agent. */
export function addVisitorOptions(command: Command): void {
  command
    .option(
      '--metrics-from <prefix>',
      'network that may visit the endpoint, besides this host and the servers of every Site; may be given again',
      (text: string, before: readonly Prefix[]) => [...before, parseNetwork(text)],
      [],
    )
    .option(
      '--metrics-name <name>',
      'name by which the endpoint may be called, besides this server and its addresses; may be given again',
      (text: string, before: readonly string[]) => [...before, text],
      [],
    );
  addTlsOptions(command);
}

/** Adds the options that name certificates; agents have the same ones for what they answer as people for what they ask. */
export function addTlsOptions(command: Command): Command {
  const file = (flags: string, what: string, variable: string): Option => new Option(flags, what).env(variable);
  return command
    .addOption(file('--tls-cert <file>', 'the certificate by which agents know this program', 'TIDELINE_TLS_CERT'))
    .addOption(file('--tls-key <file>', 'its private key', 'TIDELINE_TLS_KEY'))
    .addOption(file('--tls-ca <file>', 'the CA whose certificates are believed', 'TIDELINE_TLS_CA'))
    .addOption(
      new Option('--tls-mode <mode>', 'grace: while certificates are rolled out, who has none is heard as well')
        .choices(['required', 'grace'])
        .env('TIDELINE_TLS_MODE'),
    );
}

function parseNetwork(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new InvalidArgumentError('expected a prefix, e.g. 10.9.0.0/24.');
  return prefix;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[IPv6]:port`; port 0 lets the system choose. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new InvalidArgumentError(`expected host:port, e.g. 127.0.0.1:${agentPorts.network}.`);
  return { host, port: parsePort(match?.[3] ?? '') };
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535.');
  return port;
}

/** A number of lines or the like, at most 999,999. */
export function parseCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number, e.g. 50.');
  return Number(text);
}

/** Milliseconds of `30m`, `2h`, `1d` or a sum such as `1h30m`; at least a minute and at most 90 days. */
export function parseDuration(text: string): number {
  const parts = /^(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?$/.exec(text);
  const [days = 0, hours = 0, minutes = 0] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  const ms = ((days * 24 + hours) * 60 + minutes) * 60_000;
  if (!(ms >= 60_000 && ms <= 90 * 86_400_000))
    throw new InvalidArgumentError('Expected a time from 1m to 90d, such as 30m, 2h or 1d12h.');
  return ms;
}

/** Adds the option that names agents of this server which listen elsewhere than by default. */
export function addAgentOption(command: Command): void {
  command.option(
    '--agent <host:port>',
    "an agent of this server (default: whoever answers at this host's addresses); may be repeated",
    (text: string, before: readonly ListenAddress[]) => [...before, parseListenAddress(text)],
    [],
  );
}
