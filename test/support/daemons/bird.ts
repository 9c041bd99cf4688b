import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askBird } from '../../../lab/daemons/bird.ts';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import type { Network } from '../../../lab/net/network.ts';
import { waitReady } from './ready.ts';

export interface BirdOptions {
  readonly network: Network;
  readonly namespace: string;
  /** Holds `<name>.conf`, `<name>.ctl` and `<name>.log`; a unix socket's path may have 107 bytes. */
  readonly directory: string;
  /** The name of its files; by default the namespace. */
  readonly name?: string;
  /** The whole configuration, as `renderRouter` makes it. */
  readonly config: string;
}

export interface Bird {
  readonly daemon: Daemon;
  /** Runs a birdc command; resolves with its lines without codes, rejects with BIRD's error (codes 8xxx and 9xxx). */
  ask(command: string): Promise<readonly string[]>;
  /** True when the named BGP protocol is Established. */
  established(protocol: string): Promise<boolean>;
  /** Resolves when all these protocols are Established. */
  waitEstablished(protocols: readonly string[], timeoutMs: number): Promise<void>;
  /** Replaces the configuration; sessions whose settings did not change stay up. */
  configure(config: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts BIRD 2 in the foreground; resolves when its control socket answers. */
export async function startBird(options: BirdOptions): Promise<Bird> {
  const name = options.name ?? options.namespace;
  const file = (suffix: string): string => join(options.directory, `${name}.${suffix}`);
  await writeFile(file('conf'), options.config);
  const daemon = startDaemon({
    network: options.network,
    namespace: options.namespace,
    command: 'bird',
    args: ['-f', '-c', file('conf'), '-s', file('ctl')],
    logFile: file('log'),
  });
  const ask = (command: string): Promise<readonly string[]> => askBird(file('ctl'), command);
  await waitReady(daemon, async () => (await ask('show status')).length > 0, 10_000);
  const established = async (protocol: string): Promise<boolean> =>
    (await ask(`show protocols ${protocol}`)).some((line) => line.includes('Established'));
  return {
    daemon,
    ask,
    established,
    waitEstablished: (protocols, timeoutMs) =>
      waitReady(daemon, async () => (await Promise.all(protocols.map(established))).every(Boolean), timeoutMs),
    async configure(config) {
      await writeFile(file('conf'), config);
      await ask('configure');
    },
    stop: () => daemon.stop(),
  };
}
