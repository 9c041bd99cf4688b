import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import type { ServerDocument } from '../compile/document.ts';

/** Which document each server has, in `applied.json` of the folder of documents: what is written there is not yet on the servers. */

type Applied = Readonly<Record<string, string>>;

const mostBytes = 16 * 2 ** 20;
const fileOf = (folder: string): string => join(folder, 'applied.json');

/**
 * Servers whose document is not the one that they got last, and those of them that never got any. A file that cannot be read says that nobody
 * got anything.
 */
export async function pendingOf(
  folder: string,
  documents: ReadonlyMap<string, ServerDocument>,
): Promise<{ readonly pending: ReadonlySet<string>; readonly fresh: ReadonlySet<string> }> {
  const applied = await readApplied(folder);
  const pending = [...documents].filter(([id, document]) => applied[id] !== sumOf(document)).map(([id]) => id);
  return { pending: new Set(pending), fresh: new Set(pending.filter((id) => applied[id] === undefined)) };
}

/** These servers have these documents now. */
export async function markApplied(
  folder: string,
  servers: readonly string[],
  documents: ReadonlyMap<string, ServerDocument>,
): Promise<void> {
  const applied = { ...(await readApplied(folder)) };
  for (const server of servers) {
    const document = documents.get(server);
    if (document !== undefined) applied[server] = sumOf(document);
  }
  await replaceFile(fileOf(folder), `${JSON.stringify(applied)}\n`);
}

async function readApplied(folder: string): Promise<Applied> {
  try {
    return JSON.parse((await readBounded(fileOf(folder), mostBytes)).toString());
  } catch {
    return {};
  }
}

/** Documents have sorted keys, so that equal ones have equal sums. */
function sumOf(document: ServerDocument): string {
  return createHash('sha256').update(JSON.stringify(document)).digest('hex');
}
