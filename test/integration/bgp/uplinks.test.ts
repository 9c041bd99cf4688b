import { mkdtemp, rm } from 'node:fs/promises';
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
import { parseAddress } from '../../../src/model/address.ts';
import { loadPlatformOrThrow } from '../../../src/platform/load.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { startExabgp } from '../../support/daemons/exabgp.ts';
import { type Router, type RouterKind, routerKinds, startRouter } from '../../support/daemons/router.ts';
import { eventually, route, testLimits } from './world.ts';

// A worker whose address 10.1.0.11 is on its loopback interface, with a link to each of two routers; the first has IPv6 as well.
const four = ['10.2.0.0', '10.2.0.2'] as const;
const six = { local: 'fd02::1', remote: 'fd02::' };

let network: Network;
let directory: string;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await network.destroy();
  await rm(directory, { recursive: true, force: true });
});

function address(text: string) {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

const localOf = (remote: string): string => remote.replace(/\d$/, (digit) => String(Number(digit) + 1));

async function startLeaf(kind: RouterKind, index: number): Promise<Router> {
  const name = `leaf${index}`;
  const remote = four[index] ?? '';
  await network.addNamespace(name);
  await network.link({ namespace: 'server', device: `eth${index}` }, { namespace: name, device: 'eth0' });
  await network.ip('server', 'addr', 'add', `${localOf(remote)}/31`, 'dev', `eth${index}`);
  await network.ip(name, 'addr', 'add', `${remote}/31`, 'dev', 'eth0');
  const withSix = index === 0 && kind === 'FRR';
  if (withSix) {
    await network.ip('server', 'addr', 'add', `${six.local}/127`, 'dev', 'eth0', 'nodad');
    await network.ip(name, 'addr', 'add', `${six.remote}/127`, 'dev', 'eth0', 'nodad');
  }
  const session = (local: string, peer: string, family: string): RouterNeighbor => ({
    name: `server${family}`,
    localAddress: local,
    address: peer,
    asn: 65011,
    accept: 'all',
    announce: 'nothing',
  });
  const neighbors = [session(remote, localOf(remote), '4'), ...(withSix ? [session(six.remote, six.local, '6')] : [])];
  return startRouter(kind, {
    network,
    namespace: name,
    directory,
    spec: { routerId: remote, asn: 65010, neighbors },
  });
}

it.each(routerKinds)('routes of a server with two uplinks and a loopback address are valid on %s', async (kind) => {
  network = new Network();
  directory = await mkdtemp(join(tmpdir(), 'tideline-uplinks-'));
  await network.addNamespace('server');
  await network.ip('server', 'addr', 'add', '10.1.0.11/32', 'dev', 'lo');
  const leaves = [await startLeaf(kind, 0), await startLeaf(kind, 1)];
  const uplinks = [
    ...four.map((remote) => ({ router: 'paris-tor', local: address(localOf(remote)), remote: address(remote) })),
    ...(kind === 'FRR' ? [{ router: 'paris-tor', local: address(six.local), remote: address(six.remote) }] : []),
  ];
  const platform = await loadPlatformOrThrow(['examples/hybrid']);
  const server = resolveServer(platform, 'paris-worker-1', address('10.1.0.11'), uplinks);
  const exabgp = await startExabgp({
    network,
    namespace: 'server',
    directory,
    config: {
      text: renderExabgp(server, {
        relay: relayProgram(),
        compileCache: fileURLToPath(new URL('../../../build/compile-cache', import.meta.url)),
        runDirectory: directory,
      }),
    },
    environment: { text: renderEnvironment(server) },
    relaySocket: join(directory, 'bgp.sock'),
  });
  ends.push(() => exabgp.stop());
  const speaker = createSpeaker({
    socketPath: join(directory, 'bgp.sock'),
    limits: testLimits,
    clock: systemClock,
    log: silentLog,
  });
  ends.push(() => speaker.stop());
  speaker.start();
  const wanted = [
    route('10.10.1.0/26'),
    route('192.0.2.10/32', 'vip'),
    ...(kind === 'FRR' ? [route('2001:db8:10::/122')] : []),
  ];
  speaker.setDesired(wanted);
  await speaker.settled(15_000);
  for (const [index, leaf] of leaves.entries()) {
    const local = localOf(four[index] ?? '');
    const expected = ['10.1.0.11/32', '10.10.1.0/26', '192.0.2.10/32'].map((prefix) => `${prefix} ${local} true`);
    if (index === 0 && kind === 'FRR') expected.push(`2001:db8:10::/122 ${six.local} true`);
    await eventually(
      `${expected.join(', ')} on ${leaf.kind}`,
      async () => {
        const paths = await leaf.paths();
        const seen = paths.map(({ prefix, nextHop, valid }) => `${prefix} ${nextHop} ${valid}`).toSorted();
        expect(seen).toEqual(expected);
        return true;
      },
      { timeoutMs: 15_000, onError: 'not yet' },
    );
  }
  // The agent sees the routes as it asked for them, and nothing differs.
  const announced = speaker.status().announced.filter(({ prefix }) => prefix.text !== '10.1.0.11/32');
  expect(announced.map(({ prefix, nextHop }) => [prefix.text, nextHop.text])).toEqual(
    wanted.map(({ prefix, nextHop }) => [prefix.text, nextHop.text]),
  );
  speaker.setDesired([route('10.10.1.0/26')]);
  await speaker.settled(10_000);
  for (const leaf of leaves)
    await eventually('only the block and the server are left', async () => (await leaf.paths()).length === 2);
});
