import { createHash } from 'node:crypto';
import type { Run } from './steps.ts';

/**
 * A run with the checksum by which a person agrees to it: of its steps, of the documents, and of the run that was made last, so that the same
 * work can be asked for again when it was done once.
 */
export function sealed(run: Omit<Run, 'checksum'>, documents: string, lastFinished: string | undefined): Run {
  const text = JSON.stringify([run.format, run.command, run.waves, documents, lastFinished ?? '']);
  return { ...run, checksum: createHash('sha256').update(text).digest('hex').slice(0, 16) };
}
