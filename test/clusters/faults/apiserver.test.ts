import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { withControlPlane } from '../../support/clusters/control-plane.ts';
import { TestCluster } from '../../support/source/cluster.ts';
import { prepare } from '../../support/source/prepare.ts';
import { record } from '../../support/source/recorder.ts';
import { production, Trial } from '../../support/source/trial.ts';
import { writtenKinds } from '../../support/source/writer.ts';

describe('a kube-apiserver that fails', () => {
  const plane = withControlPlane();
  const other = withControlPlane();
  let trial: Trial;
  let patience: Promise<void>;
  beforeAll(async () => {
    await prepare(plane());
    await prepare(other());
    // This test waits for two minutes, so it has a control plane of its own and runs beside the others.
    patience = standStillForTwoMinutes(other());
    patience.catch(() => undefined);
  });
  afterEach(() => trial.end());

  const kill = async (): Promise<void> => {
    plane().signal('kube-apiserver', 'SIGKILL');
    await expect.poll(() => plane().pid('kube-apiserver'), { timeout: 30_000 }).toBeUndefined();
  };

  it('is killed and started again', async () => {
    trial = await Trial.begin(plane());
    await trial.endure(
      async () => {
        await kill();
        await trial.judge.stale('SourceUnreachable');
        await plane().start('kube-apiserver');
      },
      { stale: ['SourceUnreachable'] },
    );
    // A new apiserver has no history in its memory: some watches go on, and some kinds must be listed again, once.
    expect(await trial.cluster.metric('tideline_kube_relists_total')).toBeLessThanOrEqual(6);
  });

  it('is killed ten times in a row, when it has just begun to work or not yet', async () => {
    trial = await Trial.begin(plane());
    await trial.endure(
      async () => {
        for (let round = 0; round < 10; round += 1) {
          await kill();
          const ready = plane().start('kube-apiserver');
          if (round % 3 === 0) await ready;
          // A rejection is expected, because the next round kills the process that is starting.
          else await Promise.race([sleep(300 * round), ready.catch(() => undefined)]);
          ready.catch(() => undefined);
        }
        await plane().start('kube-apiserver');
      },
      { stale: ['SourceUnreachable'] },
    );
  });

  it('stands still with its connections open', async () => {
    trial = await Trial.begin(plane(), { timing: { idleMs: 2000, requestMs: 2000 } });
    await trial.endure(
      async () => {
        plane().signal('kube-apiserver', 'SIGSTOP');
        try {
          await trial.judge.stale('SourceUnreachable');
          await sleep(5000);
        } finally {
          plane().signal('kube-apiserver', 'SIGCONT');
        }
      },
      { stale: ['SourceUnreachable'] },
    );
  });

  it('loses its etcd for a while', async () => {
    trial = await Trial.begin(plane());
    await trial.endure(async () => {
      plane().signal('etcd', 'SIGSTOP');
      try {
        await sleep(3000);
        // A client that connects again now is answered from the apiserver's memory, or not at all.
        await trial.cluster.gate.cut();
        await trial.cluster.gate.restore();
        await sleep(6000);
      } finally {
        plane().signal('etcd', 'SIGCONT');
      }
    });
  });

  it('is new to an agent while its etcd is away: nothing is live, and the reason is told', async () => {
    trial = await Trial.begin(plane());
    const { cluster } = trial;
    plane().signal('etcd', 'SIGSTOP');
    const late = await TestCluster.create(plane(), { kinds: writtenKinds, timing: { requestMs: 1500 } });
    try {
      const seen = record(late.source);
      await seen.until('a reason', () => seen.status?.phase === 'syncing' && seen.status.reason !== undefined);
      expect(seen.changes).toEqual([]);
      expect(cluster.source.status().phase).not.toBe('syncing');
    } finally {
      plane().signal('etcd', 'SIGCONT');
      await late.end();
    }
  });

  it('stands still for two minutes, with the timing of production', async () => {
    await patience;
  });
});

async function standStillForTwoMinutes(plane: ControlPlane): Promise<void> {
  const trial = await Trial.begin(plane, { timing: production });
  try {
    const began = Date.now();
    await trial.endure(
      async () => {
        plane.signal('kube-apiserver', 'SIGSTOP');
        try {
          await trial.judge.stale('SourceUnreachable', 150_000);
          // The watchdog takes 90 s and up to an eighth more, and the source waits five more seconds.
          expect(Date.now() - began).toBeGreaterThan(90_000);
          await sleep(Math.max(0, began + 120_000 - Date.now()));
        } finally {
          plane.signal('kube-apiserver', 'SIGCONT');
        }
      },
      { stale: ['SourceUnreachable'] },
    );
  } finally {
    await trial.end();
  }
}
