import { readdir, readFile } from 'node:fs/promises';

export interface MemoryUse {
  /** Sum of the proportional set sizes of every process of the box, in MiB. */
  readonly totalMiB: number;
  readonly processes: number;
  /** By program, the largest first. */
  readonly programs: readonly { readonly program: string; readonly processes: number; readonly mib: number }[];
}

/** The proportional memory of every process in this process namespace: the whole lab, this process included. */
export async function memoryUse(): Promise<MemoryUse> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(pids.map(memoryOf));
  const present = seen.filter((one) => one !== undefined);
  const programs = [...Map.groupBy(present, (one) => one.program)]
    .map(([program, ones]) => ({ program, processes: ones.length, mib: mib(ones) }))
    .toSorted((a, b) => b.mib - a.mib);
  return { totalMiB: mib(present), processes: present.length, programs };
}

function mib(ones: readonly { readonly kib: number }[]): number {
  return Math.round(ones.reduce((sum, one) => sum + one.kib, 0) / 102.4) / 10;
}

async function memoryOf(pid: string): Promise<{ readonly program: string; readonly kib: number } | undefined> {
  try {
    const [rollup, command] = await Promise.all([
      readFile(`/proc/${pid}/smaps_rollup`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    const kib = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
    return { program: programName(command.split('\0')), kib };
  } catch {
    return undefined; // It ended while we looked.
  }
}

/** `tideline edge agent` for our own commands, else the program's name. */
function programName(words: readonly string[]): string {
  const main = words.findIndex((word) => word.endsWith('/src/cli/main.ts'));
  if (main >= 0) return ['tideline', ...words.slice(main + 1, main + 3)].join(' ');
  const script = words.find((word) => /\.(ts|py|js)$/.test(word));
  const program = words[0]?.split(' ')[0]?.split('/').at(-1) ?? '';
  return (script === undefined ? program : `${program} ${script.split('/').slice(-2).join('/')}`).replace(/:$/, '');
}
