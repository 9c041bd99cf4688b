import { isInForce } from '../../model/platform/drains.ts';
import { shellWords } from '../../model/shell-words.ts';
import { placeOfApi } from '../../model/source-status.ts';
import type { Drain } from '../../model/spec/kinds.ts';
import type { DrainPlan } from '../../observe/drain-plan.ts';
import type { DrainEdit } from '../../platform/drain-edits.ts';
import type { DrainTarget } from '../../platform/drain-files.ts';

/** A change of drains that a person asked for. */
export interface Change {
  /** `drain blade paris-blade-1 until ...`. */
  readonly what: string;
  readonly verb: 'drain' | 'undrain';
  readonly target: DrainTarget;
  /** Of the spec, as they were named. */
  readonly paths: readonly string[];
  /** For people: why. */
  readonly reason?: string;
}

interface Done extends Change {
  readonly refused: boolean;
  readonly stands: boolean;
  readonly takenBack: boolean;
}

/** A file or an object that a change writes or removes. */
interface Place {
  readonly place: string;
  readonly action: 'written' | 'removed';
}

export function placesOf({ files, objects }: DrainEdit): Readonly<Record<'files' | 'objects', readonly Place[]>> {
  return {
    files: files.map(({ file, text }) => ({ place: file, action: actionOf(text) })),
    objects: objects.map(({ cluster, name, spec }) => ({
      place: `Drain/${name} in the ${placeOfApi(cluster)}`,
      action: actionOf(spec),
    })),
  };
}

/** Whether what an undrain removes has ended before, and whether another Drain is in force. */
export function standing(
  { before, after }: Pick<DrainEdit, 'before' | 'after'>,
  { verb, target }: Pick<Change, 'verb' | 'target'>,
  nowMs: number,
): { readonly ended: boolean; readonly others: boolean } {
  const mine = (drain: Drain) => drain.spec.target.kind === target.kind && drain.spec.target.name === target.name;
  const inForce = [...before.drains.values()].filter((drain) => isInForce(drain, nowMs));
  const others = [...after.drains.values()].some((drain) => isInForce(drain, nowMs) && !mine(drain));
  return { ended: verb === 'undrain' && !inForce.some(mine), others };
}

/** What became of the change, below its plan. */
export function verdict(
  { refusals }: DrainPlan,
  { verb, paths, refused, stands, takenBack }: Done,
  places: readonly Place[],
): readonly string[] {
  const reasons = refusals.map(({ reason }) => reason).join(', ');
  if (takenBack)
    return [
      '',
      `refused (${reasons}): another change was written at the same moment, so this one was taken back`,
      ...places.map(({ place, action }) => `${action === 'written' ? 'taken back' : 'restored'}: ${place}`),
    ];
  if (refused) return ['', `refused (${reasons}); nothing was written. --force does it all the same`];
  if (!stands) return ['', 'nothing was written; add --yes to do it'];
  const look = `see how far it is: tideline drains ${shellWords(paths)}`;
  return ['', ...places.map(({ place, action }) => `${action}: ${place}`), ...(verb === 'drain' ? [look] : [])];
}

function actionOf(content: unknown): Place['action'] {
  return content === undefined ? 'removed' : 'written';
}
