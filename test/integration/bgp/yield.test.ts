import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import type { RouterNeighbor } from '../../../lab/daemons/birdconfig.ts';
import { Network } from '../../../lab/net/network.ts';
import { createSpeaker } from '../../../src/bgp/driver/speaker.ts';
import { renderEnvironment, renderExabgp } from '../../../src/bgp/render/config.ts';
import { relayProgram } from '../../../src/bgp/render/relay.ts';
import { resolveServer } from '../../../src/bgp/render/server.ts';
import type { Speaker } from '../../../src/bgp/speaker.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { loadPlatformOrThrow } from '../../../src/platform/load.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { startExabgp } from '../../support/daemons/exabgp.ts';
import { type Router, type RouterKind, routerKinds, startRouter } from '../../support/daemons/router.ts';
import type { Patience } from '../../support/eventually.ts';
import { listeningLog } from '../../support/listening-log.ts';
import { promised } from '../../support/promised.ts';
import { eventually, route, testLimits } from './world.ts';

// Two workers, each below a leaf with an AS of its own, and a spine above both leaves. Both announce `block`, which was moved from
// `a` to `b`; only `a` announces `lone`.
const block = '10.10.1.0/26';
const lone = '10.10.9.0/26';
const leaves = {
  a: { server: '10.1.0.11', leaf: '10.1.0.1', down: '10.3.0.0', up: '10.3.0.1', asn: 65_101 },
  b: { server: '10.1.0.12', leaf: '10.1.0.2', down: '10.3.0.2', up: '10.3.0.3', asn: 65_102 },
} as const;
type Name = keyof typeof leaves;
const names = ['a', 'b'] as const;

/** The agents have the relay read back twice a second, which is their sign of life. */
const verifyEveryMs = 500;
const yieldSeconds = 4;
/** Two sessions on the way to the spine pass the change on. */
const passedOnMs = 3000;
const patience = { timeoutMs: promised(1000 * yieldSeconds + passedOnMs), onError: 'not yet' } as const;
/** Daemons that start, and sessions that come up, take longer. */
const slow = { ...patience, timeoutMs: 30_000 } as const;

let network: Network;
let directory: string;
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await network.destroy();
  await rm(directory, { recursive: true, force: true });
});

function address(text: string) {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

const socketOf = (name: Name): string => join(directory, name, 'bgp.sock');
const peer = (
  name: string,
  localAddress: string,
  peerAddress: string,
  asn: number,
  server = false,
): RouterNeighbor => ({
  name,
  localAddress,
  address: peerAddress,
  asn,
  accept: 'all',
  announce: server ? 'nothing' : 'all',
});

async function start(namespace: string, kind: RouterKind, asn: number, neighbors: readonly RouterNeighbor[]) {
  const routerId = neighbors[0]?.localAddress ?? '';
  const router = await startRouter(kind, { network, namespace, directory, spec: { routerId, asn, neighbors } });
  ends.push(() => router.stop());
  return router;
}

/** A worker with ExaBGP and the leaf above it. */
async function startSide(name: Name, kind: RouterKind): Promise<Router> {
  const { server, leaf, down, up, asn } = leaves[name];
  const [worker, router] = [`worker-${name}`, `leaf-${name}`];
  await network.addNamespace(worker);
  await network.addNamespace(router);
  await network.link({ namespace: worker, device: 'eth0' }, { namespace: router, device: 'eth0' });
  await network.ip(worker, 'addr', 'add', server, 'peer', `${leaf}/32`, 'dev', 'eth0');
  await network.ip(router, 'addr', 'add', leaf, 'peer', `${server}/32`, 'dev', 'eth0');
  await network.link({ namespace: router, device: 'eth1' }, { namespace: 'spine', device: `eth-${name}` });
  await network.ip(router, 'addr', 'add', `${down}/31`, 'dev', 'eth1');
  await network.ip('spine', 'addr', 'add', `${up}/31`, 'dev', `eth-${name}`);
  const started = await start(router, kind, asn, [
    peer('worker', leaf, server, 65_011, true),
    peer('spine', down, up, 65_100),
  ]);
  const platform = await loadPlatformOrThrow(['examples/hybrid']);
  const spec = {
    ...resolveServer(platform, 'paris-worker-1', address(server)),
    localAsn: 65_011,
    routers: [{ name: 'leaf', address: address(leaf), asn, local: address(server) }],
  };
  const folder = join(directory, name);
  await mkdir(folder);
  const exabgp = await startExabgp({
    network,
    namespace: worker,
    directory,
    config: {
      text: renderExabgp(spec, {
        relay: relayProgram(),
        compileCache: fileURLToPath(new URL('../../../build/compile-cache', import.meta.url)),
        runDirectory: folder,
        yieldSeconds,
      }),
    },
    environment: { text: renderEnvironment(spec) },
    relaySocket: socketOf(name),
  });
  ends.push(() => exabgp.stop());
  return started;
}

function startSpeaker(name: Name, lines: string[] = []): Speaker {
  const speaker = createSpeaker({
    socketPath: socketOf(name),
    limits: testLimits,
    clock: systemClock,
    log: listeningLog(lines),
    verifyEveryMs,
  });
  ends.push(() => speaker.stop());
  speaker.start();
  return speaker;
}

/** The agent of `a`, in a process of its own; resolves when its routes are settled. */
async function startAgent(prefixes: readonly string[]): Promise<ChildProcess> {
  const routes = prefixes.map((prefix) => ({ prefix, class: 'pods' }));
  const argument = JSON.stringify({ socketPath: socketOf('a'), verifyEveryMs, routes });
  const main = fileURLToPath(new URL('agent.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  ends.push(async () => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** The next hops that a router's kernel has for a prefix. */
async function nextHops(namespace: string, prefix: string): Promise<readonly string[]> {
  const text = await network.ip(namespace, '-j', 'route', 'show', prefix);
  const routes: readonly { readonly gateway?: string; readonly nexthops?: readonly { readonly gateway: string }[] }[] =
    JSON.parse(text === '' ? '[]' : text);
  return routes
    .flatMap(({ gateway, nexthops = [] }) => [gateway ?? [], ...nexthops.map((hop) => hop.gateway)].flat())
    .toSorted();
}

/** Waits until spine and leaf `a` send packets for the block, and for the prefix that only `a` has, this way. */
async function waitForwarding(
  expected: { readonly spine: readonly string[]; readonly leaf: string },
  howLong: Partial<Patience> = patience,
): Promise<void> {
  const { a } = leaves;
  await eventually(
    `forwarding as ${JSON.stringify(expected)}`,
    async () => {
      expect(await nextHops('spine', block)).toEqual(expected.spine);
      expect(await nextHops('leaf-a', block)).toEqual([expected.leaf]);
      expect([await nextHops('spine', lone), await nextHops('leaf-a', lone)]).toEqual([[a.down], [a.server]]);
      return true;
    },
    howLong,
  );
}

/** Both sides with their leaves below a spine; resolves with the leaf above `a`. */
async function startFabric(kind: RouterKind): Promise<Router> {
  network = new Network();
  directory = await mkdtemp(join(tmpdir(), 'tl-yield-'));
  await network.addNamespace('spine');
  const other = routerKinds.find((one) => one !== kind) ?? kind;
  const leafA = await startSide('a', other);
  await startSide('b', other);
  await start(
    'spine',
    kind,
    65_100,
    names.map((name) => peer(name, leaves[name].up, leaves[name].down, leaves[name].asn)),
  );
  return leafA;
}
const both = { spine: [leaves.a.down, leaves.b.down], leaf: leaves.a.server };
const onlyB = { spine: [leaves.b.down], leaf: leaves.a.up };

it.each([
  ['BIRD', 'SIGKILL'],
  ['FRR', 'SIGKILL'],
  ['FRR', 'SIGSTOP'],
] as const)(
  'a block with two announcers, spine %s, leads to the living one after the %s of the other’s agent',
  async (kind, signal) => {
    const { a } = leaves;
    const leafA = await startFabric(kind);
    const agent = await startAgent([block, lone]);
    startSpeaker('b').setDesired([route(block)]);
    await waitForwarding(both, slow);

    const begin = performance.now();
    agent.kill(signal);
    await waitForwarding(onlyB);
    console.log(`${signal}: the living announcer is preferred after ${(performance.now() - begin).toFixed(0)} ms`);
    const asPaths = (await leafA.paths())
      .filter(({ nextHop }) => nextHop === a.server)
      .map(({ prefix, asPath }) => [prefix, asPath.length]);
    expect(Object.fromEntries(asPaths)).toEqual({ '10.1.0.11/32': 1, [block]: 9, [lone]: 9 });
    expect(await readFile(join(directory, 'worker-a.log'), 'utf8')).toContain('RoutesYield');

    if (signal === 'SIGSTOP') agent.kill('SIGCONT');
    else {
      const lines: string[] = [];
      const successor = startSpeaker('a', lines);
      successor.setDesired([block, lone].map((prefix) => route(prefix)));
      await successor.settled(10_000);
      expect(lines.join('\n')).toContain('RoutesYield');
      expect(successor.status().yielded?.untilMs).toBeGreaterThan(successor.status().yielded?.sinceMs ?? Infinity);
    }
    await waitForwarding(both);
  },
  120_000,
);

it('a block with two announcers leads to the one that reads its cluster while the agent of the other asks to yield', async () => {
  await startFabric('FRR');
  const agent = startSpeaker('a');
  agent.setDesired([block, lone].map((prefix) => route(prefix)));
  startSpeaker('b').setDesired([route(block)]);
  await waitForwarding(both, slow);
  agent.setYields(true);
  await waitForwarding(onlyB);
  expect(agent.status()).toMatchObject({ yielded: { asked: true }, announced: expect.arrayContaining([route(block)]) });
  await agent.stop();
  const lines: string[] = [];
  const successor = startSpeaker('a', lines);
  successor.setYields(true);
  successor.setDesired([block, lone].map((prefix) => route(prefix)));
  await successor.settled(10_000);
  await waitForwarding(onlyB);
  expect(lines.join('\n')).not.toContain('no agent was in charge');
  successor.setYields(false);
  await waitForwarding(both);
}, 120_000);
