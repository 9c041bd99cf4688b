import { freezeLine } from '../../../model/platform/freezes.ts';
import type { Freeze } from '../../../model/spec/kinds.ts';
import type { KnownRun } from './journal.ts';
import { badRun } from './reasons.ts';
import type { Run } from './steps.ts';

/** Throws ChecksumDiffers unless the run of now is the one that a person agreed to. */
export function refuseOther(planned: Run, checksum: string): void {
  if (planned.checksum === checksum) return;
  throw badRun(
    'ChecksumDiffers',
    `the plan of now has the checksum ${planned.checksum}`,
    'look at `tideline fleet plan` again: the spec, the documents or the servers changed since, or --all is missing',
  );
}

/** Throws where an unfinished run cannot be gone on with: another took its place, or the spec is not that of its plan. */
export function refuseToGoOn({ id, state, documents }: KnownRun, documentsNow: string): void {
  if (state === 'superseded')
    throw badRun('ChecksumDiffers', 'another run took the place of this one', 'look at `tideline fleet plan` again');
  refuseOtherSpec(documents, documentsNow, `since ${id} was planned`);
}

/** Throws RunOfOtherSpec where the spec of now gives other documents than that of the run. */
export function refuseOtherSpec(documents: string, documentsNow: string, since = 'while the run is under way'): void {
  if (documents === documentsNow) return;
  throw badRun(
    'RunOfOtherSpec',
    `the spec changed ${since}`,
    'plan anew: what servers have not got yet is part of every plan',
  );
}

/** Throws RunFrozen while the platform is frozen. */
export function refuseFrozen(freeze: Freeze | undefined): void {
  if (freeze !== undefined)
    throw badRun('RunFrozen', freezeLine(freeze), 'thaw it, or add --despite-freeze for this once');
}

/** Throws UpgradeNeeded where an apply would change versions out of their order. */
export function refuseUpgrade(clusters: readonly string[]): void {
  const [cluster] = clusters;
  if (cluster === undefined) return;
  throw badRun(
    'UpgradeNeeded',
    `etcd or the API server of ${clusters.join(', ')} gets another version`,
    `run tideline fleet upgrade ${cluster}, which takes a snapshot first and keeps the order of versions`,
  );
}

/** A run that ended before it was done, and whose place no other took. */
export function isOpen({ state }: KnownRun): boolean {
  return state !== 'finished' && state !== 'superseded';
}
