import { stat } from 'node:fs/promises';
import { readBounded } from '../runtime/bounded-file.ts';

/** What a person wrote into an accept file. */
export interface Acceptance {
  /** A fingerprint, or the identity of a cluster. */
  readonly said: string;
  /** When the file was written, in milliseconds since the epoch. */
  readonly writtenMs: number;
}

/** Reads an accept file; undefined when there is none, or it says nothing. */
export async function readAcceptance(path: string): Promise<Acceptance | undefined> {
  try {
    const said = (await readBounded(path, 4096)).toString().trim();
    return said === '' ? undefined : { said, writtenMs: (await stat(path)).mtimeMs };
  } catch {
    // A file that is not there, or cannot be read, accepts nothing.
    return undefined;
  }
}
