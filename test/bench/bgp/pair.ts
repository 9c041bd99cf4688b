import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderRouter } from '../../../lab/daemons/birdconfig.ts';
import type { Network } from '../../../lab/net/network.ts';
import { renderEnvironment, renderExabgp } from '../../../src/bgp/render/config.ts';
import { relayProgram, warmRelay } from '../../../src/bgp/render/relay.ts';
import { resolveServer } from '../../../src/bgp/render/server.ts';
import type { Route } from '../../../src/bgp/route.ts';
import { parseAddress, parsePrefix } from '../../../src/model/address.ts';
import { loadPlatformOrThrow } from '../../../src/platform/load.ts';
import { startBird } from '../../support/daemons/bird.ts';
import { startExabgp } from '../../support/daemons/exabgp.ts';

const compileCache = fileURLToPath(new URL('../../../build/compile-cache', import.meta.url));
const bareChild = fileURLToPath(new URL('../../integration/bgp/child.ts', import.meta.url));

/** A server with ExaBGP and its BIRD router. ExaBGP's child is our relay (`relay`), or a program that only copies bytes (`bare`). */
export interface Pair {
  /** The socket on which ExaBGP's child listens. */
  readonly socket: string;
  readonly kernel: KernelWatch;
}

export async function startPair(network: Network, directory: string, kind: 'relay' | 'bare'): Promise<Pair> {
  const [server, router] = [`${kind}-server`, `${kind}-router`];
  await network.addNamespace(server);
  await network.addNamespace(router);
  await network.link({ namespace: server, device: 'eth0' }, { namespace: router, device: 'eth0' });
  await network.ip(server, 'addr', 'add', '10.1.0.11', 'peer', '10.1.0.1/32', 'dev', 'eth0');
  await network.ip(router, 'addr', 'add', '10.1.0.1', 'peer', '10.1.0.11/32', 'dev', 'eth0');
  const neighbor = { name: 'server', localAddress: '10.1.0.1', address: '10.1.0.11', asn: 65011 };
  const accept = [{ prefix: '10.10.0.0/16' }, { prefix: '10.1.0.0/24' }];
  const bird = await startBird({
    network,
    namespace: router,
    directory,
    config: renderRouter({
      routerId: '10.1.0.1',
      asn: 65010,
      neighbors: [{ ...neighbor, accept, announce: 'nothing' }],
    }),
  });
  await warmRelay(compileCache);
  const platform = await loadPlatformOrThrow(['examples/hybrid']);
  const spec = resolveServer(platform, 'paris-worker-1', parseAddress('10.1.0.11'));
  const runDirectory = join(directory, kind);
  const rendered = renderExabgp(spec, { relay: relayProgram(), compileCache, runDirectory: directory });
  const socket = kind === 'relay' ? join(directory, 'bgp.sock') : `${runDirectory}.sock`;
  const text =
    kind === 'relay' ? rendered : rendered.replace(/run .*;/, `run ${process.execPath} ${bareChild} ${socket};`);
  await startExabgp({
    network,
    namespace: server,
    directory,
    config: { text },
    environment: { text: renderEnvironment(spec) },
    relaySocket: socket,
  });
  await bird.waitEstablished(['server'], 15_000);
  return { socket, kernel: await KernelWatch.start(network, router) };
}

/** Connects to the child of a bare ExaBGP: it passes lines on as they are; its answers are read and dropped. */
export async function openBare(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

/** Follows every route that comes and goes in the kernel table of a namespace, with the kernel's own order and time. */
export class KernelWatch {
  readonly #present = new Set<string>();
  readonly #child: ChildProcess;
  #check: ((atMs: number) => void) | undefined;
  #rest = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  static async start(network: Network, namespace: string): Promise<KernelWatch> {
    const child = network.spawn(namespace, 'ip', ['-ts', '-o', '-rc', '33554432', 'monitor', 'route'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { TZ: 'UTC' },
    });
    const watch = new KernelWatch(child);
    // Once the monitor has reported a probe route of ours, it misses nothing.
    for (let number = 1; !watch.#present.has('10.10.255.255'); number += 1) {
      await network.ip(namespace, 'route', 'replace', 'blackhole', '10.10.255.255', 'metric', String(number));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await network.ip(namespace, 'route', 'flush', 'type', 'blackhole');
    await watch.until(0, 10_000);
    return watch;
  }

  /** Resolves with the wall-clock ms at which the table came to hold `count` routes of pods; at once when it holds them already. */
  until(count: number, timeoutMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the kernel has ${this.#present.size} routes, not ${count}`)),
        timeoutMs,
      );
      this.#check = (atMs) => {
        if (this.#present.size !== count) return;
        this.#check = undefined;
        clearTimeout(timer);
        resolve(atMs);
      };
      this.#check(wallClockMs());
    });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const match = /^\[(\S+)\] ?(Deleted )?(?:blackhole )?(10\.10\.\S+)/.exec(line);
      if (match === null) continue;
      const [, time, deleted, prefix = ''] = match;
      if (deleted === undefined) this.#present.add(prefix);
      else this.#present.delete(prefix);
      this.#check?.(Date.parse(`${time}Z`));
    }
  }
}

/** Wall-clock time with fractions of a millisecond, comparable with the time stamps of `ip -ts monitor`. */
export function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}

/** `count` host routes of 10.10.0.0/16, starting after number `from`. */
export function podRoutes(count: number, from = 0): readonly Route[] {
  const nextHop = parseAddress('10.1.0.11');
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const prefix = parsePrefix(`10.10.${number >> 8}.${number & 255}/32`);
    if (prefix === undefined || nextHop === undefined) throw new RangeError(`no route number ${number}`);
    return { prefix, nextHop, class: 'pods' as const, because: 'bench' };
  });
}
