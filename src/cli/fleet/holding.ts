import { systemClock } from '../../runtime/clock.ts';
import { personAndMachine } from '../person.ts';

/**
 * Does something while nobody else runs or writes anything in this folder of documents: a wave that is under way reads them. Throws RunLocked while
 * another process holds it. `isHeld` says whether it is still ours.
 */
export async function holding<T>(folder: string, work: (isHeld: () => Promise<boolean>) => Promise<T>): Promise<T> {
  const { FolderLock } = await import('../../planes/fleet/run/lock.ts');
  const { processesHere } = await import('../../planes/fleet/run/processes.ts');
  const lock = await FolderLock.take(folder, personAndMachine(), systemClock, processesHere);
  try {
    return await work(() => lock.isHeld());
  } finally {
    await lock.release();
  }
}
