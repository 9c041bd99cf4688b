import { expect, it } from 'vitest';
import type { Part, Result } from './step.ts';
import { timeReport, timeSpent } from './time.ts';

const result = (name: string, part: Part, seconds: number, processorSeconds: number): Result => ({
  name,
  part,
  seconds,
  processorSeconds,
  passed: 1,
  failed: 0,
  failures: [],
});

it('says how much of the processors a run used, part by part, and which files took longest', () => {
  const results = [
    result('lint', 'static checks', 10, 15),
    result('test/clusters/waits.test.ts', 'clusters', 120, 20),
    result('test/clusters/works.test.ts', 'clusters', 60, 90.04),
  ];
  const spent = timeSpent(results, 150, { totalSeconds: 300, idleSeconds: 120 }, 2);
  expect(spent.steps.map(({ name }) => name)).toEqual([
    'test/clusters/works.test.ts',
    'test/clusters/waits.test.ts',
    'lint',
  ]);
  expect(timeReport(spent)).toBe(`
WHERE THE TIME WENT: 150 s on 2 processors
  of 300 s of processors: tests 125 s (42 %), others 55 s (18 %), idle 120 s (40 %)
   seconds  processor  part (seconds of what ran beside each other are added up)
      10.0       15.0  static checks
     180.0      110.0  clusters
   seconds  processor  the slowest 3
     120.0       20.0  test/clusters/waits.test.ts
      60.0       90.0  test/clusters/works.test.ts
      10.0       15.0  lint
`);
});

it('names twenty of more', () => {
  const results = Array.from({ length: 50 }, (_, index) => result(`file-${index}`, 'integration', index, 1));
  const spent = timeSpent(results, 1000, { totalSeconds: 2000, idleSeconds: 0 }, 2);
  expect(spent.steps).toHaveLength(50);
  const lines = timeReport(spent).split('\n');
  expect(lines.filter((line) => line.includes('file-'))).toHaveLength(20);
  expect(lines.some((line) => line.endsWith('file-49'))).toBe(true);
  expect(lines.some((line) => line.endsWith('file-29'))).toBe(false);
});
