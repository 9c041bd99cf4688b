import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { badFleet } from '../reasons.ts';

/** The grains of 2,500 minions have some 40 MB. */
const mostBytes = 256 << 20;

/** The text of a source. Throws an InputError. */
export async function readSource(file: string, option: string): Promise<string> {
  const bytes = await readBounded(file, mostBytes).catch((error: unknown) => {
    throw badFleet('SourceUnreadable', `${option}: ${file}: ${messageOf(error)}`, 'name a file that can be read');
  });
  return bytes.toString('utf8');
}

/** Writes files into a folder, of which none may be there: all of them, or none. Throws an InputError. */
export async function writeNewFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const fix = 'name a folder that has no files of these names';
  const there = await Promise.all([...files.keys()].map(async (name) => (await exists(join(folder, name))) && name));
  const taken = there.filter((name) => name !== false);
  if (taken.length > 0) throw badFleet('FolderNotWritten', `--out: ${folder} has ${taken.join(', ')} already`, fix);
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of files) await writeFile(join(folder, name), text, { flag: 'wx' });
  } catch (error) {
    throw badFleet('FolderNotWritten', `--out: ${messageOf(error)}`, fix);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
