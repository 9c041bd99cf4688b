import { expect, test } from 'vitest';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { findingsOf } from './findings.ts';
import type { Target } from './snapshot.ts';
import { takeSnapshot } from './take.ts';
import type { Worker } from './targets.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);

async function taken(workersOf: (cluster: string) => Promise<readonly Worker[] | undefined>) {
  const asked: string[] = [];
  const ask = (target: Target) => {
    asked.push(`${target.plane} ${target.server} ${target.site}`);
    return Promise.resolve({ target, problem: 'cannot be reached' });
  };
  const snapshot = await takeSnapshot({ platform, ask, workersOf, now: () => Date.UTC(2026, 10, 27) });
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
    { name: 'paris', unplaced: ['elsewhere', 'nowhere'] },
    { name: 'newyork', problem: 'Forbidden' },
    { name: 'cloud' },
  ]);
  const { snapshot: empty } = await taken(() => Promise.resolve([]));
  expect(empty.clusters).toContainEqual({ name: 'paris', problem: 'it lists no Node' });
  expect(findingsOf(empty)[0]).toMatchObject({ severity: 'unknown' });
});
