import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runFiles } from '../../../src/model/contract.ts';
import { calico } from '../../support/network/calico.ts';
import { promised } from '../../support/promised.ts';
import { basics, me, World } from './world.ts';

const a = '10.10.1.0/26';
/** An address that a pod of this worker borrowed from another one's block. */
const host = '10.10.5.9/32';
let world: World;
beforeEach(async () => {
  world = await World.start();
  await world.put('basics.yaml', basics);
  await world.put('blocks.yaml', [
    ...calico.owned(a, me, { 5: me }),
    ...calico.owned('10.10.5.0/26', 'paris-worker-2', { 9: me }),
  ]);
  world.startAgent();
  await world.waitRouter(a, host);
  await world.waitBlackholes(a, host);
});
afterEach(() => world.stop());

const sites = (): string => join(world.directory, 'platform/sites.yaml');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const says = (reason: string, said = true): Promise<void> =>
  world.until(`${said ? '' : 'no '}${reason}`, async () => {
    const status = await world.status();
    return (status.reason === reason || status.notices?.some((one) => one.reason === reason) === true) === said;
  });

it.each([
  ['another one is left', [calico.pool('10.77.0.0/16')]],
  ['none is left', []],
])(
  'brings back what pods use after a Drain and after a reboot, though its pool was deleted and %s',
  async (_, left) => {
    await world.put('basics.yaml', [...basics.slice(0, 2), ...left]);
    await says('PoolMissing');
    await world.putSpec('drain.yaml', {
      apiVersion: 'tideline.dev/v1alpha1',
      kind: 'Drain',
      metadata: { name: 'maintenance' },
      spec: { target: { kind: 'Worker', name: me }, reason: 'test', expires: '2099-01-01T00:00:00Z' },
    });
    await world.waitRouter();
    await world.waitBlackholes();
    await rm(join(world.directory, 'platform/drain.yaml'));
    await world.waitRouter(a, host);
    await world.waitBlackholes(a, host);
    // A reboot leaves no process, no route, and here no state on disk either.
    await world.endAgent('SIGKILL');
    await world.killExabgp();
    await rm(join(world.directory, runFiles.networkSnapshot), { force: true });
    for (const prefix of [a, host])
      await world.network.ip('worker', 'route', 'del', 'blackhole', prefix, 'proto', '114');
    await world.startExabgp();
    world.startAgent();
    // The router may have the routes of the former ExaBGP still.
    await world.until('the new ExaBGP announces both', async () => {
      const { announced } = await world.status();
      return announced.filter((route) => route.class === 'pods').length === 2;
    });
    await world.waitRouter(a, host);
    await world.waitBlackholes(a, host);
  },
);

it('withdraws nothing within a second of an edit of its Site that takes most of what the site announces', async () => {
  const seen = await world.watchRoutes();
  const text = await readFile(sites(), 'utf8');
  await writeFile(sites(), text.replace('pods: [10.10.0.0/16]', 'pods: [10.11.0.0/16]'));
  await says('SiteEditWaits');
  // A new agent knows the edited Site alone. The router looks into its status, also when it is no server of the Site.
  await world.endAgent('SIGKILL');
  world.startAgent('--metrics-from', '10.1.0.1/32');
  await says('SiteEditWaits');
  expect(await world.get('/metrics')).toMatch(/tideline_network_notices\{reason="SiteEditWaits"[^}]*\} 2/);
  await pause(1500);
  await writeFile(sites(), text);
  await says('SiteEditWaits', false);
  // The servers of the other workers and blades stay; this one's address goes.
  await writeFile(sites(), text.replace('servers: [10.1.0.0/24]', 'servers: [10.1.0.16/28]'));
  await says('NodeAddressMissing');
  await pause(1500);
  const { announced, refusals } = await world.status();
  expect(announced.map(({ prefix }) => prefix)).toEqual(['10.1.0.11/32', a, host]);
  expect(refusals.filter(({ subject }) => subject.includes('/'))).toEqual([]);
  await writeFile(sites(), text);
  await says('NodeAddressMissing', false);
  expect(await seen()).toEqual([]);
});

it('obeys at once an edit of its Site that takes few blocks', async () => {
  const many = Array.from({ length: 3 }, (_, index) => calico.owned(`10.10.${20 + index}.0/26`, 'paris-worker-2'));
  await world.put('many.yaml', many.flat());
  const text = await readFile(sites(), 'utf8');
  const begin = performance.now();
  await writeFile(sites(), text.replace('pods: [10.10.0.0/16]', 'pods: [10.10.4.0/22, 10.10.16.0/20]'));
  await world.waitRouter(host);
  expect(performance.now() - begin).toBeLessThan(promised(2000));
  await world.waitBlackholes(host);
});
