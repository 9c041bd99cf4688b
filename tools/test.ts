import { type ChildProcess, spawn } from 'node:child_process';
import { glob, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';

type Group = 'lint' | 'unit' | 'integration' | 'clusters';

/**
 * `make test`: the static checks, the unit tests, then the tests against real daemons and against real Kubernetes
 * control planes, inside namespaces of their own.
 * Everything runs even when something fails before it. The last line is `N passed, N failed`: CI reads it.
 */
interface Step {
  readonly group: Group;
  readonly name: string;
  readonly command: readonly string[];
  /** vitest's JSON report; a step without one counts as a single test. */
  readonly report?: string;
}

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const node = process.execPath;
const reports = 'build/test';
const bin = (name: string): string => `node_modules/.bin/${name}`;

function vitest(project: string, report: string, ...files: readonly string[]): readonly string[] {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return [node, 'node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters, ...files];
}

const steps: readonly Step[] = [
  { group: 'lint', name: 'types', command: [bin('tsc'), '-p', '.'] },
  { group: 'lint', name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { group: 'lint', name: 'format', command: [bin('biome'), 'ci', '.'] },
  { group: 'lint', name: 'directions', command: [bin('depcruise'), 'src', '--config', '.dependency-cruiser.cjs'] },
  { group: 'lint', name: 'dead code', command: [bin('knip'), '--no-progress'] },
  vitestStep('unit', 'unit tests', 'unit'),
  vitestStep('integration', 'integration tests', 'integration'),
];

function vitestStep(group: Group, name: string, project: string, ...files: readonly string[]): Step {
  const report = `${reports}/${name.replaceAll(/[ /]/g, '-')}.json`;
  const command = vitest(project, report, ...files);
  return { group, name, command: group === 'unit' ? command : ['tools/isolated', ...command], report };
}

/** Each file in namespaces of its own, so that several run at once; the largest first, since it is likely the longest. */
async function clusterSteps(): Promise<readonly Step[]> {
  const files: { readonly file: string; readonly bytes: number }[] = [];
  for await (const file of glob('test/kubernetes/**/*.test.ts')) files.push({ file, bytes: (await stat(file)).size });
  return files
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ file }) => vitestStep('clusters', file, 'kubernetes', file));
}

/** Control planes wait more than they work: more lanes than processors. */
const lanes = 3;
/** Judges what users see second by second, and shares the machine with nobody. */
const alone = 'demo.test.ts';

async function run(step: Step, output: 'shown' | 'kept' = 'shown'): Promise<Count> {
  const startedAt = performance.now();
  if (output === 'shown') process.stdout.write(`\n== ${step.name}\n`);
  if (step.report !== undefined) await rm(step.report, { force: true });
  const { code, text } = await execute(step.command, output);
  const count =
    step.report === undefined
      ? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }
      : await readReport(step.report, code);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (count.failed > 0) process.stdout.write(text);
  process.stdout.write(`== ${step.name}: ${count.passed} passed, ${count.failed} failed (${seconds} s)\n`);
  return count;
}

/** Namespaces end with their first process, which heeds nothing but SIGKILL. */
const running = new Set<ChildProcess>();
for (const signal of ['SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    for (const child of running) child.kill('SIGKILL');
    process.exit(1);
  });

async function execute(
  [command = '', ...args]: readonly string[],
  output: 'shown' | 'kept',
): Promise<{ readonly code: number; readonly text: string }> {
  const child = spawn(command, args, {
    stdio: output === 'shown' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${process.cwd()}/node_modules/node/bin:${process.env['PATH'] ?? ''}`,
      npm_config_loglevel: 'error',
    },
  });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      process.stdout.write(`${error.message}\n`);
      resolve(127);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  running.delete(child);
  return { code, text };
}

/** A runner that failed without naming a failed test (it crashed, or a file did not load) counts as one failure. */
async function readReport(file: string, code: number): Promise<Count> {
  try {
    const report = JSON.parse(await readFile(file, 'utf8')) as {
      readonly numPassedTests: number;
      readonly numFailedTests: number;
      readonly numPendingTests: number;
    };
    const failed = report.numFailedTests + report.numPendingTests;
    return { passed: report.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

async function runInLanes(queue: Step[]): Promise<readonly Count[]> {
  const counts: Count[] = [];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) counts.push(await run(next, 'kept'));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return counts;
}

const only = process.argv[2] === '--only' ? process.argv[3] : undefined;
const wanted = ({ group }: { readonly group: Group }): boolean => only === undefined || group === only;
await mkdir(reports, { recursive: true });
const counts: Count[] = [];
for (const step of steps.filter(wanted)) counts.push(await run(step));
if (wanted({ group: 'clusters' })) {
  const files = await clusterSteps();
  process.stdout.write(`\n== tests against real control planes: ${files.length} files, ${lanes} at a time\n`);
  counts.push(...(await runInLanes(files.filter(({ name }) => basename(name) !== alone))));
  for (const step of files.filter(({ name }) => basename(name) === alone)) counts.push(await run(step));
}
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
