import { rm } from 'node:fs/promises';
import type { Log } from '../../runtime/log.ts';
import { type Acceptance, readAcceptance } from '../acceptance.ts';

/** The file into which a person writes what the status names, a fingerprint or an identity, to accept it. */
export class AcceptFile {
  readonly #path: string | undefined;
  readonly #log: Log;

  /** @param path Undefined where a person cannot accept anything. */
  constructor(path: string | undefined, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** The end of a message that says how to accept; empty when there is nothing to write. */
  howTo(what: string | undefined): string {
    return this.#path === undefined || what === undefined ? '' : `; write ${what} into ${this.#path} to accept it`;
  }

  /** What a person has written; undefined when nothing. */
  async read(): Promise<Acceptance | undefined> {
    return this.#path === undefined ? undefined : readAcceptance(this.#path);
  }

  /** Removes the file: one that stays would accept the same loss another time, when nobody means it. */
  async remove(): Promise<void> {
    if (this.#path === undefined) return;
    await rm(this.#path, { force: true }).catch((error: unknown) =>
      this.#log.warn({ err: error, acceptFile: this.#path }, 'the accept file was used, but cannot be removed'),
    );
  }
}
