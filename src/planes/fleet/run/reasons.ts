import { InputError } from '../../../model/problem.ts';

/** Why a run is not begun, or cannot go on. */
export const runReasons = {
  ChecksumDiffers: 'What would be done now is not what the person agreed to by the checksum.',
  RunLocked: 'Another person, or another process, runs something in this folder of documents.',
  RunUnreadable: 'A journal of a run cannot be read, or another version of Tideline wrote it.',
  RunOfOtherSpec: 'The platform spec is not what the unfinished run was planned from.',
  RunFrozen: 'The platform is frozen.',
  UpgradeNeeded: 'Versions of etcd or the API server change, which needs a snapshot and an order.',
  StepUnavailable: 'The run has a step that cannot be done from here.',
  ReachFailed: 'The way to the servers does not work: nobody could be asked.',
} as const;
type RunReason = keyof typeof runReasons;

export function badRun(reason: RunReason, message: string, fix: string): InputError {
  return new InputError({ reason, message, fix });
}
