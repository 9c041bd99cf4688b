import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import { Network } from '../../../lab/net/network.ts';
import type { EdgeStatus } from '../../../src/model/status.ts';
import { getJson } from '../../../src/planes/edge/vips/probe.ts';
import { type Exabgp, startExabgp } from '../../support/daemons/exabgp.ts';
import { type Nginx, startNginx } from '../../support/daemons/nginx.ts';
import { type Router, type RouterKind, startRouter } from '../../support/daemons/router.ts';
import { eventuallyWith } from '../../support/eventually.ts';

const run = promisify(execFile);
const main = resolve(import.meta.dirname, '../../../src/cli/main.ts');
export const vip = '192.0.2.10';
const client = '10.9.0.2';

/** The pace stays below what an agent's endpoint answers to one who is no blade. */
export const eventually = eventuallyWith({ timeoutMs: 15_000, everyMs: 50 });

/** One blade: nginx, ExaBGP and the agent, each a process of its own in the blade's namespace. */
export class Blade {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly runDir: string;
  readonly #world: World;
  #nginx: Nginx | undefined;
  #agent: Daemon | undefined;
  exabgp: Exabgp | undefined;

  constructor(world: World, index: number) {
    this.#world = world;
    this.name = `paris-blade-${index}`;
    this.namespace = `b${index}`;
    this.address = `10.1.0.2${index}`;
    this.runDir = join(world.folder, this.namespace);
  }

  get nginx(): Nginx {
    if (this.#nginx === undefined) throw new Error('nginx is not started');
    return this.#nginx;
  }

  get agent(): Daemon {
    if (this.#agent === undefined) throw new Error('the agent is not started');
    return this.#agent;
  }

  async startNginx(): Promise<void> {
    const { network } = this.#world;
    this.#nginx = await startNginx({
      network,
      namespace: this.namespace,
      rendered: join(this.runDir, 'conf'),
      runDir: this.runDir,
    });
  }

  startAgent(...more: readonly string[]): void {
    this.startAgentOn(['--platform', this.#world.platform], ...more);
  }

  /** Starts the agent on a spec that `spec` names. */
  startAgentOn(spec: readonly string[], ...more: readonly string[]): void {
    const { network } = this.#world;
    this.#agent = startDaemon({
      network,
      namespace: this.namespace,
      command: process.execPath,
      args: [
        main,
        'edge',
        'agent',
        ...spec,
        '--pool',
        'paris-edge',
        '--blade',
        this.name,
        '--run-dir',
        this.runDir,
        '--metrics-from',
        client,
        ...more,
      ],
      logFile: join(this.runDir, 'agent.log'),
      env: { NODE_COMPILE_CACHE: resolve(import.meta.dirname, '../../../build/compile-cache') },
    });
  }

  async start(): Promise<void> {
    const { network, platform } = this.#world;
    await mkdir(this.runDir, { recursive: true });
    await network.addNamespace(this.namespace);
    await network.link({ namespace: 'tor', device: this.namespace }, { namespace: this.namespace, device: 'eth0' });
    await network.ip('tor', 'addr', 'add', '10.1.0.1', 'peer', `${this.address}/32`, 'dev', this.namespace);
    await network.ip(this.namespace, 'addr', 'add', this.address, 'peer', '10.1.0.1/32', 'dev', 'eth0');
    await network.ip(this.namespace, 'route', 'add', 'default', 'via', '10.1.0.1', 'src', this.address);
    const cli = (...args: readonly string[]) => run(process.execPath, [main, ...args]);
    await cli(
      'edge',
      'render',
      '--platform',
      platform,
      '--pool',
      'paris-edge',
      '--run-dir',
      this.runDir,
      '--to',
      join(this.runDir, 'conf'),
      // One user for master and workers, as under systemd.
      '--user',
      'root',
      '--workers',
      '1',
    );
    await cli(
      'bgp',
      'render',
      '--platform',
      platform,
      '--server',
      this.name,
      '--run-dir',
      this.runDir,
      '--to',
      this.runDir,
    );
    await this.startNginx();
    this.exabgp = await startExabgp({
      network,
      namespace: this.namespace,
      directory: this.runDir,
      config: { file: join(this.runDir, 'exabgp.conf') },
      environment: { file: join(this.runDir, 'exabgp.env') },
      relaySocket: join(this.runDir, 'bgp.sock'),
    });
    this.startAgent();
  }

  async status(): Promise<EdgeStatus> {
    const body = await getJson({
      address: this.address,
      port: 9464,
      path: '/status',
      timeoutMs: 1000,
      maxBytes: 4 << 20,
    });
    if (body === undefined) throw new Error(`${this.name} does not answer /status`);
    return body as unknown as EdgeStatus;
  }

  /** What the agent exports. */
  async metrics(): Promise<string> {
    return (await fetch(`http://${this.address}:9464/metrics`)).text();
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
    await this.exabgp?.stop();
    await this.#nginx?.stop();
  }
}

export type Objects = readonly Readonly<Record<string, unknown>>[];

/**
 * A rack: a router with two blades. Clients and pods are in this process, which is behind the router; pods are
 * servers on addresses 10.10.1.x of its loopback interface.
 */
export class World {
  readonly network = new Network();
  readonly folder: string;
  readonly platform: string;
  readonly manifests: string;
  readonly blades: readonly [Blade, Blade];
  readonly #pods = new Map<string, Server>();
  #tor: Router | undefined;

  private constructor(folder: string) {
    this.folder = folder;
    this.platform = join(folder, 'platform');
    this.manifests = join(this.platform, 'paris');
    this.blades = [new Blade(this, 1), new Blade(this, 2)];
  }

  static async create(objects: Readonly<Record<string, Objects>>, router: RouterKind = 'BIRD'): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'edge-')));
    // The workers of nginx are another user, and mkdtemp makes a folder that only its owner may enter.
    await chmod(world.folder, 0o711);
    try {
      await world.#start(objects, router);
    } catch (error) {
      await world.destroy();
      throw error;
    }
    return world;
  }

  async #start(objects: Readonly<Record<string, Objects>>, router: RouterKind): Promise<void> {
    await mkdir(this.manifests, { recursive: true });
    await this.writePlatform();
    for (const [name, content] of Object.entries(objects)) await this.write(name, content);
    await this.#connect();
    await Promise.all(this.blades.map((blade) => blade.start()));
    this.#tor = await startRouter(router, {
      network: this.network,
      namespace: 'tor',
      directory: this.folder,
      spec: {
        routerId: '10.1.0.1',
        asn: 65_010,
        neighbors: this.blades.map(({ namespace, address }) => ({
          name: namespace,
          localAddress: '10.1.0.1',
          address,
          asn: 65_011,
          accept: [{ prefix: '192.0.2.0/28' }],
          announce: 'nothing',
        })),
      },
    });
  }

  async #connect(): Promise<void> {
    const { network } = this;
    await network.addNamespace('tor');
    await network.sysctl('tor', ['net.ipv4.ip_forward=1', 'net.ipv4.fib_multipath_hash_policy=1']);
    await run('ip', ['link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', network.kernelName('tor')]);
    await run('ip', ['addr', 'add', `${client}/24`, 'dev', 'up0']);
    await run('ip', ['link', 'set', 'up0', 'up']);
    await network.ip('tor', 'addr', 'add', '10.9.0.1/24', 'dev', 'up0');
    await network.ip('tor', 'link', 'set', 'up0', 'up');
    await network.ip('tor', 'route', 'add', '10.10.0.0/16', 'via', client);
    await run('ip', ['route', 'add', 'default', 'via', '10.9.0.1']);
  }

  /** Replaces a file of the cluster's folder in one step. */
  async write(name: string, objects: Objects | string): Promise<void> {
    const text = typeof objects === 'string' ? objects : objects.map((object) => stringify(object)).join('---\n');
    await writeFile(join(this.manifests, `.${name}`), text);
    await rename(join(this.manifests, `.${name}`), join(this.manifests, name));
  }

  /** The platform of the rack with these drains. */
  async writePlatform(
    ...drains: readonly { readonly kind: string; readonly name: string; readonly seconds: number }[]
  ): Promise<void> {
    const apiVersion = 'tideline.dev/v1alpha1';
    const object = (kind: string, name: string, spec: unknown) => ({ apiVersion, kind, metadata: { name }, spec });
    const documents = [
      object('Site', 'paris', {
        type: 'datacentre',
        location: { country: 'FR', latitude: 48.86, longitude: 2.35 },
        routers: [{ name: 'paris-tor', address: '10.1.0.1', asn: 65_010 }],
        serverAsn: 65_011,
        prefixes: { pods: ['10.10.0.0/16'], servers: ['10.1.0.0/24'], vips: ['192.0.2.0/28'] },
      }),
      object('Cluster', 'paris', {
        sites: ['paris'],
        source: { manifests: './paris' },
        entry: { edgePool: 'paris-edge' },
      }),
      object('EdgePool', 'paris-edge', {
        cluster: 'paris',
        blades: this.blades.map(({ name, address }) => ({ name, address })),
        vips: [{ address: vip }],
        drain: { graceSeconds: 1 },
        // Requests are plain HTTP, also to the host that has a certificate.
        https: { redirect: false },
      }),
      object('TrafficPolicy', 'video', {
        hosts: ['www.video.example'],
        dns: { zone: 'video.example', providers: ['powerdns'] },
        default: { clusters: [{ name: 'paris' }] },
      }),
      ...drains.map(({ kind, name, seconds }) =>
        object('Drain', `drain-${name}`, {
          target: { kind, name },
          reason: 'test',
          expires: new Date(Date.now() + seconds * 1000).toISOString(),
        }),
      ),
    ];
    const file = join(this.platform, 'platform.yaml');
    await writeFile(`${file}.new`, documents.map((document) => stringify(document)).join('---\n'));
    await rename(`${file}.new`, file);
  }

  /** A pod that answers with its name and the address of its peer. */
  async pod(name: string, index: number): Promise<string> {
    const address = `10.10.1.${index}`;
    await run('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo']);
    const server = createServer((request, response) => {
      response.end(JSON.stringify({ pod: name, peer: request.socket.remoteAddress }));
    });
    await new Promise<void>((done) => {
      server.listen(3000, address, done);
    });
    this.#pods.set(name, server);
    return address;
  }

  endPod(name: string): void {
    const server = this.#pods.get(name);
    server?.closeAllConnections();
    server?.close();
  }

  /** The addresses of the blades to which the router sends the VIP's traffic, as its kernel has them. */
  async routed(): Promise<readonly string[]> {
    const route = await this.network.ip('tor', '-j', 'route', 'show', vip);
    const entries: readonly {
      readonly gateway?: string;
      readonly nexthops?: readonly { readonly gateway: string }[];
    }[] = JSON.parse(route || '[]');
    return entries
      .flatMap(
        ({ gateway, nexthops }) => nexthops?.map((hop) => hop.gateway) ?? (gateway === undefined ? [] : [gateway]),
      )
      .toSorted();
  }

  async destroy(): Promise<void> {
    for (const name of this.#pods.keys()) this.endPod(name);
    await Promise.all(this.blades.map((blade) => blade.stop().catch(() => {})));
    await this.#tor?.stop();
    await this.network.destroy();
    await run('ip', ['link', 'del', 'up0']).catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Runs `tideline accept`. */
export function accept(...words: readonly string[]) {
  return tideline('accept', ...words);
}

/** Runs a command as a person. */
export async function tideline(...words: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [main, ...words], { env: { ...process.env, SUDO_USER: 'anna' } }, (error, out, err) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, out: `${out}${err}` }),
    );
  });
}

/** The option that names the agent of a blade. */
export const agentOf = ({ address }: Blade): readonly string[] => ['--agent', `${address}:9464`];
