import { mkdir } from 'node:fs/promises';
import { endWithUs } from './test/children.ts';
import { keepDurations, type Project, stepsOf } from './test/files.ts';
import { inLanes } from './test/lanes.ts';
import { type Count, reports, run, type Step, vitest } from './test/step.ts';

/**
 * `make test`: the static checks, the unit tests, then the tests against real daemons and real Kubernetes control planes, each
 * file inside namespaces of its own. `--only PART` runs one part.
 * Everything runs even when something fails before it. The last line is `N passed, N failed`: CI reads it.
 */
const parts = ['lint', 'unit', 'integration', 'clusters'] as const;
type Part = (typeof parts)[number];

const bin = (name: string): string => `node_modules/.bin/${name}`;
const checks: readonly Step[] = [
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'dead code', command: [bin('knip'), '--no-progress'] },
  { name: 'directions', command: [bin('depcruise'), 'src', '--config', '.dependency-cruiser.cjs'] },
  { name: 'format', command: [bin('biome'), 'ci', '.'] },
];

/** Daemons wait more than they work, and control planes work when they start: more lanes than processors. */
const lanes = 4;

async function runParts(wanted: readonly Part[]): Promise<readonly Count[]> {
  const counts: Count[] = [];
  if (wanted.includes('lint')) counts.push(...(await inLanes(checks, 2, (step) => run(step, 'kept'))));
  if (wanted.includes('unit')) counts.push(await run(vitest('unit tests', 'unit'), 'shown'));
  const projects: Project[] = [];
  if (wanted.includes('integration')) projects.push('integration');
  if (wanted.includes('clusters')) projects.push('kubernetes');
  if (projects.length > 0) counts.push(...(await runFiles(projects)));
  return counts;
}

async function runFiles(projects: readonly Project[]): Promise<readonly Count[]> {
  const files = await stepsOf(projects);
  process.stdout.write(`\n== tests against real daemons: ${files.together.length} files, ${lanes} at a time\n`);
  const results = [
    ...(await inLanes(
      files.together,
      lanes,
      (step) => run(step, 'kept'),
      (running, waiting) => {
        const names = running.map(({ name }) => name.replace(/^test\/(.*)\.test\.ts$/, '$1'));
        process.stdout.write(`   now ${names.join(', ')}; ${waiting} to come\n`);
      },
    )),
  ];
  for (const step of files.alone) results.push(await run(step, 'shown'));
  await keepDurations(results);
  return results;
}

const [flag, part] = process.argv.slice(2);
const wanted = parts.filter((name) => flag === undefined || name === part);
if (wanted.length === 0 || (flag !== undefined && flag !== '--only')) {
  process.stderr.write(`usage: tools/test.ts [--only ${parts.join('|')}]\n`);
  process.exit(2);
}
endWithUs();
await mkdir(reports, { recursive: true });
const counts = await runParts(wanted);
const sum = (of: (count: Count) => number): number => counts.reduce((total, count) => total + of(count), 0);
const [passed, failed] = [sum((count) => count.passed), sum((count) => count.failed)];
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
