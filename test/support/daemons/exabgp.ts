import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { exabgpEnvironment } from '../../../lab/daemons/exabgp.ts';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import type { Network } from '../../../lab/net/network.ts';
import { waitReady } from './ready.ts';

export interface ExabgpOptions {
  readonly network: Network;
  readonly namespace: string;
  /** Holds `<name>.log`, and `<name>.conf` and `<name>.env` when they are given as text. */
  readonly directory: string;
  /** The name of its files; by default the namespace. */
  readonly name?: string;
  /** The path of exabgp.conf, as `tideline bgp render` writes it, or the text itself. */
  readonly config: { readonly file: string } | { readonly text: string };
  /** The path of exabgp.env, or the text itself. */
  readonly environment: { readonly file: string } | { readonly text: string };
  /** The relay's socket, on which the start waits until the relay accepts connections; when absent, it does not wait. */
  readonly relaySocket?: string;
  /** Variables beside those of the service. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface Exabgp {
  readonly daemon: Daemon;
  /** Resolves when the relay accepts connections. */
  waitRelay(timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts ExaBGP in the foreground. Sessions come up by themselves; ask the peer whether they did. */
export async function startExabgp(options: ExabgpOptions): Promise<Exabgp> {
  const name = options.name ?? options.namespace;
  const place = async (source: { file: string } | { text: string }, suffix: string): Promise<string> => {
    if ('file' in source) return source.file;
    const path = join(options.directory, `${name}.${suffix}`);
    await writeFile(path, source.text);
    return path;
  };
  const config = await place(options.config, 'conf');
  const environment = await place(options.environment, 'env');
  const daemon = startDaemon({
    network: options.network,
    namespace: options.namespace,
    command: 'exabgp',
    args: ['--env', environment, config],
    logFile: join(options.directory, `${name}.log`),
    env: { ...exabgpEnvironment, ...options.variables },
  });
  const { relaySocket } = options;
  const waitRelay = async (timeoutMs: number): Promise<void> => {
    if (relaySocket !== undefined) await waitReady(daemon, () => accepts(relaySocket), timeoutMs);
  };
  await waitRelay(15_000);
  return { daemon, waitRelay, stop: () => daemon.stop() };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
