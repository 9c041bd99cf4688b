import { messageOf } from '../../model/values.ts';

/** Writes what `--out` names; throws an InputError when the file is there already or cannot be written. */
export async function writeNewFile(file: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const { badInput } = await import('../../planes/steering/reasons.ts');
    const fix = 'name a file that does not exist yet, in a folder that may be written';
    throw badInput('FileNotWritten', `--out: ${messageOf(error)}`, fix);
  }
}
