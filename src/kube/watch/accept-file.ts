import { rm } from 'node:fs/promises';
import type { Log } from '../../runtime/log.ts';
import { type Acceptance, readAcceptance } from '../acceptance.ts';

/** The file into which a person writes what the status names, a fingerprint or an identity, to accept it. */
export class AcceptFile {
  readonly path: string;
  readonly #log: Log;

  constructor(path: string, log: Log) {
    this.path = path;
    this.#log = log;
  }

  /** What a person has written; undefined when nothing. */
  async read(): Promise<Acceptance | undefined> {
    return readAcceptance(this.path);
  }

  /** Removes the file: one that stays would accept the same loss another time, when nobody means it. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true }).catch((error: unknown) =>
      this.#log.warn({ err: error, acceptFile: this.path }, 'the accept file was used, but cannot be removed'),
    );
  }
}
