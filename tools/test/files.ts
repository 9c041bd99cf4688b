import { glob, readFile, stat, writeFile } from 'node:fs/promises';
import { type Result, reports, type Step, vitest } from './step.ts';

/** Folders under test/ whose files drive real daemons. Each is a project of vitest. */
export type Project = 'integration' | 'clusters';

/** These judge second by second what users see, and share the machine with nobody. */
const alone = ['test/integration/demo/demo.test.ts', 'test/clusters/demo.test.ts'];

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

/** Each file in namespaces of its own, so that several run at once. `together` is in the order to begin: the longest first. */
export async function stepsOf(
  projects: readonly Project[],
): Promise<{ readonly together: readonly Step[]; readonly alone: readonly Step[] }> {
  const files: TestFile[] = [];
  for (const project of projects)
    for await (const file of glob(`test/${project}/**/*.test.ts`))
      files.push({ file, project, bytes: (await stat(file)).size });
  const steps = longestFirst(files, await lastDurations()).map(({ file, project }) =>
    vitest(file, project, file, ['tools/isolated']),
  );
  return {
    together: steps.filter(({ name }) => !alone.includes(name)),
    alone: steps.filter(({ name }) => alone.includes(name)),
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

async function lastDurations(): Promise<Readonly<Record<string, number>>> {
  try {
    return JSON.parse(await readFile(durations, 'utf8')) as Record<string, number>;
  } catch {
    return {}; // The first run, or one that was killed while it wrote.
  }
}

/** For the next run's order. */
export async function keepDurations(results: readonly Result[]): Promise<void> {
  const latest = Object.fromEntries(results.map(({ name, seconds }) => [name, seconds]));
  await writeFile(durations, `${JSON.stringify({ ...(await lastDurations()), ...latest }, null, 2)}\n`);
}
