import { mkdir } from 'node:fs/promises';
import { killChildrenOnSignal } from './test/children.ts';
import { projects, saveDurations, testSteps } from './test/files.ts';
import { runInLanes } from './test/lanes.ts';
import { machineIsIdle } from './test/meter.ts';
import { isForgiven, knownRaces } from './test/races.ts';
import { failureList } from './test/report.ts';
import { type Result, reports, run, type Step, vitest } from './test/step.ts';
import { saveTime, startMeasuring, timeReport } from './test/time.ts';
import { runTimed } from './test/timed.ts';
import { type RunResults, rerunFailed } from './test/unsteady.ts';

/**
 * `make test`: the static checks, the unit tests, and the tests against real daemons and real Kubernetes control planes, each
 * file inside namespaces of its own. `--only PART` runs one part. The unit tests come first, then what judges by the second (the demos,
 * the lab), and beside it what depends on no clock.
 * Everything runs even when something fails before it. The last lines show where the time went, what failed, and
 * `N passed, N failed`, which CI reads.
 */
const choices = ['lint', 'unit', 'integration', 'clusters'] as const;
type Choice = (typeof choices)[number];

const bin = (name: string): string => `node_modules/.bin/${name}`;
const check = (name: string, ...command: readonly string[]): Step => ({ name, part: 'static checks', command });
const checks: readonly Step[] = [
  check('lint', bin('oxlint'), '--type-aware', '--deny-warnings'),
  check('types', bin('tsc'), '-p', '.'),
  check('dead code', bin('knip'), '--no-progress'),
  // knip runs once more without the tests, because code that only a test uses is dead as well.
  check('dead code but for tests', bin('knip'), '--no-progress', '--production'),
  check('directions', bin('depcruise'), 'src', 'lab', '--config', '.dependency-cruiser.cjs'),
  check('format', bin('biome'), 'ci', '.'),
];

/**
 * There are more lanes than processors, because daemons mostly wait and control planes work at their start; idle processors get
 * more still.
 */
const lanes = 4;

const runKept = (step: Step): Promise<Result> => run(step, 'kept');

async function runAll(wanted: readonly Choice[]): Promise<RunResults> {
  const files = await testSteps(projects.filter((project) => wanted.includes(project)));
  // Alone: some unit tests wait a second for a socket, which at idle priority is not always enough.
  const unit = wanted.includes('unit') ? [await runKept(vitest('unit tests', 'unit tests', 'unit'))] : [];
  const quick: readonly Step[] = wanted.includes('lint') ? checks : [];
  const quiet = [...quick, ...files.timeInsensitive];
  if (files.timed.length > 0)
    process.stdout.write('\n== what judges by the second, and beside it the steps that may wait\n');
  const early = await runTimed(files.timed, quiet, runKept);
  const left = quiet.filter((step) => quick.includes(step));
  const checked = await runInLanes(left, 2, runKept);
  const others = await runFiles(quiet.filter((step) => !quick.includes(step)).concat(files.others));
  const { results, unsteady } = await rerunFailed(
    files.timeInsensitive.concat(files.others),
    [...unit, ...early, ...checked, ...others],
    (step) => run(step, 'shown'),
    (first) => isForgiven(first, knownRaces, ci),
  );
  await saveDurations(results);
  return { results, unsteady };
}

async function runFiles(files: Step[]): Promise<readonly Result[]> {
  if (files.length === 0) return [];
  process.stdout.write(
    `\n== tests against real daemons: ${files.length} files, ${lanes} at a time, more while processors idle\n`,
  );
  const now = (running: readonly Step[], waiting: number): void => {
    const names = running.map(({ name }) => name.replace(/^test\/(.*)\.test\.ts$/, '$1'));
    process.stdout.write(`   now ${names.join(', ')}; ${waiting} to come\n`);
  };
  return runInLanes(files, lanes, runKept, { now, spare: machineIsIdle });
}

/** In CI nobody looks twice: a file that passes only on its second run fails the run (races.ts). */
const ci = !['', 'false', '0'].includes(process.env['CI'] ?? '');

const [flag, part] = process.argv.slice(2);
const wanted = choices.filter((name) => flag === undefined || name === part);
if (wanted.length === 0 || (flag !== undefined && flag !== '--only')) {
  process.stderr.write(`usage: tools/test.ts [--only ${choices.join('|')}]\n`);
  process.exit(2);
}
killChildrenOnSignal();
await mkdir(reports, { recursive: true });
const watch = await startMeasuring();
const { results, unsteady } = await runAll(wanted);
const time = await watch(results);
await saveTime(time);
const sum = (of: (result: Result) => number): number => results.reduce((total, result) => total + of(result), 0);
const [passed, failed] = [sum((result) => result.passed), sum((result) => result.failed)];
process.stdout.write(timeReport(time));
process.stdout.write(
  failureList(`UNSTEADY: failed beside others, passed alone${ci ? '; a failure in CI' : ''}`, unsteady),
);
process.stdout.write(failureList('FAILED', results));
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
