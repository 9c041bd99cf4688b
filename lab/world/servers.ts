import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { agentPorts } from '../../src/model/contract.ts';
import { exabgpEnvironment } from '../daemons/exabgp.ts';
import { nginxCommand } from '../daemons/nginx.ts';
import type { Supervisor } from '../supervise.ts';
import { type Datacentre, operator, type Server } from './topology.ts';

const run = promisify(execFile);

export interface ServersOptions {
  readonly supervisor: Supervisor;
  /** The tideline command. */
  readonly tideline: string;
  readonly platformFolder: string;
  /** The folder that holds a folder for each server, with sockets and rendered configuration. */
  readonly runFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The certificate files of a server's agent; undefined where agents have none. */
  readonly certificateOf: (
    server: string,
  ) => { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
}

export type AgentKind = 'edge' | 'network';

/** The facts that servers need about the cluster that their agents read. */
export interface ServedCluster {
  readonly datacentre: Datacentre;
  /** The options with which a server's agent reads this cluster; resolves once the agent may start. */
  agentOptions(agent: AgentKind, server: string): Promise<Readonly<Record<string, string>>>;
}

/** A server whose programs run, apart from its agent, which starts once it may read its cluster. */
export interface StartedServer {
  readonly agent: Promise<void>;
}

/** Starts what systemd starts on a worker: ExaBGP with the relay under it, and the network agent. */
export async function startWorker(
  options: ServersOptions,
  cluster: ServedCluster,
  worker: Server,
): Promise<StartedServer> {
  const directory = await serverFolder(options, worker);
  const agent = startAgent(options, cluster, {
    kind: 'network',
    server: worker,
    words: { cluster: cluster.datacentre.cluster, node: worker.name, 'run-dir': directory },
  });
  await startExabgp(options, worker, directory);
  return { agent };
}

/** Starts what systemd starts on a blade: nginx, ExaBGP and the edge agent, as separate services. */
export async function startBlade(
  options: ServersOptions,
  cluster: ServedCluster,
  blade: Server,
): Promise<StartedServer> {
  const { datacentre } = cluster;
  const directory = await serverFolder(options, blade);
  const agent = startAgent(options, cluster, {
    kind: 'edge',
    server: blade,
    words: { pool: datacentre.pool, blade: blade.name, 'run-dir': directory },
  });
  await Promise.all([startExabgp(options, blade, directory), startNginx(options, datacentre, blade, directory)]);
  return { agent };
}

/** Starts the agent once it may read its cluster. */
async function startAgent(
  { supervisor, tideline, platformFolder, certificateOf }: ServersOptions,
  cluster: ServedCluster,
  agent: { readonly kind: AgentKind; readonly server: Server; readonly words: Readonly<Record<string, string>> },
): Promise<void> {
  const { kind, server } = agent;
  const source = await cluster.agentOptions(kind, server.name);
  const files = certificateOf(server.name);
  const tls = files === undefined ? {} : { 'tls-cert': files.cert, 'tls-key': files.key, 'tls-ca': files.ca };
  supervisor.start({
    name: `${server.name}/${kind}-agent`,
    namespace: server.name,
    command: tideline,
    arguments: words(`${kind} agent`, {
      platform: platformFolder,
      ...agent.words,
      ...source,
      'metrics-address': `${server.address}:${agentPorts[kind]}`,
      'metrics-from': operator.address,
      ...tls,
    }),
  });
}

async function startExabgp(options: ServersOptions, server: Server, directory: string): Promise<void> {
  const file = join(directory, 'exabgp.conf');
  await run(
    options.tideline,
    words('bgp render', {
      platform: options.platformFolder,
      server: server.name,
      address: server.address,
      'run-dir': directory,
      to: file,
    }),
    { env: options.environment },
  );
  options.supervisor.start({
    name: `${server.name}/exabgp`,
    namespace: server.name,
    command: 'exabgp',
    arguments: ['--env', join(directory, 'exabgp.env'), file],
    environment: exabgpEnvironment,
  });
}

async function startNginx(
  options: ServersOptions,
  datacentre: Datacentre,
  blade: Server,
  directory: string,
): Promise<void> {
  const folder = join(directory, 'nginx');
  await run(
    options.tideline,
    words('edge render', {
      platform: options.platformFolder,
      pool: datacentre.pool,
      'run-dir': directory,
      to: folder,
      // Master and workers have one user, as under systemd, so that a worker that finds shared memory torn may end nginx.
      user: 'root',
    }),
    { env: options.environment },
  );
  const { command, args } = nginxCommand({ rendered: folder, runDir: directory });
  options.supervisor.start({ name: `${blade.name}/nginx`, namespace: blade.name, command, arguments: args });
}

async function serverFolder(options: ServersOptions, server: Server): Promise<string> {
  const folder = join(options.runFolder, server.name);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** A command and its options as a list of arguments. */
function words(command: string, options: Readonly<Record<string, string>>): readonly string[] {
  return [...command.split(' '), ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
}
