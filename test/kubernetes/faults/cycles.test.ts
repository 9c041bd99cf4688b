import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LyingProxy, throughProxy } from '../../support/kube/lying-proxy.ts';
import { prepare } from '../../support/kube/prepare.ts';
import { Trial } from '../../support/kube/trial.ts';
import { withControlPlane } from '../../support/kubernetes/control-plane.ts';

const cycles = 1000;
const allowedMiB = 4;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a thousand faults', () => {
  const plane = withControlPlane();
  let proxy: LyingProxy;
  let trial: Trial;
  beforeAll(async () => {
    await prepare(plane());
    proxy = await LyingProxy.open(plane());
    const kubeconfig = await throughProxy(plane(), proxy);
    trial = await Trial.begin(plane(), { timing: impatient }, async (cluster) => {
      await writeFile(cluster.kubeconfig, kubeconfig);
      await sleep(1500);
    });
  });
  afterAll(async () => {
    await trial.end();
    await proxy.close();
  });

  it('leave nothing behind: neither memory nor connections nor timers', { timeout: 400_000 }, async ({ annotate }) => {
    const expired = `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`;
    let before: Left | undefined;
    await trial.endure(
      async () => {
        await trial.writer.stop();
        for (let cycle = 1; cycle <= cycles; cycle += 1) {
          const goal = proxy.opened + trial.kinds.length;
          if (cycle % 2 === 0) proxy.breakWatches();
          else proxy.inject(expired);
          await reached(() => proxy.opened >= goal && proxy.watches >= trial.kinds.length);
          // What the judge and the metrics remember is not the source's.
          trial.judge.told.length = 0;
          trial.judge.statuses.length = 0;
          if (cycle === cycles / 10) before = await left();
        }
        const after = await left();
        const grownMiB = after.heapMiB - (before?.heapMiB ?? 0);
        await annotate(`${grownMiB.toFixed(2)} MiB more than after the first ${cycles / 10} of ${cycles}`);
        expect(grownMiB).toBeLessThan(allowedMiB);
        expect(after.connections).toBeLessThanOrEqual(trial.kinds.length + 4);
        expect(after.timers).toBeLessThanOrEqual((before?.timers ?? 0) + 3);
        trial.writer.start();
        // Faults begin all the time here.
      },
      { lateMs: Number.POSITIVE_INFINITY },
    );
    expect(await trial.cluster.metric('tideline_kube_relists_total')).toBeGreaterThanOrEqual((cycles / 2) * 3);
  });

  interface Left {
    readonly heapMiB: number;
    readonly connections: number;
    readonly timers: number;
  }

  async function left(): Promise<Left> {
    // What waits for its end of connection or for a finalizer is given the time.
    for (let round = 0; round < 3; round += 1) {
      await sleep(100);
      collect();
    }
    const { heapUsed, external } = process.memoryUsage();
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    return { heapMiB: (heapUsed + external) / 2 ** 20, connections: proxy.open, timers };
  }
});

async function reached(goal: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!goal()) {
    if (performance.now() > deadline) throw new Error('the source did not come back');
    await sleep(2);
  }
}

const impatient = { backoffBaseMs: 1, backoffCapMs: 5, steadyMs: 1 };
