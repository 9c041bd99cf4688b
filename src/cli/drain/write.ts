import { isDeepStrictEqual } from 'node:util';
import { type DrainPlan, planDrains } from '../../observe/drain-plan.ts';
import type { Snapshot } from '../../observe/snapshot.ts';
import type { DrainEdit, DrainObjectEdit } from '../../platform/drain-edits.ts';
import { type FileEdit, textOfFile, writeEdits } from '../../platform/spec-edit.ts';
import type { WholePlatform } from '../../platform/whole.ts';

/** A change of drains that was planned and is to be written. */
export interface Wanted {
  readonly edit: DrainEdit;
  /** Said when the edit was planned. */
  readonly plan: DrainPlan;
  readonly snapshot: Snapshot;
  /** Keep it also where the plan is refused. */
  readonly force: boolean;
}

/** Restores what stood there before, unless somebody has changed it since. */
type TakeBack = () => Promise<void>;

/** How specs are written and read. */
export interface Rim {
  /** Reads the platform wherever it is written. Throws an InputError when the folder is not valid. */
  readonly read: () => Promise<Pick<WholePlatform, 'platform'>>;
  /** Writes into the API of a cluster. */
  readonly writeObject: (edit: DrainObjectEdit) => Promise<TakeBack>;
}

/** What became of it: `plan` is the newest one, and `stands` is false when the edit was taken back because of it. */
export interface Written {
  readonly plan: DrainPlan;
  readonly stands: boolean;
}

/**
 * Writes a change of drains, then plans it anew with what stands in the folder and in the APIs by then. Of two commands that write at the
 * same moment at least the later one reads what both wrote; what is refused then is taken back, so that no plan counts on a blade that
 * has left meanwhile. Both may give way. What can be written in part only, or read no more afterwards, is taken back too, and throws.
 */
export async function writeDrains({ edit, plan, snapshot, force }: Wanted, rim: Rim): Promise<Written> {
  const undo: TakeBack[] = [];
  const takeBack = async () => {
    for (const one of undo.toReversed()) await one();
  };
  let next: DrainPlan;
  try {
    for (const object of edit.objects) undo.push(await rim.writeObject(object));
    undo.push(await writeFiles(edit.files));
    if (force) return { plan, stands: true };
    next = planAnew((await rim.read()).platform, edit, snapshot);
  } catch (error) {
    await takeBack();
    throw error;
  }
  const stands = next.refusals.length === 0;
  if (!stands) await takeBack();
  return { plan: next, stands };
}

/** The plan of a change, with what could not be read of the spec. */
export function planOf({ before, after, unknown }: DrainEdit, snapshot: Snapshot): DrainPlan {
  const plan = planDrains(before, after, snapshot);
  return { ...plan, unknown: [...plan.unknown, ...unknown] };
}

/** The plan of the same change among the other drains that stand now. */
function planAnew(platform: WholePlatform['platform'], edit: DrainEdit, snapshot: Snapshot): DrainPlan {
  const { before, after } = edit;
  const names = new Set([...before.drains.keys(), ...after.drains.keys()]);
  const mine = [...names].filter((name) => !isDeepStrictEqual(before.drains.get(name), after.drains.get(name)));
  const drains = new Map(platform.drains);
  for (const name of mine) {
    const old = before.drains.get(name);
    if (old === undefined) drains.delete(name);
    else drains.set(name, old);
  }
  return planOf({ ...edit, before: { ...platform, drains }, after: platform }, snapshot);
}

/** The way back restores the files that still hold what was written; another command that wrote one since then answers for it. */
async function writeFiles(edits: readonly FileEdit[]): Promise<TakeBack> {
  const former = await Promise.all(edits.map(async ({ file }) => ({ file, text: await textOfFile(file) })));
  await writeEdits(edits);
  return async () => {
    for (const [at, { file, text }] of edits.entries())
      if ((await textOfFile(file)) === text) await writeEdits(former.slice(at, at + 1));
  };
}
