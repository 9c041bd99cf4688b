import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Network } from '../../../lab/net/network.ts';
import { createSpeaker, type SpeakerOptions } from '../../../src/bgp/driver/speaker.ts';
import type { GuardLimits } from '../../../src/bgp/guard.ts';
import { renderEnvironment, renderExabgp } from '../../../src/bgp/render/config.ts';
import { relayProgram } from '../../../src/bgp/render/relay.ts';
import type { ServerSpec } from '../../../src/bgp/render/server.ts';
import type { Route, RouteClass } from '../../../src/bgp/route.ts';
import type { Speaker } from '../../../src/bgp/speaker.ts';
import type { LeaseTerms } from '../../../src/bgp/wire.ts';
import { parseAddress, parsePrefix } from '../../../src/model/address.ts';
import { Site } from '../../../src/model/spec/kinds.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { type Exabgp, startExabgp } from '../../support/daemons/exabgp.ts';
import { watchRoutes } from '../../support/daemons/route-monitor.ts';
import { type Router, type RouterKind, startRouter } from '../../support/daemons/router.ts';
import { eventuallyWith, NotYet } from '../../support/eventually.ts';

const agentMain = fileURLToPath(new URL('agent.ts', import.meta.url));

/** One server (10.1.0.11) with ExaBGP and our relay, and its router (10.1.0.1), each in a namespace. */
export class World {
  readonly network = new Network();
  readonly directory: string;
  readonly #children = new Set<ChildProcess>();
  readonly #speakers = new Set<Speaker>();
  #router: Router | undefined;
  #exabgp: Exabgp | undefined;
  #config = '';
  #variables: Readonly<Record<string, string>> = {};

  constructor(directory: string) {
    this.directory = directory;
  }

  static async start(
    blade?: LeaseTerms,
    router: RouterKind = 'BIRD',
    variables: (directory: string) => Readonly<Record<string, string>> = () => ({}),
  ): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'tideline-bgp-')));
    world.#variables = variables(world.directory);
    try {
      await world.#start(blade, router);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  get socket(): string {
    return join(this.directory, 'bgp.sock');
  }

  get router(): Router {
    if (this.#router === undefined) throw new Error('the router is not started');
    return this.#router;
  }

  get exabgp(): Exabgp {
    if (this.#exabgp === undefined) throw new Error('ExaBGP is not started');
    return this.#exabgp;
  }

  async #start(blade: LeaseTerms | undefined, router: RouterKind): Promise<void> {
    const { network } = this;
    await network.addNamespace('server');
    await network.addNamespace('router');
    await network.link({ namespace: 'server', device: 'eth0' }, { namespace: 'router', device: 'eth0' });
    await network.ip('server', 'addr', 'add', '10.1.0.11', 'peer', '10.1.0.1/32', 'dev', 'eth0');
    await network.ip('router', 'addr', 'add', '10.1.0.1', 'peer', '10.1.0.11/32', 'dev', 'eth0');
    this.#router = await startRouter(router, {
      network,
      namespace: 'router',
      directory: this.directory,
      spec: {
        routerId: '10.1.0.1',
        asn: 65010,
        neighbors: [
          {
            name: 'server',
            localAddress: '10.1.0.1',
            address: '10.1.0.11',
            asn: 65011,
            accept: [{ prefix: '10.10.0.0/16' }, { prefix: '10.1.0.0/24' }, { prefix: '192.0.2.0/28' }],
            announce: 'nothing',
          },
        ],
      },
    });
    this.#config = renderExabgp(server(blade), {
      relay: relayProgram(),
      compileCache: fileURLToPath(new URL('../../../build/compile-cache', import.meta.url)),
      runDirectory: this.directory,
    });
    await this.startExabgp();
    await this.router.waitEstablished(['server'], 15_000);
  }

  async startExabgp(): Promise<void> {
    this.#exabgp = await startExabgp({
      network: this.network,
      namespace: 'server',
      directory: this.directory,
      config: { text: this.#config },
      environment: { text: renderEnvironment(server(undefined)) },
      relaySocket: this.socket,
      variables: this.#variables,
    });
  }

  /** A speaker in this process. */
  speaker(options: Partial<SpeakerOptions> = {}): Speaker {
    const speaker = createSpeaker({
      socketPath: this.socket,
      limits: testLimits,
      clock: systemClock,
      log: silentLog,
      ...options,
    });
    this.#speakers.add(speaker);
    speaker.start();
    return speaker;
  }

  /** A speaker in a process of its own; resolves when its routes are settled. */
  async agent(routes: readonly Route[], lease?: LeaseTerms): Promise<ChildProcess> {
    const argument = JSON.stringify({
      socketPath: this.socket,
      lease,
      routes: routes.map((route) => ({ prefix: route.prefix.text, class: route.class })),
    });
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', agentMain, argument], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.add(child);
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
    });
    return child;
  }

  /** The prefixes that BGP put into the router's kernel table. */
  async kernelRoutes(): Promise<readonly string[]> {
    const text = await this.network.ip('router', '-j', 'route', 'show', 'proto', this.router.kernelProtocol);
    const routes: readonly { readonly dst: string }[] = JSON.parse(text === '' ? '[]' : text);
    return routes.map(({ dst }) => (dst.includes('/') ? dst : `${dst}/32`)).toSorted();
  }

  /**
   * Waits until the router's kernel has exactly these prefixes; resolves with the time it took. The server's own address does not
   * count: its next hop is itself, which BIRD takes and FRR does not.
   */
  async waitKernel(prefixes: readonly string[], timeoutMs = 10_000): Promise<number> {
    const wanted = prefixes.toSorted().join(' ');
    const begin = performance.now();
    await eventually(
      `the kernel has ${wanted.slice(0, 500)}`,
      async () => {
        const now = (await this.kernelRoutes()).filter((prefix) => prefix !== '10.1.0.11/32').join(' ');
        if (now === wanted) return true;
        throw new NotYet(now.slice(0, 500));
      },
      { timeoutMs },
    );
    return performance.now() - begin;
  }

  /** Resolves when BGP has no route in the router's kernel table. */
  async waitKernelEmpty(): Promise<void> {
    await eventually('no route in the kernel', async () => (await this.kernelRoutes()).length === 0);
  }

  /** Watches the router's kernel table; the function resolves with the lines of all routes that were deleted so far. */
  async watchDeletions(): Promise<() => Promise<readonly string[]>> {
    const seen = await watchRoutes(this.network, 'router');
    return async () => (await seen()).map(({ text }) => text).filter((line) => line.startsWith('Deleted'));
  }

  /** The process id of the relay, which is the only child of ExaBGP. */
  async relayPid(): Promise<number> {
    const text = await readFile(`/proc/${this.exabgp.daemon.pid}/task/${this.exabgp.daemon.pid}/children`, 'utf8');
    return Number(text.trim().split(' ')[0]);
  }

  async stop(): Promise<void> {
    for (const speaker of this.#speakers) await speaker.stop();
    for (const child of this.#children) child.kill('SIGKILL');
    await this.network.destroy();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The logs of all daemons, for the message of a failed test. */
  async logs(): Promise<string> {
    const names = (await readdir(this.directory)).filter((name) => name.endsWith('.log'));
    const texts = await Promise.all(names.map((name) => readFile(join(this.directory, name), 'utf8')));
    return texts.join('\n');
  }
}

export const testLimits: GuardLimits = {
  allowed: {
    pods: prefixes('10.10.0.0/16', '2001:db8:10::/48'),
    server: prefixes('10.1.0.0/24'),
    vip: prefixes('192.0.2.0/28'),
  },
  maxRoutes: 2000,
  maxAnnouncementsPerMinute: 10_000,
  maxWithdrawalsPerMinute: 10_000,
};

export function route(prefixText: string, routeClass: RouteClass = 'pods'): Route {
  const prefix = parsePrefix(prefixText);
  const nextHop = parseAddress(prefix?.family === 6 ? '2001:db8::11' : '10.1.0.11');
  if (prefix === undefined || nextHop === undefined) throw new Error(prefixText);
  return { prefix, nextHop, class: routeClass, because: 'test' };
}

/** Sends raw bytes to a unix socket; resolves with the lines that came back within `forMs`. Rejects when nobody listens. */
export async function exchangeLines(path: string, text: string, forMs: number): Promise<readonly string[]> {
  const socket = createConnection(path);
  let answer = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    answer += chunk;
  });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(text);
  await new Promise((resolve) => setTimeout(resolve, forMs));
  socket.destroy();
  return answer.split('\n').filter((line) => line !== '');
}

export const eventually = eventuallyWith({ timeoutMs: 10_000, everyMs: 20, onError: 'fail' });

function prefixes(...texts: readonly string[]) {
  return texts.map((text) => route(text).prefix);
}

function server(lease: LeaseTerms | undefined): ServerSpec {
  const address = route('10.1.0.11/32').nextHop;
  const router = parseAddress('10.1.0.1');
  const vip = parseAddress('192.0.2.10');
  if (router === undefined || vip === undefined) throw new Error('unreachable');
  return {
    name: 'paris-server',
    address,
    localAsn: 65011,
    site: Site.parse({
      apiVersion: 'tideline.dev/v1alpha1',
      kind: 'Site',
      metadata: { name: 'paris' },
      spec: { type: 'datacentre', location: { country: 'FR', latitude: 48.86, longitude: 2.35 }, prefixes: {} },
    }),
    routers: [{ name: 'paris-tor', address: router, asn: 65010 }],
    ...(lease === undefined ? {} : { blade: { vips: [vip], lease } }),
  };
}
