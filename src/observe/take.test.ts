import { expect, test } from 'vitest';
import { apiVersion } from '../model/contract.ts';
import { Drain } from '../model/spec/kinds.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import type { Following } from './drain-dns.ts';
import { findingsOf } from './findings.ts';
import type { Target } from './snapshot.ts';
import { type TakeOptions, takeSnapshot } from './take.ts';
import type { Worker } from './targets.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);

async function taken(
  workersOf: (cluster: string) => Promise<readonly Worker[] | undefined>,
  more: Partial<Pick<TakeOptions, 'before' | 'platform' | 'following'>> = {},
) {
  const asked: string[] = [];
  const ask = (target: Target) => {
    asked.push(`${target.plane} ${target.server} ${target.site}`);
    return Promise.resolve({ target, problem: 'cannot be reached' });
  };
  const snapshot = await takeSnapshot({ platform, ask, workersOf, now: () => Date.UTC(2026, 10, 27), ...more });
  return { asked, snapshot };
}

test('asks the blades of the spec and the workers that clusters list, each once, and no Node of a cloud', async () => {
  const read: string[] = [];
  const { asked } = await taken((cluster) => {
    read.push(cluster);
    return Promise.resolve([{ name: `${cluster}-worker-1`, address: cluster === 'paris' ? '10.1.0.11' : '10.2.0.11' }]);
  });
  expect(read.toSorted()).toEqual(['newyork', 'paris']);
  expect(asked.toSorted()).toEqual([
    'edge newyork-blade-1 newyork',
    'edge newyork-blade-2 newyork',
    'edge paris-blade-1 paris',
    'edge paris-blade-2 paris',
    'network newyork-worker-1 newyork',
    'network paris-worker-1 paris',
  ]);
});

test('says of a drained cluster where name servers lead users, and of one about which nobody was asked how DNS follows', async () => {
  const drain = Drain.parse({
    apiVersion,
    kind: 'Drain',
    metadata: { name: 'd' },
    spec: { target: { kind: 'Cluster', name: 'paris' }, reason: 'x', expires: '2026-11-28T00:00:00Z' },
  });
  const drained = { ...platform, drains: new Map([['d', drain]]) };
  const told = async (said?: Following) => {
    const { snapshot } = await taken(async () => undefined, {
      platform: drained,
      ...(said === undefined ? {} : { following: async () => new Map([['d', said]]) }),
    });
    return snapshot.drains[0]?.dns;
  };
  expect(await told()).toBe('follows at the next apply');
  expect(await told({ text: 'FR is still led to paris by ns1', still: true })).toBe(
    'follows at the next apply: FR is still led to paris by ns1',
  );
  expect(await told({ text: 'FR is led elsewhere now', still: false })).toBe('FR is led elsewhere now');
});

test('drops no worker in silence', async () => {
  const workers = [
    { name: 'placed', address: '10.1.0.11' },
    { name: 'elsewhere', address: '192.168.0.1' },
    { name: 'nowhere' },
  ];
  const { snapshot } = await taken((cluster) =>
    cluster === 'paris' ? Promise.resolve(workers) : Promise.reject(new Error('Forbidden')),
  );
  expect(snapshot.clusters).toEqual([
    { name: 'paris', sites: ['paris'], unplaced: ['elsewhere', 'nowhere'] },
    { name: 'newyork', sites: ['newyork'], problem: 'Forbidden' },
    { name: 'cloud' },
  ]);
  const { snapshot: empty } = await taken(() => Promise.resolve([]));
  expect(empty.clusters).toContainEqual({ name: 'paris', sites: ['paris'], problem: 'it lists no Node' });
  expect(findingsOf(empty)[0]).toMatchObject({ severity: 'unknown' });
});

test('asks the workers that a cluster listed before, when it cannot be read any more, and each that it lists once', async () => {
  const listed = async (cluster: string) => [
    { name: `${cluster}-worker-1`, address: cluster === 'paris' ? '10.1.0.11' : '10.2.0.11' },
  ];
  const { snapshot: before } = await taken(listed);
  const lost = await taken(
    (cluster) => (cluster === 'paris' ? Promise.reject(new Error('Forbidden')) : listed(cluster)),
    { before },
  );
  expect(lost.asked.filter((one) => one.startsWith('network')).toSorted()).toEqual([
    'network newyork-worker-1 newyork',
    'network paris-worker-1 paris',
  ]);
  expect(lost.snapshot.clusters).toContainEqual(expect.objectContaining({ name: 'paris', problem: 'Forbidden' }));
  const grown = await taken(
    async (cluster) => [...(await listed(cluster)), { name: `${cluster}-new`, address: '10.1.0.13' }],
    { before },
  );
  expect(grown.asked).toHaveLength(new Set(grown.asked).size);
  expect(grown.asked).toContain('network paris-new paris');
  const shrunk = await taken(
    async (cluster) => (cluster === 'paris' ? [{ name: 'other', address: '10.1.0.14' }] : []),
    {
      before,
    },
  );
  const asked = shrunk.snapshot.agents.filter(({ target }) => target.plane === 'network');
  expect(asked.map(({ target }) => target.server)).toEqual(['other', 'newyork-worker-1']);
});

test('asks a worker as soon as its own cluster lists it, and waits for no blade', async () => {
  const { promise: silence, resolve: end } = Promise.withResolvers<void>();
  const asked: string[] = [];
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const taking = takeSnapshot({
    platform,
    async ask(target) {
      asked.push(target.server);
      if (target.plane === 'network') reach();
      else await silence;
      return { target, problem: 'does not answer' };
    },
    workersOf: async (cluster) => (cluster === 'paris' ? [{ name: 'paris-worker-1', address: '10.1.0.11' }] : []),
    now: () => 0,
  });
  await reached;
  expect(asked).toContain('paris-worker-1');
  end();
  await taking;
});
