import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Writes these files (path to text) to a new folder, judges it, and removes it. Tests prove by it that a check finds violations. */
export async function inPlantedTree<T>(
  files: Readonly<Record<string, string>>,
  judge: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-planted-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return await judge(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
