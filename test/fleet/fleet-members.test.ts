import { describe, expect, test } from 'vitest';
import type { FleetShape } from '../../lab/fleet/spec.ts';
import { withBootedCluster } from '../support/booted-cluster.ts';
import { votersBy } from '../support/etcd-voters.ts';
import { lost, type SteadyReport, said, startAsking } from '../support/steady.ts';

/** Servers are replaced, leave and come, by `tideline fleet` and a Salt master, while somebody asks the API through its VIP. */
const shape: FleetShape = { masters: 3, workers: 2, kubeconfig: '../paris.kubeconfig' };
const cluster = withBootedCluster(shape);
const nodes = async (): Promise<readonly string[]> =>
  (await cluster().admin.kubectl(['get', 'nodes', '-o', 'name'])).trim().split('\n');
const nothingChanges = async (): Promise<void> =>
  expect((await cluster().operator.plan()).printed).toContain('nothing changes');

/** Does one task, says how long it took, and expects that the API answered all the while. */
async function watched(...words: readonly string[]): Promise<void> {
  const end = startAsking(cluster());
  let report: SteadyReport | undefined;
  try {
    const { plan, done, seconds } = await cluster().doing(...words);
    cluster().say(`${plan}\n${done}\n${words.join(' ')}: ${seconds.toFixed(1)} s`);
  } finally {
    report = await end();
    cluster().say(`${words.join(' ')}: ${said(report)}`);
  }
  expect(lost(report)).toEqual([]);
}

describe('a cluster on booted servers', () => {
  test('gets a control plane back that is a member of etcd and has lost its disk', async () => {
    const { fleet, operator } = cluster();
    await operator.admit([await fleet.bootEmpty('par-master-2')]);
    await watched('replace', 'par-master-2');
    expect(await votersBy(cluster(), 'par-master-2')).toEqual(['par-master-1', 'par-master-2', 'par-master-3']);
    await nothingChanges();
  });

  test('loses its first control plane, for which another one comes', async () => {
    await cluster().reshape({ ...shape, masters: 4, retired: ['par-master-1'] });
    await watched('remove', 'par-master-1');
    expect(await votersBy(cluster(), 'par-master-4')).toEqual(['par-master-2', 'par-master-3', 'par-master-4']);
    await nothingChanges();
  });

  test('has no Node of a worker that left, and one of a worker that came', async () => {
    const next = { ...shape, masters: 4, retired: ['par-master-1', 'par-worker-2'] };
    await cluster().reshape(next);
    await watched('remove', 'par-worker-2');
    expect(await nodes()).toEqual(['node/par-worker-1']);
    await cluster().reshape({ ...next, workers: 3 });
    await watched('add', 'par-worker-3');
    expect(await nodes()).toEqual(['node/par-worker-1', 'node/par-worker-3']);
    await nothingChanges();
  });
});
