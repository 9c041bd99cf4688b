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
