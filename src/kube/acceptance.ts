import { randomUUID } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { basename, dirname, isAbsolute } from 'node:path';
import type { AcceptedView } from '../model/status.ts';
import { withoutUndefined } from '../model/values.ts';
import { readBounded } from '../runtime/bounded-file.ts';

/** What a person wrote into an accept file. */
export interface Acceptance {
  /** A fingerprint, or the identity of a cluster: the first line of the file. */
  readonly said: string;
  /** Who wrote it, where the second line says so: `by NAME`. */
  readonly by?: string;
  /** When the file was written, in milliseconds since the epoch. */
  readonly writtenMs: number;
}

/** Reads an accept file; undefined when there is none, or it says nothing. */
export async function readAcceptance(path: string): Promise<Acceptance | undefined> {
  try {
    const [said = '', second = ''] = (await readBounded(path, 4096))
      .toString()
      .trim()
      .split(/\s*\n\s*/);
    const [, by] = /^by (.{1,64})$/.exec(second) ?? [];
    return said === '' ? undefined : { said, ...withoutUndefined({ by }), writtenMs: (await stat(path)).mtimeMs };
  } catch {
    // A file that is not there, or cannot be read, accepts nothing.
    return undefined;
  }
}

const remembered = 8;

/** The last acceptances that were obeyed: by them whoever wrote one knows that it was taken. */
export class Obeyed {
  #list: readonly AcceptedView[] = [];

  get list(): readonly AcceptedView[] {
    return this.#list;
  }

  note({ said, by }: Pick<Acceptance, 'said' | 'by'>, atMs: number): void {
    this.#list = [...this.#list, { fingerprint: said, atMs, ...withoutUndefined({ by }) }].slice(-remembered);
  }
}

/** Whether a path can be that of an accept file: whoever writes one as root writes nowhere else, whoever named the path. */
export function isAcceptFile(path: string): boolean {
  return isAbsolute(path) && /^(?:accept-(?:edge|network)-[\w.-]+|\.tideline-accept)$/.test(basename(path));
}

/** Whether an accept file is that of a folder of manifests: all agents that read the folder obey it. */
export function isSharedAcceptFile(path: string): boolean {
  return basename(path) === '.tideline-accept';
}

/** Whether a text has the form of what can be accepted: a hash, an identity, an address. */
export function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) || isIP(text) !== 0;
}

/**
 * Writes an accept file for the owner of its folder, whose agent removes it. A reader sees all of it or nothing; a link of this
 * name is replaced and not followed. Rejects with the error of the system.
 */
export async function writeAcceptance(path: string, { said, by }: { said: string; by: string }): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    const handle = await open(temporary, 'wx', 0o644);
    try {
      const owner = await stat(dirname(path));
      if (process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
      await handle.chmod(0o644);
      await handle.writeFile(`${said}\nby ${by.replace(/[^\w.@-]/g, '_').slice(0, 64)}\n`);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
