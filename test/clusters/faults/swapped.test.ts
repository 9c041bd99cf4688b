import { copyFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { startTestControlPlane, withControlPlane } from '../../support/clusters/control-plane.ts';
import { TestCluster } from '../../support/source/cluster.ts';
import { service } from '../../support/source/conformance.ts';
import { prepare } from '../../support/source/prepare.ts';
import { record } from '../../support/source/recorder.ts';

const plane = withControlPlane();
let other: ControlPlane;
beforeAll(async () => {
  other = await startTestControlPlane();
  await Promise.all([prepare(plane()), prepare(other)]);
});
afterAll(() => other?.stop());

it('a kubeconfig that is swapped under a running agent mixes nothing, and swapped back it goes on', async () => {
  const cluster = await TestCluster.create(plane(), {
    kinds: ['Service'],
    timing: { identityMs: 500, watchSeconds: 5 },
  });
  try {
    await cluster.apply(service('ours'));
    const seen = record(cluster.source);
    await seen.live();
    const strange = { ...service('strange').metadata, labels: { 'tideline-test': cluster.label } };
    await other.apply({ ...service('strange'), metadata: strange });
    const selected = ['get', 'services', '-n', 'video', '-l', `tideline-test=${cluster.label}`, '-o', 'name'];
    expect(await other.kubectl(selected)).toBe('service/strange\n');
    const ours = `${cluster.kubeconfig}.ours`;
    await copyFile(cluster.kubeconfig, ours);
    const theirs = await other.kubeconfigFor({ user: 'agent-elsewhere', groups: ['system:masters'] });
    await copyFile(theirs, cluster.kubeconfig);
    await seen.stale('SourceOfOtherCluster');
    // Longer than every watch that was open at the old cluster lasts.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(seen.changes.flatMap(({ state }) => [...state.objects.Service.keys()])).not.toContain('video/strange');
    expect(seen.keys('Service')).toEqual(['video/ours']);
    await copyFile(ours, cluster.kubeconfig);
    await seen.live();
    await cluster.apply(service('next'));
    await seen.until('the next change', () => seen.keys('Service').join() === 'video/next,video/ours');
  } finally {
    await cluster.end();
  }
});
