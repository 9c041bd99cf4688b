import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The reasons of a catalogue that no source file of the room (a folder) names in quotes, or that are not in CamelCase with a
 * sentence.
 */
export function oddReasons(room: string, catalogue: Readonly<Record<string, string>>): readonly string[] {
  const text = readdirSync(room, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('reasons.ts'))
    .map((file) => readFileSync(join(room, file), 'utf8'))
    .join('\n');
  return Object.entries(catalogue)
    .filter(
      ([name, meaning]) => !text.includes(`'${name}'`) || !/^[A-Z][A-Za-z]+$/.test(name) || !meaning.endsWith('.'),
    )
    .map(([name]) => name);
}
