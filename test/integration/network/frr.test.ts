import { afterEach, expect, it } from 'vitest';
import { calico } from '../../support/network/calico.ts';
import { basics, me, World } from './world.ts';

const a = '10.10.1.0/26';
const b = '10.10.3.0/26';
let world: World;
afterEach(() => world.stop());

it('claims and releases a block in order when the router is FRR', async () => {
  world = await World.start('FRR');
  await world.put('basics.yaml', basics);
  await world.put('a.yaml', calico.owned(a, me, { 5: me }));
  world.startAgent();
  await world.waitRouter(a);
  const seen = await world.watchRoutes();
  await world.put('b.yaml', calico.owned(b, me, { 7: me }));
  await world.waitRouter(a, b);
  await world.put('b.yaml', [
    calico.affinity(b, me, { state: 'pendingDeletion' }),
    calico.block(b, undefined, { 7: me }),
  ]);
  await world.waitRouter(a, '10.10.3.7/32');
  await world.waitBlackholes(a, '10.10.3.7/32');
  const order = (await seen()).filter((line) => line.includes('10.10.3'));
  const host = ['worker + 10.10.3.7', 'tor + 10.10.3.7'];
  expect(order).toEqual([`worker + ${b}`, `tor + ${b}`, ...host, `tor - ${b}`, `worker - ${b}`]);
});
