import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellWords } from './shell-words.ts';

test('plain words stay as they are, and a shell reads all others as they were', () => {
  expect(shellWords(['build/lab/platform', '/etc/tideline'])).toBe('build/lab/platform /etc/tideline');
  const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), (words) => {
      const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${shellWords(words)}`], { encoding: 'utf8' });
      expect(stdout.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 20 },
  );
});
