import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';

/**
 * `make test`: the static checks, the unit tests, then the tests against real daemons and against real Kubernetes
 * control planes, inside namespaces of their own.
 * Everything runs even when something fails before it. The last line is `N passed, N failed`: CI reads it.
 */
interface Step {
  readonly group: 'lint' | 'unit' | 'integration' | 'clusters';
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

function vitest(project: string): readonly string[] {
  const output = `--outputFile.json=${reports}/${project}.json`;
  return [
    node,
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    output,
  ];
}

const steps: readonly Step[] = [
  { group: 'lint', name: 'types', command: [bin('tsc'), '-p', '.'] },
  { group: 'lint', name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { group: 'lint', name: 'format', command: [bin('biome'), 'ci', '.'] },
  { group: 'lint', name: 'directions', command: [bin('depcruise'), 'src', '--config', '.dependency-cruiser.cjs'] },
  { group: 'lint', name: 'dead code', command: [bin('knip'), '--no-progress'] },
  { group: 'unit', name: 'unit tests', command: vitest('unit'), report: `${reports}/unit.json` },
  {
    group: 'integration',
    name: 'integration tests',
    command: ['tools/isolated', ...vitest('integration')],
    report: `${reports}/integration.json`,
  },
  {
    group: 'clusters',
    name: 'tests against real control planes',
    command: ['tools/isolated', ...vitest('kubernetes')],
    report: `${reports}/kubernetes.json`,
  },
];

async function run(step: Step): Promise<Count> {
  const startedAt = performance.now();
  process.stdout.write(`\n== ${step.name}\n`);
  if (step.report !== undefined) await rm(step.report, { force: true });
  const [command, ...args] = step.command;
  const code = await new Promise<number>((resolve) => {
    const child = spawn(command ?? '', args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        PATH: `${process.cwd()}/node_modules/node/bin:${process.env['PATH'] ?? ''}`,
        npm_config_loglevel: 'error',
      },
    });
    child.once('error', (error) => {
      process.stdout.write(`${error.message}\n`);
      resolve(127);
    });
    child.once('exit', (status) => resolve(status ?? 1));
  });
  const count =
    step.report === undefined
      ? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }
      : await readReport(step.report, code);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`== ${step.name}: ${count.passed} passed, ${count.failed} failed (${seconds} s)\n`);
  return count;
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

const only = process.argv[2] === '--only' ? process.argv[3] : undefined;
await mkdir(reports, { recursive: true });
let passed = 0;
let failed = 0;
for (const step of steps.filter(({ group }) => only === undefined || group === only)) {
  const count = await run(step);
  passed += count.passed;
  failed += count.failed;
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
