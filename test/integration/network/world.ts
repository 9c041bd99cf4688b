import type { ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { Network } from '../../../lab/net/network.ts';
import type { NetworkStatus } from '../../../src/model/status.ts';
import { compileCache } from '../../support/compile-cache.ts';
import { type Exabgp, startExabgp } from '../../support/daemons/exabgp.ts';
import { type RouteChange, watchRoutes } from '../../support/daemons/route-monitor.ts';
import { type Router, type RouterKind, startRouter } from '../../support/daemons/router.ts';
import { eventually, type Look } from '../../support/eventually.ts';
import { calico } from '../../support/network/calico.ts';
import type { Manifest } from '../../support/source/conformance.ts';
import { yaml } from '../../support/source/folder.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const tideline = join(repository, 'bin/tideline');
export const me = 'paris-worker-1';

/** paris-worker-1 with ExaBGP, relay and agent as systemd would run them, and its top-of-rack router. */
export class World {
  readonly network = new Network();
  readonly directory: string;
  readonly #files = new Map<string, readonly Manifest[]>();
  #agent: ChildProcess | undefined;
  #exabgp: Exabgp | undefined;
  #router: Router | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(router: RouterKind = 'BIRD', { maxPrefixes = 100 } = {}): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'tideline-network-')));
    try {
      await world.#start(router, maxPrefixes);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  /** The top-of-rack router, whose neighbour is `worker`. */
  get router(): Router {
    if (this.#router === undefined) throw new Error('the router is not started');
    return this.#router;
  }

  get manifests(): string {
    return join(this.directory, 'platform/clusters/paris');
  }

  async #start(kind: RouterKind, maxPrefixes: number): Promise<void> {
    const { network, directory } = this;
    await network.addNamespace('worker');
    await network.addNamespace('tor');
    await network.link({ namespace: 'worker', device: 'eth0' }, { namespace: 'tor', device: 'w1' });
    await network.ip('worker', 'addr', 'add', '10.1.0.11', 'peer', '10.1.0.1/32', 'dev', 'eth0');
    await network.ip('worker', 'route', 'add', 'default', 'via', '10.1.0.1', 'src', '10.1.0.11');
    await network.ip('tor', 'addr', 'add', '10.1.0.1', 'peer', '10.1.0.11/32', 'dev', 'w1');
    const accept = [{ prefix: '10.10.0.0/16' }, { prefix: '10.1.0.0/24' }];
    const neighbor = { name: 'worker', localAddress: '10.1.0.1', address: '10.1.0.11', asn: 65011, accept };
    this.#router = await startRouter(kind, {
      network,
      namespace: 'tor',
      directory,
      spec: {
        routerId: '10.1.0.1',
        asn: 65010,
        neighbors: [{ ...neighbor, announce: 'nothing', maxPrefixes }],
      },
    });
    const platform = join(directory, 'platform');
    await mkdir(this.manifests, { recursive: true });
    for (const file of ['sites.yaml', 'clusters.yaml', 'traffic.yaml'])
      await writeFile(join(platform, file), await readFile(join(repository, 'examples/hybrid', file)));
    const render = ['bgp', 'render', '--platform', platform, '--server', me, '--address', '10.1.0.11'];
    // The rendered configuration takes the relay's compile cache from the environment as well.
    const command = ['env', `NODE_COMPILE_CACHE=${compileCache}`, tideline] as const;
    await network.exec('worker', ...command, ...render, '--run-dir', directory, '--to', join(directory, 'exabgp.conf'));
    await this.startExabgp();
    await this.router.waitEstablished(['worker'], 15_000);
  }

  async startExabgp(): Promise<void> {
    this.#exabgp = await startExabgp({
      network: this.network,
      namespace: 'worker',
      directory: this.directory,
      config: { file: join(this.directory, 'exabgp.conf') },
      environment: { file: join(this.directory, 'exabgp.env') },
      relaySocket: join(this.directory, 'bgp.sock'),
    });
  }

  async killExabgp(): Promise<void> {
    this.#exabgp?.daemon.kill('SIGKILL');
    await this.#exabgp?.daemon.exited;
  }

  /** Starts `tideline network agent` in the worker. */
  startAgent(...more: readonly string[]): void {
    const paths = ['--platform', join(this.directory, 'platform'), '--run-dir', this.directory];
    const child = this.network.spawn(
      'worker',
      tideline,
      [
        'network',
        'agent',
        ...paths,
        '--node',
        me,
        '--cluster',
        'paris',
        '--metrics-address',
        '10.1.0.11:9463',
        ...more,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { NODE_COMPILE_CACHE: compileCache } },
    );
    child.stderr?.on('data', (chunk: Buffer) => appendFileSync(join(this.directory, 'agent.log'), chunk));
    this.#agent = child;
  }

  get agentPid(): number {
    return this.#agent?.pid ?? -1;
  }

  /** Resolves with the exit code of the agent, or the signal that ended it. */
  async endAgent(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const child = this.#agent;
    if (child === undefined) throw new Error('no agent');
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
      child.once('exit', (code, by) => resolve(code ?? by));
    });
    child.kill(signal);
    return ended;
  }

  /** Writes one manifest file, as a finished file moved into place: a list in JSON when it is called so, YAML otherwise. */
  async put(file: string, objects: readonly Manifest[]): Promise<void> {
    this.#files.set(file, objects);
    await mkdir(this.manifests, { recursive: true });
    const temporary = join(this.directory, 'next.yaml');
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await writeFile(temporary, file.endsWith('.json') ? JSON.stringify(list) : yaml(objects));
    await rename(temporary, join(this.manifests, file));
  }

  /** Takes the whole folder away, as a failed mount would. */
  async loseManifests(): Promise<void> {
    await rename(this.manifests, join(this.directory, 'lost'));
  }

  async restoreManifests(): Promise<void> {
    await rename(join(this.directory, 'lost'), this.manifests);
  }

  async remove(file: string): Promise<void> {
    await rm(join(this.manifests, file));
  }

  /** Puts back every file as `put` wrote it last. */
  async putAll(): Promise<void> {
    for (const [file, objects] of this.#files) await this.put(file, objects);
  }

  async putSpec(file: string, object: unknown): Promise<void> {
    await writeFile(join(this.directory, 'platform', file), stringify(object));
  }

  /** The agent's endpoint, asked from the router by a process that costs nothing to start. */
  async get(path: string): Promise<string> {
    const script = `exec 3<>/dev/tcp/10.1.0.11/9463; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
    const answer = await this.network.exec('tor', 'bash', '--norc', '-c', script);
    return answer.slice(answer.indexOf('\r\n\r\n') + 4);
  }

  async status(): Promise<NetworkStatus> {
    return JSON.parse(await this.get('/status')) as NetworkStatus;
  }

  /** As `eventually`; the error shows the end of the agent's log. */
  async until(what: string, look: Look<true>, timeoutMs = 30_000): Promise<void> {
    const show = (): Promise<string> => readFile(join(this.directory, 'agent.log'), 'utf8').catch(() => '');
    await eventually(what, look, { timeoutMs, everyMs: 20, show });
  }

  /** Prefixes of pods that BGP brought into the router's kernel table. */
  async inRouter(): Promise<readonly string[]> {
    return prefixesOf(await this.network.ip('tor', '-j', 'route', 'show', 'proto', this.router.kernelProtocol)).filter(
      (text) => text.startsWith('10.10.'),
    );
  }

  async blackholes(): Promise<readonly string[]> {
    return prefixesOf(await this.network.ip('worker', '-j', 'route', 'show', 'type', 'blackhole', 'proto', '114'));
  }

  async waitRouter(...prefixes: readonly string[]): Promise<void> {
    const wanted = prefixes.toSorted().join();
    await this.until(`the router has ${wanted}`, async () => (await this.inRouter()).join() === wanted);
  }

  async waitBlackholes(...prefixes: readonly string[]): Promise<void> {
    const wanted = prefixes.toSorted().join();
    await this.until(`blackholes ${wanted}`, async () => (await this.blackholes()).join() === wanted);
  }

  /**
   * Records every change of both kernels' tables from now on; the function resolves with those so far, in order, as `where
   * verb prefix`.
   */
  async watchRoutes(): Promise<() => Promise<readonly string[]>> {
    const watches = await Promise.all(
      ['worker', 'tor'].map(async (where) => ({ where, seen: await watchRoutes(this.network, where) })),
    );
    return async () => {
      const changes = await Promise.all(watches.map(async ({ where, seen }) => podRoutes(where, await seen())));
      return changes
        .flat()
        .toSorted((a, b) => a.atMs - b.atMs)
        .map(({ text }) => text);
    };
  }

  async stop(): Promise<void> {
    await this.network.destroy();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function podRoutes(where: string, changes: readonly RouteChange[]): readonly RouteChange[] {
  return changes.flatMap(({ atMs, text }) => {
    const [found, deleted, prefix] = /^(Deleted )?(?:blackhole )?(10\.10\.\S+)/.exec(text) ?? [];
    return found === undefined ? [] : [{ atMs, text: `${where} ${deleted === undefined ? '+' : '-'} ${prefix}` }];
  });
}

function prefixesOf(json: string): readonly string[] {
  const routes = JSON.parse(json.trim() === '' ? '[]' : json) as readonly { readonly dst: string }[];
  return routes.map(({ dst }) => (dst.includes('/') ? dst : `${dst}/32`)).toSorted();
}

/** The nodes and the pool of paris. */
export const basics = [
  calico.node(me, '10.1.0.11'),
  calico.node('paris-worker-2', '10.1.0.12'),
  calico.pool('10.10.0.0/16'),
];
