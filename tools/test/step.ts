import { readFile, rm } from 'node:fs/promises';
import { execute, type Output } from './children.ts';
import { type Count, countReport } from './report.ts';

/** The parts by which the time of a run is reported. */
export const parts = ['static checks', 'unit tests', 'integration', 'clusters', 'timed'] as const;
export type Part = (typeof parts)[number];

/** One command of `make test`. */
export interface Step {
  readonly name: string;
  readonly part: Part;
  readonly command: readonly string[];
  /** The file of vitest's JSON report; a step without one counts as a single test. */
  readonly report?: string;
}

export interface Result extends Count {
  readonly name: string;
  readonly part: Part;
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** The folder of the last run's reports and durations. */
export const reports = 'build/test';

/** A step of the tests of a vitest project, or only of one file. `wrap` is a command to run them by. */
export function vitest(name: string, part: Part, project: string, file?: string, wrap: readonly string[] = []): Step {
  const report = `${reports}/${name.replaceAll(/[ /]/g, '-')}.json`;
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const run = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters];
  return { name, part, report, command: [...wrap, ...run, ...(file === undefined ? [] : [file])] };
}

/** Runs a step and prints its result. With `shown` the step's output appears as it comes, with `kept` only when it failed. */
export async function run(step: Step, output: Output): Promise<Result> {
  const { name, part, command, report } = step;
  const startedAt = performance.now();
  if (output === 'shown') process.stdout.write(`\n== ${name}\n`);
  if (report !== undefined) await rm(report, { force: true });
  const { code, text, processorSeconds } = await execute(command, output);
  const count = report === undefined ? countOf(code, text) : countReport(await read(report), code);
  const seconds = (performance.now() - startedAt) / 1000;
  if (count.failed > 0) process.stdout.write(text);
  process.stdout.write(
    `== ${name}: ${count.passed} passed, ${count.failed} failed (${costText({ seconds, processorSeconds })})\n`,
  );
  return { name, part, seconds, processorSeconds, ...count };
}

/** The text of how long something took, and how much processor time. */
export function costText({ seconds, processorSeconds }: Pick<Result, 'seconds' | 'processorSeconds'>): string {
  return `${seconds.toFixed(1)} s, processor ${processorSeconds.toFixed(1)} s`;
}

const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

function countOf(code: number, text: string): Count {
  if (code === 0) return { passed: 1, failed: 0, failures: [] };
  const why = text.trimEnd().split('\n').slice(-12).join('\n');
  return { passed: 0, failed: 1, failures: [{ test: `exit code ${code}`, why }] };
}
