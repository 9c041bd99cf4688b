import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabStatus } from '../../lab/observe/status.ts';
import { LabProcess, lab } from '../integration/lab/labprocess.ts';
import { eventually } from '../support/eventually.ts';
import { atMost, type Bench, figure } from './support/row.ts';
import { median } from './support/statistics.ts';

const starts = 2;

/**
 * Measures `tideline lab up` with the compiled modules of an earlier start, from the command to the first request that a client
 * got served.
 */
export const labStart: Bench = {
  name: 'lab',
  async run(reportProgress) {
    const folder = await mkdtemp('/tmp/tl-bench-');
    const state = join(folder, 's');
    try {
      reportProgress('a first start, which compiles');
      const first = await startOnce(state);
      const served: number[] = [];
      const countries: number[] = [];
      const memory: number[] = [];
      const processor: number[] = [];
      for (let run = 1; run <= starts; run += 1) {
        reportProgress(`warm start ${run} of ${starts}`);
        const once = await startOnce(state);
        served.push(once.firstServedSeconds);
        countries.push(once.everyCountrySeconds);
        memory.push(once.memoryGiB);
        processor.push(once.processorSeconds);
      }
      return [
        atMost('lab: warm start to the first served request', median(served), 20, 's'),
        { what: 'lab: warm start until every country is served', measured: figure(median(countries), 's') },
        {
          what: 'lab: the first start of a checkout until the first request',
          measured: figure(first.firstServedSeconds, 's'),
        },
        {
          what: 'lab: processor time of all its programs until then (half of it is the least that two cores allow)',
          measured: figure(median(processor), 's'),
        },
        atMost('lab: memory of everything (sum of PSS)', median(memory), 3, 'GiB'),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Once {
  readonly firstServedSeconds: number;
  readonly everyCountrySeconds: number;
  readonly memoryGiB: number;
  readonly processorSeconds: number;
}

async function startOnce(state: string): Promise<Once> {
  const begin = performance.now();
  const process = new LabProcess(state);
  try {
    await process.waitForOutput(/\d s {2}\S/, 30_000);
    const untilProgressMs = performance.now() - begin;
    await process.waitForOutput(/every country is served/, 120_000);
    const everyCountrySeconds = (performance.now() - begin) / 1000;
    const firstProgressMs = Number(/([\d.]+) s {2}\S/.exec(process.output)?.[1]) * 1000;
    const { firstServedAfterMs, memory } = await eventually('the lab says its status', () => statusOf(state), {
      timeoutMs: 20_000,
      everyMs: 20,
    });
    await lab('down', '--state', state);
    await process.exitCode(20_000);
    return {
      firstServedSeconds: (untilProgressMs - firstProgressMs + (firstServedAfterMs ?? Number.NaN)) / 1000,
      everyCountrySeconds,
      memoryGiB: (memory?.totalMiB ?? Number.NaN) / 1024,
      processorSeconds: (memory?.programs ?? []).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    };
  } finally {
    process.destroy();
  }
}

async function statusOf(state: string): Promise<LabStatus | undefined> {
  const { code, stdout } = await lab('status', '--json', '--memory', '--state', state);
  return code === 0 ? (JSON.parse(stdout) as LabStatus) : undefined;
}
