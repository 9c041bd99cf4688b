import { glob, readFile, stat, writeFile } from 'node:fs/promises';
import { type Result, reports, type Step, vitest } from './step.ts';

/** The folders under test/ whose files drive real daemons; each is a project of vitest. */
export const projects = ['integration', 'clusters'] as const;
export type Project = (typeof projects)[number];

/** Files that judge second by second what users or operators see: beside them run only steps of idle priority (`runTimed`). */
const timed = [
  'test/clusters/demo.test.ts',
  'test/integration/demo/demo.test.ts',
  'test/integration/lab/why.test.ts',
  'test/integration/lab/lab.test.ts',
];

/**
 * Files that do not depend on time: they passed on a machine that gave them a tenth of the processor time that they asked for.
 * None of them makes networks, for which the kernel has a single lock. They begin beside the timed files in this order.
 */
const timeInsensitive: readonly string[] = [
  'test/clusters/faults/cycles.test.ts',
  'test/clusters/faults/garbage.test.ts',
  'test/clusters/crds.test.ts',
  'test/clusters/rbac.test.ts',
  'test/clusters/check-cluster.test.ts',
  'test/clusters/faults/storage.test.ts',
];

/** Files that take longer than their size says, with their seconds. The first run in a checkout orders them by these. */
const secondsOfFirstRun: Readonly<Record<string, number>> = {
  'test/integration/lab/why.test.ts': 330,
  'test/clusters/rbac.test.ts': 300,
  'test/clusters/faults/cycles.test.ts': 260,
  'test/clusters/check-cluster.test.ts': 225,
  'test/clusters/faults/storage.test.ts': 225,
  'test/clusters/faults/history.test.ts': 140,
  'test/integration/systemd/servers.test.ts': 200,
  'test/clusters/faults/scale.test.ts': 180,
  'test/integration/network/agent.test.ts': 160,
  'test/clusters/faults/apiserver.test.ts': 160,
  'test/integration/readme/readme.test.ts': 150,
  'test/integration/lab/lab.test.ts': 145,
  'test/integration/bgp/failures.test.ts': 135,
  'test/integration/bgp/sessions.test.ts': 115,
  'test/clusters/faults/credentials.test.ts': 115,
  'test/clusters/faults/network.test.ts': 100,
  'test/integration/lab/box.test.ts': 100,
  'test/integration/bgp/hung.test.ts': 95,
  'test/clusters/faults/garbage.test.ts': 95,
  'test/integration/dataplane/killed.test.ts': 90,
  'test/integration/network/last-good.test.ts': 90,
  'test/integration/edge/blades.test.ts': 75,
  'test/integration/bgp/routers.test.ts': 70,
  'test/integration/demo/terminal.test.ts': 70,
  'test/integration/steering/route53.test.ts': 55,
  'test/integration/bgp/yield.test.ts': 45,
  'test/integration/steering/powerdns.test.ts': 45,
  'test/clusters/faults/swapped.test.ts': 45,
  'test/integration/bgp/clock.test.ts': 40,
  'test/integration/edge/frr.test.ts': 35,
  'test/integration/network/frr.test.ts': 30,
  'test/integration/bgp/uplinks.test.ts': 30,
};

const durations = `${reports}/seconds.json`;

export interface Files {
  readonly timed: readonly Step[];
  /** Files that may run beside the timed ones, on the processor time that these leave. */
  readonly timeInsensitive: readonly Step[];
  readonly others: readonly Step[];
}

/** A step for each file, in namespaces of its own, so that several can run at once. The longest come first. */
export async function testSteps(projects: readonly Project[]): Promise<Files> {
  const files: TestFile[] = [];
  for (const project of projects)
    for await (const file of glob(`test/${project}/**/*.test.ts`))
      files.push({ file, project, bytes: (await stat(file)).size });
  expectNamedFiles(files, projects);
  const steps = sortLongestFirst(files, await lastSeconds()).map(({ file, project }) =>
    vitest(file, timed.includes(file) ? 'timed' : project, project, file, ['tools/isolated']),
  );
  const isTimed = ({ part }: Step): boolean => part === 'timed';
  const isTimeInsensitive = ({ name }: Step): boolean => timeInsensitive.includes(name);
  return {
    timed: steps.filter(isTimed),
    timeInsensitive: steps.filter((step) => isTimeInsensitive(step)),
    others: steps.filter((step) => !isTimed(step) && !isTimeInsensitive(step)),
  };
}

/** Throws when a list of this file names one that is not there: it was renamed, and its new name is in no list. */
function expectNamedFiles(files: readonly TestFile[], projects: readonly Project[]): void {
  const there = new Set(files.map(({ file }) => file));
  const named = [...timed, ...timeInsensitive, ...Object.keys(secondsOfFirstRun)];
  const gone = named.filter(
    (name) => projects.some((project) => name.startsWith(`test/${project}/`)) && !there.has(name),
  );
  if (gone.length > 0) throw new Error(`tools/test/files.ts names files that are not there: ${gone.join(', ')}`);
}

export interface TestFile {
  readonly file: string;
  readonly project: Project;
  readonly bytes: number;
}

/** Sorts files by the seconds of their last run; a file without one is guessed by its size. */
export function sortLongestFirst(
  files: readonly TestFile[],
  seconds: Readonly<Record<string, number>>,
): readonly TestFile[] {
  const bytesASecond = { integration: 400, clusters: 100 } as const;
  const guess = ({ file, project, bytes }: TestFile): number =>
    seconds[file] ?? secondsOfFirstRun[file] ?? bytes / bytesASecond[project];
  return files.toSorted((a, b) => guess(b) - guess(a));
}

async function lastSeconds(): Promise<Readonly<Record<string, number>>> {
  try {
    return JSON.parse(await readFile(durations, 'utf8')) as Record<string, number>;
  } catch {
    return {}; // This is the first run, or the last one was killed while it wrote.
  }
}

/** Saves how long each file took, for the order of the next run. */
export async function saveDurations(results: readonly Result[]): Promise<void> {
  const latest = Object.fromEntries(results.map(({ name, seconds }) => [name, seconds]));
  await writeFile(durations, `${JSON.stringify({ ...(await lastSeconds()), ...latest }, null, 2)}\n`);
}
