import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withControlPlane } from '../../support/clusters/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { LyingProxy, throughProxy } from '../../support/source/lying-proxy.ts';
import { prepare } from '../../support/source/prepare.ts';
import { Trial } from '../../support/source/trial.ts';

/**
 * How often each fault is repeated. With TIDELINE_CYCLES=1000 this takes some ten minutes; docs/benchmarks.md has the
 * figures.
 */
const cycles = Number(process.env['TIDELINE_CYCLES'] ?? 160);
const allowedMiB = 4;

interface Fault {
  readonly name: string;
  /** The cause for which everything is listed again; absent when the watches go on from where they were. */
  readonly relists?: 'expired' | 'garbage';
  /** Makes the fault happen once on every watch. */
  readonly strike: (proxy: LyingProxy, watches: number) => void;
}

const expired = `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`;

const faults: readonly Fault[] = [
  { name: 'the connection breaks', strike: (proxy) => proxy.breakWatches() },
  { name: 'the watch ends', strike: (proxy) => proxy.endWatches() },
  { name: 'the version is gone (410)', relists: 'expired', strike: (proxy) => proxy.inject(expired) },
  { name: 'garbage', relists: 'garbage', strike: (proxy) => proxy.inject('{"type":}\n') },
  { name: 'too many requests (429)', strike: refusing(429, { 'retry-after': '0' }) },
  { name: 'an expired token (401)', strike: refusing(401, {}) },
  { name: 'a failing server (503)', strike: refusing(503, {}) },
];

/** Ends the watches, and refuses as many requests before it lets requests through again. */
function refusing(code: number, headers: Readonly<Record<string, string>>): Fault['strike'] {
  return (proxy, watches) => {
    let left = watches;
    proxy.lie = ({ response }) => {
      if (left === 0) return false;
      left -= 1;
      response.writeHead(code, headers).end();
      return true;
    };
    proxy.endWatches();
  };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a fault, again and again', () => {
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

  it.each(faults)(
    '$name: nothing is left behind, neither memory nor connections nor timers',
    async (fault) => {
      const listed = (): Promise<number> =>
        trial.cluster.metric('tideline_kube_relists_total', { cause: fault.relists ?? '' });
      const listedBefore = fault.relists === undefined ? 0 : await listed();
      await trial.endure(
        async () => {
          await trial.writer.stop();
          let before: Left | undefined;
          for (let cycle = 1; cycle <= cycles; cycle += 1) {
            const goal = proxy.opened + trial.kinds.length;
            fault.strike(proxy, trial.kinds.length);
            await reached(() => proxy.opened >= goal && proxy.watches >= trial.kinds.length);
            // The records of the judge are dropped, so that they do not count as memory of the source.
            trial.judge.told.length = 0;
            trial.judge.statuses.length = 0;
            if (cycle === Math.ceil(cycles / 10)) before = await left();
          }
          const after = await left();
          const grownMiB = after.heapMiB - (before?.heapMiB ?? 0);
          console.log(
            `${fault.name}: ${grownMiB.toFixed(2)} MiB more after ${cycles} times than after a tenth of them`,
          );
          expect(grownMiB).toBeLessThan(allowedMiB);
          expect(after.connections).toBeLessThanOrEqual(trial.kinds.length + 4);
          expect(after.timers).toBeLessThanOrEqual((before?.timers ?? 0) + 3);
          trial.writer.start();
        },
        // A limit makes no sense here, because faults begin all the time.
        { lateMs: Number.POSITIVE_INFINITY },
      );
      if (fault.relists !== undefined)
        expect(await listed()).toBeGreaterThanOrEqual(listedBefore + cycles * trial.kinds.length);
    },
    60_000 + cycles * 1000,
  );

  interface Left {
    readonly heapMiB: number;
    readonly connections: number;
    readonly timers: number;
  }

  async function left(): Promise<Left> {
    // Several rounds give connections time to end, and finalizers time to run.
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
  await eventually('the source is back', goal, { timeoutMs: 60_000, everyMs: 2, onError: 'fail' });
}

const impatient = { backoffFirstMs: 2, backoffCeilingMs: 5, steadyMs: 1 };
