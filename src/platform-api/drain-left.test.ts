import { beforeAll, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { apiVersion } from '../model/contract.ts';
import { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { DrainLefts } from './drain-left.ts';

let hybrid: Platform;
beforeAll(async () => {
  hybrid = await loadPlatformOrThrow(['examples/hybrid']);
});

/** What agents answer; the test changes it. */
function follow(kind: Drain['spec']['target']['kind'], name: string) {
  const clock = new FakeClock();
  const expires = new Date(clock.now() + 3_600_000).toISOString();
  const spec = { target: { kind, name }, reason: 'x', expires };
  const drain = Drain.parse({ apiVersion, kind: 'Drain', metadata: { name: 'd' }, spec });
  const blade = (one: string, more: object = {}) => ({
    agent: 'edge',
    blade: one,
    draining: true,
    vips: [{ address: '192.0.2.10', announced: false }],
    nginx: { activeConnections: 0 },
    bgp: { relay: 'synced' },
    ...more,
  });
  const [one, two] = (hybrid.edgePools.get('paris-edge')?.spec.blades ?? []).map(({ address }) => address.text);
  const answers = new Map<string, unknown>([
    [one ?? '', blade('paris-blade-1')],
    [two ?? '', blade('paris-blade-2')],
    ['w1', { agent: 'network', node: 'w1', action: 'announce', reason: 'NodeDrained', announced: [], relay: 'synced' }],
  ]);
  const world = { writing: true, asked: 0 };
  const answer = async (key: string): Promise<unknown> => {
    world.asked += 1;
    const found = answers.get(key);
    if (found instanceof Error) throw found;
    return found;
  };
  const platform = { ...hybrid, drains: new Map([['d', drain]]) };
  const options = {
    platform: () => platform,
    isWriting: () => world.writing,
    askBlade: (_: string, address: string) => answer(address),
    askWorker: answer,
    clock,
  };
  const lefts = new DrainLefts(options);
  const said = async () => {
    lefts.of(['d']);
    await new Promise(setImmediate);
    return lefts.of(['d']).get('d');
  };
  return { world, clock, answers, blade, said, one: one ?? '', two: two ?? '' };
}

it('asks the blade that is drained, and no other', async () => {
  const { said, world } = follow('Blade', 'paris-blade-1');
  expect(await said()).toMatchObject({ phase: 'empty', left: [] });
  expect(world.asked).toBe(1);
});

it('asks all blades of a cluster, and counts what they have', async () => {
  const { said, answers, blade, one, two } = follow('Cluster', 'paris');
  answers.set(
    one,
    blade('paris-blade-1', { vips: [{ address: '192.0.2.10', announced: true }], requestsPerSecond: 2.6 }),
  );
  answers.set(two, blade('paris-blade-2', { nginx: { activeConnections: 1 }, requestsPerSecond: 4.4 }));
  expect(await said()).toEqual({
    phase: 'draining',
    left: ['paris-blade-1 announces 192.0.2.10', 'paris-blade-2 has 1 connection open (4 requests a second)'],
    counts: { vips: 1, connections: 1, requestsPerSecond: 7, pods: 0 },
  });
});

it.each([
  ['is silent', undefined, 'paris-blade-1 does not answer'],
  ['is another one', { agent: 'edge', blade: 'x' }, 'paris-blade-1 has an agent whose answer is not understood'],
])('a blade that %s keeps it from being empty', async (_, answer, says) => {
  const { said, answers, one } = follow('Blade', 'paris-blade-1');
  answers.set(one, answer);
  expect(await said()).toMatchObject({ phase: 'unknown', left: [says] });
});

it('asks the agent of a worker, and says why it could not', async () => {
  const { said, answers, clock } = follow('Worker', 'w1');
  expect(await said()).toMatchObject({ phase: 'empty' });
  const notices = [{ reason: 'DrainWaits', message: 'a Drain waits for 2 Ready pods', count: 2 }];
  answers.set('w1', { agent: 'network', node: 'w1', action: 'announce', announced: [], relay: 'synced', notices });
  await clock.advance(5000);
  expect(await said()).toMatchObject({ phase: 'draining', counts: { pods: 2 } });
  answers.set('w1', new Error('has a Node that cannot be read: no'));
  await clock.advance(5000);
  expect(await said()).toMatchObject({ phase: 'unknown', left: ['w1 has a Node that cannot be read: no'] });
});

it('asks every five seconds while it writes, and knows nothing while another agent does', async () => {
  const { said, world, clock } = follow('Blade', 'paris-blade-1');
  await said();
  await said();
  expect(world.asked).toBe(1);
  await clock.advance(5000);
  await said();
  expect(world.asked).toBe(2);
  world.writing = false;
  await clock.advance(5000);
  expect(await said()).toBeUndefined();
  expect(world.asked).toBe(2);
});
