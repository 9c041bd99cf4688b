import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import type { ServerDocument } from '../compile/document.ts';

/**
 * The document that each server got last, in `applied/` of the folder of documents. What stands in `documents/` may be newer: a compile
 * writes there at any time, and only a run brings it to the servers.
 */

type Documents = ReadonlyMap<string, ServerDocument>;

const mostBytes = 2 ** 20;
const folderOf = (folder: string): string => join(folder, 'applied');
const fileOf = (folder: string, server: string): string => join(folderOf(folder), `${server}.json`);

/** What each server has. One whose file cannot be read counts as a server that got nothing. */
export async function readApplied(folder: string): Promise<Documents> {
  const names = await readdir(folderOf(folder)).catch((): string[] => []);
  const applied = new Map<string, ServerDocument>();
  for (const name of names.filter((file) => file.endsWith('.json')).toSorted()) {
    const document = await documentIn(join(folderOf(folder), name));
    if (document?.server.id === name.slice(0, -'.json'.length)) applied.set(document.server.id, document);
  }
  return applied;
}

/** What servers have, as far as it is known: what a run brought them; where none did yet, what a compile wrote, for whoever applies it by other means. */
export function known(applied: Documents, written: Documents): Documents {
  return applied.size === 0 ? written : applied;
}

/** Servers whose document is not the one that they got last, and those of them that never got any. */
export function pendingOf(
  applied: Documents,
  documents: Documents,
): { readonly pending: ReadonlySet<string>; readonly fresh: ReadonlySet<string> } {
  const pending = [...documents]
    .filter(([id, document]) => JSON.stringify(applied.get(id)) !== JSON.stringify(document))
    .map(([id]) => id);
  return { pending: new Set(pending), fresh: new Set(pending.filter((id) => !applied.has(id))) };
}

/** These servers have these documents now. */
export async function markApplied(folder: string, servers: readonly string[], documents: Documents): Promise<void> {
  await mkdir(folderOf(folder), { recursive: true, mode: 0o700 });
  for (const server of servers) {
    const document = documents.get(server);
    if (document !== undefined) await replaceFile(fileOf(folder, server), `${JSON.stringify(document)}\n`);
  }
}

/** These servers have nothing any more. */
export async function forgetApplied(folder: string, servers: Iterable<string>): Promise<void> {
  for (const server of servers) await rm(fileOf(folder, server), { force: true });
}

async function documentIn(file: string): Promise<ServerDocument | undefined> {
  try {
    const document: ServerDocument = JSON.parse((await readBounded(file, mostBytes)).toString());
    return document.format === 1 ? document : undefined;
  } catch {
    return undefined;
  }
}
