import { copyFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { withControlPlane } from '../../support/clusters/control-plane.ts';
import { RawClient } from '../../support/clusters/raw.ts';
import { takeSeat } from '../../support/source/hog.ts';
import { prepare } from '../../support/source/prepare.ts';
import { Trial } from '../../support/source/trial.ts';

const group = 'tideline-test:throttled';
const flowcontrol = 'flowcontrol.apiserver.k8s.io/v1';

describe('a kube-apiserver that has no room for us (API priority and fairness)', () => {
  const plane = withControlPlane();
  let trial: Trial;
  beforeAll(async () => {
    await prepare(plane());
    await plane().apply(reader);
  });
  afterEach(() => trial.end());

  it('is left alone for as long as it asks', async () => {
    trial = await Trial.begin(plane(), {}, async (cluster) => {
      // The user must not be in system:masters, which is exempt.
      const kubeconfig = await plane().kubeconfigFor(
        { user: 'throttled', groups: [group] },
        { server: cluster.gate.url },
      );
      await copyFile(kubeconfig, cluster.kubeconfig);
      await sleep(1500);
    });
    const refusals = async (): Promise<number> =>
      (await plane().audit(({ user, code }) => user === 'throttled' && code === 429)).length;
    let seconds = 0;
    await trial.endure(
      async () => {
        await plane().apply(...rejecting);
        const hogs = await plane().kubeconfigFor({ user: 'hog', groups: [group] });
        const letGo = await takeLastSeat(hogs);
        await trial.cluster.gate.cut();
        await trial.cluster.gate.restore();
        await trial.judge.stale('SourceThrottled', 60_000);
        const before = await refusals();
        const began = performance.now();
        await sleep(8000);
        seconds = (performance.now() - began) / 1000;
        // Retry-After is at least a second for each of the three kinds; our own backoff does not exceed 0.3 s in this test.
        const asked = (await refusals()) - before;
        letGo();
        expect(asked).toBeGreaterThan(0);
        expect(asked / seconds).toBeLessThanOrEqual(3.5);
        await plane().kubectl(['delete', 'flowschema,prioritylevelconfiguration', 'tideline-test-no-room']);
      },
      { stale: ['SourceThrottled'], lateMs: 60_000 },
    );
  });
});

/**
 * Takes a seat, and takes another one until other requests are refused: the apiserver applies a new level some time after it
 * was made, and a seat that is taken before that belongs to another level.
 */
async function takeLastSeat(kubeconfig: string): Promise<() => void> {
  const probe = new RawClient(kubeconfig);
  try {
    for (const deadline = performance.now() + 90_000; performance.now() < deadline; ) {
      const letGo = await takeSeat(kubeconfig);
      for (const patience = performance.now() + 5000; performance.now() < patience; ) {
        await sleep(250);
        if ((await probe.send('GET', '/api/v1/namespaces/video')).status === 429) return letGo;
      }
      letGo();
    }
  } finally {
    await probe.close();
  }
  throw new Error('the apiserver has room for everybody');
}

const reader = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'throttled-reads' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'Group', name: group, apiGroup: 'rbac.authorization.k8s.io' }],
};

/** A priority level for this group with one seat, which is the least that a level can have, and no queue. */
const rejecting = [
  {
    apiVersion: flowcontrol,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'tideline-test-no-room' },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 0,
        lendablePercent: 0,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Reject' },
      },
    },
  },
  {
    apiVersion: flowcontrol,
    kind: 'FlowSchema',
    metadata: { name: 'tideline-test-no-room' },
    spec: {
      priorityLevelConfiguration: { name: 'tideline-test-no-room' },
      matchingPrecedence: 2,
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: group } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
        },
      ],
    },
  },
];
