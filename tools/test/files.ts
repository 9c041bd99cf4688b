import { glob, readFile, stat, writeFile } from 'node:fs/promises';
import { type Result, reports, type Step, vitest } from './step.ts';

/** Folders under test/ whose files drive real daemons. Each is a project of vitest. */
export const projects = ['integration', 'clusters'] as const;
export type Project = (typeof projects)[number];

/** These judge second by second what users see: beside them runs only what gives way to them (`besideDemos`). */
const demos = ['test/clusters/demo.test.ts', 'test/integration/demo/demo.test.ts'];

/**
 * These need processors more than time: they passed on a machine that gave them a tenth of what they asked for. None of them makes
 * networks, whose lock the kernel has only once. In the order to begin beside the demos.
 */
const unhurried: readonly string[] = [
  'test/clusters/check-cluster.test.ts',
  'test/clusters/faults/cycles.test.ts',
  'test/clusters/faults/history.test.ts',
  'test/clusters/faults/garbage.test.ts',
  'test/clusters/crds.test.ts',
];

/** Small files that wait for long, and how many seconds: for the first run in a checkout. */
const patient: Readonly<Record<string, number>> = {
  'test/clusters/rbac.test.ts': 190,
  'test/clusters/faults/scale.test.ts': 175,
  'test/clusters/check-cluster.test.ts': 160,
  'test/clusters/faults/apiserver.test.ts': 155,
  'test/clusters/faults/cycles.test.ts': 145,
  'test/clusters/faults/network.test.ts': 120,
  'test/clusters/faults/credentials.test.ts': 100,
  'test/clusters/faults/history.test.ts': 100,
  'test/clusters/faults/garbage.test.ts': 95,
  'test/integration/network/agent.test.ts': 90,
  'test/integration/systemd/servers.test.ts': 90,
};

const durations = `${reports}/seconds.json`;

export interface Files {
  readonly demos: readonly Step[];
  /** May run beside the demos, on what they leave of the processors. */
  readonly unhurried: readonly Step[];
  readonly others: readonly Step[];
}

/** Each file in namespaces of its own, so that several run at once; in the order to begin: the longest first. */
export async function stepsOf(projects: readonly Project[]): Promise<Files> {
  const files: TestFile[] = [];
  for (const project of projects)
    for await (const file of glob(`test/${project}/**/*.test.ts`))
      files.push({ file, project, bytes: (await stat(file)).size });
  const steps = longestFirst(files, await lastSeconds()).map(({ file, project }) =>
    vitest(file, demos.includes(file) ? 'demos' : project, project, file, ['tools/isolated']),
  );
  const judges = ({ part }: Step): boolean => part === 'demos';
  const waits = ({ name }: Step): boolean => unhurried.includes(name);
  return {
    demos: steps.filter(judges),
    unhurried: steps.filter((step) => waits(step)),
    others: steps.filter((step) => !judges(step) && !waits(step)),
  };
}

export interface TestFile {
  readonly file: string;
  readonly project: Project;
  readonly bytes: number;
}

/** By the seconds of the last run; a file that has none is taken for long when it is large. */
export function longestFirst(
  files: readonly TestFile[],
  seconds: Readonly<Record<string, number>>,
): readonly TestFile[] {
  const bytesASecond = { integration: 400, clusters: 100 } as const;
  const guess = ({ file, project, bytes }: TestFile): number =>
    seconds[file] ?? patient[file] ?? bytes / bytesASecond[project];
  return files.toSorted((a, b) => guess(b) - guess(a));
}

async function lastSeconds(): Promise<Readonly<Record<string, number>>> {
  try {
    return JSON.parse(await readFile(durations, 'utf8')) as Record<string, number>;
  } catch {
    return {}; // The first run, or one that was killed while it wrote.
  }
}

/** For the next run's order. */
export async function keepDurations(results: readonly Result[]): Promise<void> {
  const latest = Object.fromEntries(results.map(({ name, seconds }) => [name, seconds]));
  await writeFile(durations, `${JSON.stringify({ ...(await lastSeconds()), ...latest }, null, 2)}\n`);
}
