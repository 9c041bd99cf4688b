import { readdir, readFile } from 'node:fs/promises';

export interface MemoryUse {
  /** The sum of the proportional set sizes of all processes of the box, in MiB. */
  readonly totalMiB: number;
  readonly processes: number;
  /** The use of each program, the largest first; processor time includes that of children that have ended. */
  readonly programs: readonly {
    readonly program: string;
    readonly processes: number;
    readonly mib: number;
    readonly cpuSeconds: number;
  }[];
}

/** Measures the proportional memory of every process in this process namespace: the whole lab, this process included. */
export async function memoryUse(): Promise<MemoryUse> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(pids.map(memoryOf));
  const present = seen.filter((one) => one !== undefined);
  const programs = [...Map.groupBy(present, (one) => one.program)]
    .map(([program, ones]) => ({ program, processes: ones.length, mib: mib(ones), cpuSeconds: cpuSeconds(ones) }))
    .toSorted((a, b) => b.mib - a.mib);
  return { totalMiB: mib(present), processes: present.length, programs };
}

function mib(ones: readonly { readonly kib: number }[]): number {
  return Math.round(ones.reduce((sum, one) => sum + one.kib, 0) / 102.4) / 10;
}

/** The kernel counts processor time in hundredths of a second. */
function cpuSeconds(ones: readonly { readonly ticks: number }[]): number {
  return ones.reduce((sum, one) => sum + one.ticks, 0) / 100;
}

interface ProcessUse {
  readonly program: string;
  readonly kib: number;
  readonly ticks: number;
}

async function memoryOf(pid: string): Promise<ProcessUse | undefined> {
  try {
    const [rollup, command, stat] = await Promise.all([
      readFile(`/proc/${pid}/smaps_rollup`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // proc(5): utime, stime, cutime, cstime are fields 14 to 17; the name, field 2, may hold anything.
    const times = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15);
    const ticks = times.reduce((sum, time) => sum + Number(time), 0);
    const kib = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
    return { program: programName(command.split('\0')), kib, ticks };
  } catch {
    return undefined; // The process ended while it was read.
  }
}

/** The name of a program: for our own commands with their words, `tideline edge agent`. */
function programName(words: readonly string[]): string {
  const main = words.findIndex((word) => word.endsWith('/src/cli/main.ts'));
  if (main >= 0) return ['tideline', ...words.slice(main + 1, main + 3)].join(' ');
  const script = words.find((word) => /\.(ts|py|js)$/.test(word));
  const program = words[0]?.split(' ')[0]?.split('/').at(-1) ?? '';
  return (script === undefined ? program : `${program} ${script.split('/').slice(-2).join('/')}`).replace(/:$/, '');
}
