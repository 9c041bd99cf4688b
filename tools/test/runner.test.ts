import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sortLongestFirst } from './files.ts';
import { runInLanes } from './lanes.ts';
import { isForgiven, knownRaces } from './races.ts';
import { countReport, failureList } from './report.ts';
import type { Result, Step } from './step.ts';
import { rerunFailed } from './unsteady.ts';

describe('a report', () => {
  const report = (numPassedTests: number, numTotalTests: number): string =>
    JSON.stringify({ numPassedTests, numTotalTests });

  it.each([
    ['all passed', report(3, 3), 0, { passed: 3, failed: 0 }],
    ['one failed or was skipped', report(2, 3), 1, { passed: 2, failed: 1 }],
    ['a test was skipped, which vitest takes for good', report(2, 3), 0, { passed: 2, failed: 1 }],
    ['the runner failed, no test did', report(3, 3), 1, { passed: 3, failed: 1 }],
    ['no test ran', report(0, 0), 0, { passed: 0, failed: 1 }],
    ['the runner crashed before', '', 139, { passed: 0, failed: 1 }],
    ['the runner crashed while it wrote', '{"numPassed', 139, { passed: 0, failed: 1 }],
  ])('%s', (_, text, code, count) => {
    expect(countReport(text, code)).toEqual({ ...count, failures: [] });
  });
});

describe('the last lines', () => {
  it('name what failed, and why, without its trace', () => {
    const report = JSON.stringify({
      numPassedTests: 1,
      numTotalTests: 3,
      testResults: [
        {
          name: '/t/some.test.ts',
          status: 'failed',
          assertionResults: [
            { fullName: 'good', status: 'passed', failureMessages: [] },
            {
              fullName: 'bad',
              status: 'failed',
              failureMessages: ['Error: 3 is not 4\n    at here\n    at there\n    at nowhere'],
            },
            { fullName: 'left out', status: 'skipped', failureMessages: [] },
          ],
        },
        { name: '/t/broken.test.ts', status: 'failed', message: 'cannot load', assertionResults: [] },
      ],
    });
    const list = failureList('FAILED', [
      { name: 'some', ...countReport(report, 1) },
      { name: 'good', passed: 1, failed: 0, failures: [] },
      { name: 'crashed', ...countReport('', 139) },
    ]);
    expect(list).toBe(`
FAILED
  some
    bad
      Error: 3 is not 4
          at here
          at there
    left out
      skipped
    /t/broken.test.ts
      cannot load
  crashed
    no test was named: see what it wrote, above
`);
    expect(failureList('FAILED', [])).toBe('');
  });
});

describe('a file that failed beside others', () => {
  const step = (name: string): Step => ({ name, part: 'integration', command: [] });
  const result = (name: string, failed: number): Result => ({
    name,
    part: 'integration',
    seconds: 1,
    processorSeconds: 1,
    passed: 1,
    failed,
    failures: [],
  });
  const names = ['a', 'b', 'c', 'd', 'e'];
  const settled = async (bad: readonly string[], stillBad: readonly string[], forgiven = true) => {
    const again: string[] = [];
    const first = names.map((name) => result(name, bad.includes(name) ? 2 : 0));
    const act = async ({ name }: Step): Promise<Result> => {
      again.push(name);
      return result(name, stillBad.includes(name) ? 1 : 0);
    };
    const { results, unsteady } = await rerunFailed(names.map(step), first, act, () => forgiven);
    const failed = results.filter((one) => one.failed > 0).map((one) => one.name);
    return { again, failed, unsteady: unsteady.map((one) => one.name) };
  };

  it('runs once more alone: it passes and is named, or it has failed', async () => {
    expect(await settled([], [])).toEqual({ again: [], failed: [], unsteady: [] });
    expect(await settled(['b', 'd'], ['d'])).toEqual({ again: ['b', 'd'], failed: ['d'], unsteady: ['b'] });
  });

  it('has failed when it is not forgiven, and is named nevertheless', async () => {
    expect(await settled(['b', 'd'], ['d'], false)).toEqual({
      again: ['b', 'd'],
      failed: ['b', 'd'],
      unsteady: ['b'],
    });
  });

  it('is forgiven in CI only when each test that failed is a known race', () => {
    const races = ['one', 'two'].map((test) => ({ step: 'a', test, cause: 'x waits for y' }));
    const failing = (name: string, ...tests: readonly string[]): Result => ({
      ...result(name, Math.max(1, tests.length)),
      failures: tests.map((test) => ({ test, why: 'late' })),
    });
    const inCi = (first: Result): boolean => isForgiven(first, races, true);
    expect([failing('a', 'one'), failing('a', 'one', 'two')].map(inCi)).toEqual([true, true]);
    expect([failing('a', 'one', 'three'), failing('b', 'one'), failing('a')].map(inCi)).toEqual([false, false, false]);
    expect(isForgiven(failing('a', 'three'), [], false)).toBe(true);
  });

  it('is a known race only with a file that exists and a cause', () => {
    for (const { step: file, cause } of knownRaces) {
      expect(existsSync(join(import.meta.dirname, '../..', file))).toBe(true);
      expect(cause.split(' ').length).toBeGreaterThan(5);
    }
  });

  it('does not run again among more than three: that is not chance', async () => {
    expect(await settled(['a', 'b', 'c', 'd'], [])).toEqual({ again: [], failed: ['a', 'b', 'c', 'd'], unsteady: [] });
  });
});

describe('lanes', () => {
  it('do all, in order, never more than so many at once', async () => {
    let now = 0;
    let most = 0;
    const begun: number[] = [];
    const told: string[] = [];
    const act = async (one: number): Promise<number> => {
      begun.push(one);
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return one * 2;
    };
    const results = await runInLanes([1, 2, 3, 4, 5], 2, act, {
      now: (running, waiting) => told.push(`${running.join(' ')}; ${waiting}`),
    });
    expect({ begun, most, results: results.toSorted((a, b) => a - b) }).toEqual({
      begun: [1, 2, 3, 4, 5],
      most: 2,
      results: [2, 4, 6, 8, 10],
    });
    expect(told[0]).toBe('1 2; 3');
    expect(told.at(-1)).toMatch(/^[45]; 0$/);
  });

  it('are more while there is power to spare', async () => {
    const end: (() => void)[] = [];
    const act = (one: number): Promise<number> => new Promise((resolve) => end.push(() => resolve(one)));
    const answers = [true, false, true];
    const spare = async (): Promise<boolean> => {
      await new Promise((resolve) => setImmediate(resolve));
      return answers.shift() ?? false;
    };
    const all = runInLanes([1, 2, 3, 4, 5, 6], 2, act, { spare });
    await expect.poll(() => answers.length).toBe(0);
    await expect.poll(() => end.length).toBe(4);
    // A step that ran beside the lanes is not followed by another.
    end[2]?.();
    end[3]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(end).toHaveLength(4);
    for (let done = 0; done < end.length; done += 1) {
      end[done]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await all).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('begin with what took longest, and guess by the size of what never ran', () => {
    const file = (name: string, bytes: number) => ({ file: name, project: 'clusters', bytes }) as const;
    const files = [file('short', 9000), file('new', 5000), file('long', 10)];
    expect(sortLongestFirst(files, { short: 2, long: 100 }).map((one) => one.file)).toEqual(['long', 'new', 'short']);
  });
});

describe('what runs', () => {
  const runs = (mark: string): boolean =>
    readdirSync('/proc').some((id) => {
      try {
        return /^\d+$/.test(id) && readFileSync(`/proc/${id}/cmdline`, 'utf8').startsWith(`sleep\0${mark}\0`);
      } catch {
        return false; // The process ended while it was read.
      }
    });
  const until = async (what: () => boolean): Promise<void> => {
    await expect.poll(what, { timeout: 20_000 }).toBe(true);
  };

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)('ends with us by %s', async (signal) => {
    const mark = `1000.${process.pid}${Math.floor(Math.random() * 1e6)}`;
    const script = `import { killChildrenOnSignal, execute } from ${JSON.stringify(join(import.meta.dirname, 'children.ts'))};
      import { withIdlePriority } from ${JSON.stringify(join(import.meta.dirname, 'timed.ts'))};
      killChildrenOnSignal();
      const isolated = ['tools/isolated', 'sleep', '${mark}'];
      const quiet = withIdlePriority({ name: '', part: 'clusters', command: isolated }).command;
      await Promise.all([execute(isolated, 'kept'), execute(quiet, 'kept'), execute(['sleep', '${mark}'], 'shown')]);`;
    const us = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    try {
      await until(() => runs(mark));
    } finally {
      us.kill(signal);
    }
    await once(us, 'close');
    await until(() => !runs(mark));
  });
});
