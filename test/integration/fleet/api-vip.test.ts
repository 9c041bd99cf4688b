import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Network } from '../../../lab/net/network.ts';
import { compileFleet } from '../../../src/planes/fleet/compile/compile.ts';
import { drainsOf } from '../../../src/planes/fleet/run/drain/handlers.ts';
import { gatesOf } from '../../../src/planes/fleet/run/gates/gates.ts';
import type { StepContext } from '../../../src/planes/fleet/run/handlers.ts';
import type { FleetWorld } from '../../../src/planes/fleet/run/world.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type Bird, startBird } from '../../support/daemons/bird.ts';
import { type Exabgp, startExabgp } from '../../support/daemons/exabgp.ts';
import { eventuallyWith } from '../../support/eventually.ts';
import { fleetPlatform } from '../../support/fleet.ts';
import { moduleReach } from '../../support/salt/module-reach.ts';

/** The API's address of a control plane, announced to a router by the files of its document, withdrawn by a drain and returned after it. */
const [id, other] = ['site0-control0', 'site0-control1'] as const;
const vip = '192.0.0.1/32';
const routers = ['10.1.0.1', '10.1.0.2'];
const network = new Network();
const eventually = eventuallyWith({ timeoutMs: 30_000, everyMs: 100 });
let folder = '';
const birds: Bird[] = [];
let exabgp: Exabgp;
let world: FleetWorld;
let step: StepContext;
/** What the other control plane says of itself. */
let others = { prefixes: [vip], missing: [], state: 'UP', withdrawn: false, sessions: { '10.1.0.1': true } };

const routes = async () => (await Promise.all(birds.map((bird) => bird.ask('show route')))).flat().join('\n');
const held = () => gatesOf(world).VipHeld({ servers: [id] }, step);
const patience = { patienceMs: 3000, everyMs: 100, farewellMs: 1000, routersMs: 0 };
const drain = () => drainsOf(world, patience).drain({ do: 'drain', servers: [id] }, step);
const giveBack = () => drainsOf(world, patience).return({ do: 'return', servers: [id] }, step);

const routerConfig = (address: string) => `router id ${address};
protocol device {}
protocol bgp control {
  local ${address} as 65010;
  neighbor 10.1.0.10 as 65011;
  multihop;
  passive on;
  strict bind on;
  ipv4 { import all; export none; };
}
`;

beforeAll(async () => {
  folder = await mkdtemp('/run/api-vip-');
  await mkdir('/run/tideline-api-vip');
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/systemctl'), '#!/bin/sh\n[ "$1" = is-active ] && echo active\n', { mode: 0o755 });
  await writeFile(join(folder, 'ready'), '');
  await network.adoptOwn('own');
  for (const address of ['10.1.0.10', ...routers, '192.0.0.1'])
    await network.ip('own', 'address', 'add', `${address}/32`, 'dev', 'lo');
  const { documents } = compileFleet(fleetPlatform(), {});
  const document = documents.get(id);
  const files = document?.components.find(({ name }) => name === 'exabgp')?.files ?? {};
  for (const [path, { text }] of Object.entries(files)) {
    const moved = text
      .replaceAll('/etc/tideline-api-vip', folder)
      .replace(/^command = .*$/m, `command = /usr/bin/test -e ${folder}/ready`);
    await writeFile(path.replace('/etc/tideline-api-vip', folder), moved);
  }
  const place = { network, namespace: 'own', directory: folder };
  for (const address of routers)
    birds.push(await startBird({ ...place, name: address, config: routerConfig(address) }));
  const own = { config: { file: join(folder, 'exabgp.conf') }, environment: { file: join(folder, 'exabgp.env') } };
  exabgp = await startExabgp({ ...place, name: 'exabgp', ...own });
  if (document === undefined) throw new Error('unreachable');
  const reach = await moduleReach(
    new Map([[id, document]]),
    {
      'tideline_health.vip': (server) => (server === id ? undefined : { value: others }),
      'tideline_drain.move_etcd_leader': () => ({ value: { moved: false } }),
    },
    `${folder}/bin:${process.env['PATH']}`,
  );
  const api = { request: () => Promise.reject(new Error('no API')) };
  world = { documents, pools: [], api: () => Promise.resolve(api), clock: systemClock };
  const wave = { cluster: 'site0', kind: 'control-plane', servers: [id], steps: [] } as const;
  const run = { command: 'apply', checksum: 'run-1' };
  step = { run, wave, reach, signal: AbortSignal.timeout(120_000), say: () => undefined };
  for (const bird of birds) await bird.waitEstablished(['control'], 30_000);
}, 90_000);
afterAll(async () => {
  await exabgp?.stop();
  for (const bird of birds) await bird.stop();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

const announced = (is: boolean) =>
  eventually(async () => expect((await routes()).includes(vip), await routes()).toBe(is));

it('is held while the API server is ready, and not when it is not', async () => {
  await announced(true);
  await eventually(async () => {
    expect(await held()).toBeUndefined();
    return true;
  });
  await rm(join(folder, 'ready'));
  await announced(false);
  expect(await held()).toBe(`${id} does not announce ${vip} (DOWN)`);
  await writeFile(join(folder, 'ready'), '');
  await announced(true);
}, 90_000);

it('is withdrawn by a drain although the API server is ready, until it is returned', async () => {
  expect(await drain()).toEqual([]);
  await announced(false);
  expect(await held()).toBe(`${id} has withdrawn ${vip} until it is returned`);
  // An interrupted run drains again.
  expect(await drain()).toEqual([]);
  expect(await giveBack()).toEqual([]);
  await announced(true);
  expect(await held()).toBeUndefined();
}, 90_000);

it('is not withdrawn where no other control plane announces it', async () => {
  others = { ...others, state: 'DOWN' };
  expect((await drain()).map(({ message }) => message)).toEqual([
    `NoOtherApi: of ${other}, site0-control2 none announces the API's address`,
  ]);
  expect(await routes()).toContain(vip);
}, 60_000);

it('wants a session with every router', async () => {
  await birds[1]?.stop();
  await eventually(async () => {
    expect(await held()).toBe(`${id} has no session with 10.1.0.2`);
    return true;
  });
}, 60_000);
