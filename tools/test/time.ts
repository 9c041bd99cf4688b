import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { machineTime, type ProcessorTime } from './meter.ts';
import { type Part, parts, type Result, reports } from './step.ts';

/** Where the time of a run went, for the report and for `build/test/time.json`. All times are in seconds. */
export interface TimeSpent {
  readonly processors: number;
  readonly seconds: number;
  /** The processor time of all that we started. */
  readonly processorSeconds: number;
  /** The processor time of everything else on the machine, this runner included. */
  readonly othersSeconds: number;
  readonly idleSeconds: number;
  readonly parts: readonly Spent[];
  /** All files and checks; those that took most processor time come first. */
  readonly steps: readonly (Spent & { readonly part: Part })[];
}

interface Spent {
  readonly name: string;
  readonly seconds: number;
  readonly processorSeconds: number;
}

/**
 * Reads the clock and the machine's processor times now, and resolves with a function that reads them again and gives the time
 * spent between.
 */
export async function startMeasuring(): Promise<(results: readonly Result[]) => Promise<TimeSpent>> {
  const startedAt = performance.now();
  const before = await machineTime();
  return async (results) => {
    const seconds = (performance.now() - startedAt) / 1000;
    return timeSpent(results, seconds, difference(before, await machineTime()), availableParallelism());
  };
}

function difference(before: ProcessorTime, after: ProcessorTime): ProcessorTime {
  return {
    totalSeconds: after.totalSeconds - before.totalSeconds,
    idleSeconds: after.idleSeconds - before.idleSeconds,
  };
}

export function timeSpent(
  results: readonly Result[],
  seconds: number,
  machine: ProcessorTime,
  processors: number,
): TimeSpent {
  const processorSeconds = sum(results, 'processorSeconds');
  const steps = results.map(({ name, part, seconds: wall, processorSeconds: busy }) => ({
    name,
    part,
    seconds: wall,
    processorSeconds: busy,
  }));
  return {
    processors,
    seconds,
    processorSeconds,
    othersSeconds: Math.max(0, machine.totalSeconds - machine.idleSeconds - processorSeconds),
    idleSeconds: machine.idleSeconds,
    parts: parts
      .map((name) => ({ name, of: steps.filter(({ part }) => part === name) }))
      .filter(({ of }) => of.length > 0)
      .map(({ name, of }) => ({ name, seconds: sum(of, 'seconds'), processorSeconds: sum(of, 'processorSeconds') })),
    steps: steps.toSorted((a, b) => b.processorSeconds - a.processorSeconds),
  };
}

const sum = <K extends string>(all: readonly Readonly<Record<K, number>>[], of: K): number =>
  all.reduce((total, one) => total + one[of], 0);

/** The report for people: the sums, and the slowest twenty. */
export function timeReport(spent: TimeSpent): string {
  const { processors, seconds, processorSeconds, othersSeconds, idleSeconds } = spent;
  const share = (some: number): string =>
    `${some.toFixed(0)} s (${((100 * some) / (processors * seconds)).toFixed(0)} %)`;
  const slowest = spent.steps.toSorted((a, b) => b.seconds - a.seconds).slice(0, 20);
  const line = (one: Spent): string =>
    `  ${one.seconds.toFixed(1).padStart(8)} ${one.processorSeconds.toFixed(1).padStart(10)}  ${one.name}`;
  return [
    '',
    `WHERE THE TIME WENT: ${seconds.toFixed(0)} s on ${processors} processors`,
    `  of ${(processors * seconds).toFixed(0)} s of processors: tests ${share(processorSeconds)}, others ${share(othersSeconds)}, idle ${share(idleSeconds)}`,
    '   seconds  processor  part (seconds of what ran beside each other are added up)',
    ...spent.parts.map(line),
    `   seconds  processor  the slowest ${slowest.length}`,
    ...slowest.map(line),
    '',
  ].join('\n');
}

export async function saveTime(spent: TimeSpent): Promise<void> {
  await writeFile(`${reports}/time.json`, `${JSON.stringify(spent, null, 2)}\n`);
}
