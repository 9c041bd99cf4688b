import { mkdir } from 'node:fs/promises';
import { endWithUs } from './test/children.ts';
import { keepDurations, type Project, stepsOf } from './test/files.ts';
import { inLanes } from './test/lanes.ts';
import { failureList } from './test/report.ts';
import { type Result, reports, run, type Step, vitest } from './test/step.ts';
import { type Settled, settle } from './test/unsteady.ts';

/**
 * `make test`: the static checks, the unit tests, then the tests against real daemons and real Kubernetes control planes, each
 * file inside namespaces of its own. `--only PART` runs one part.
 * Everything runs even when something fails before it. The last lines are what failed, and `N passed, N failed`: CI reads it.
 */
const parts = ['lint', 'unit', 'integration', 'clusters'] as const;
type Part = (typeof parts)[number];

const bin = (name: string): string => `node_modules/.bin/${name}`;
const checks: readonly Step[] = [
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'dead code', command: [bin('knip'), '--no-progress'] },
  { name: 'directions', command: [bin('depcruise'), 'src', 'lab', '--config', '.dependency-cruiser.cjs'] },
  { name: 'format', command: [bin('biome'), 'ci', '.'] },
];

/** Daemons wait more than they work, and control planes work when they start: more lanes than processors. */
const lanes = 4;

async function runParts(wanted: readonly Part[]): Promise<Settled> {
  const results: Result[] = [];
  if (wanted.includes('lint')) results.push(...(await inLanes(checks, 2, (step) => run(step, 'kept'))));
  if (wanted.includes('unit')) results.push(await run(vitest('unit tests', 'unit'), 'shown'));
  const projects: Project[] = [];
  if (wanted.includes('integration')) projects.push('integration');
  if (wanted.includes('clusters')) projects.push('clusters');
  if (projects.length === 0) return { results, unsteady: [] };
  const files = await runFiles(projects);
  return { results: [...results, ...files.results], unsteady: files.unsteady };
}

async function runFiles(projects: readonly Project[]): Promise<Settled> {
  const files = await stepsOf(projects);
  process.stdout.write(`\n== tests against real daemons: ${files.together.length} files, ${lanes} at a time\n`);
  const beside = await inLanes(
    files.together,
    lanes,
    (step) => run(step, 'kept'),
    (running, waiting) => {
      const names = running.map(({ name }) => name.replace(/^test\/(.*)\.test\.ts$/, '$1'));
      process.stdout.write(`   now ${names.join(', ')}; ${waiting} to come\n`);
    },
  );
  const { results, unsteady } = await settle(files.together, beside, (step) => run(step, 'shown'));
  const alone: Result[] = [];
  for (const step of files.alone) alone.push(await run(step, 'shown'));
  const all = [...results, ...alone];
  await keepDurations(all);
  return { results: all, unsteady };
}

const [flag, part] = process.argv.slice(2);
const wanted = parts.filter((name) => flag === undefined || name === part);
if (wanted.length === 0 || (flag !== undefined && flag !== '--only')) {
  process.stderr.write(`usage: tools/test.ts [--only ${parts.join('|')}]\n`);
  process.exit(2);
}
endWithUs();
await mkdir(reports, { recursive: true });
const { results, unsteady } = await runParts(wanted);
const sum = (of: (result: Result) => number): number => results.reduce((total, result) => total + of(result), 0);
const [passed, failed] = [sum((result) => result.passed), sum((result) => result.failed)];
process.stdout.write(failureList('UNSTEADY: failed beside others, passed alone', unsteady));
process.stdout.write(failureList('FAILED', results));
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
