import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const texts = globSync(['src/**/*.ts', 'docs/**/*.md', 'README.md'], {
  exclude: (path) => path.endsWith('.test.ts'),
});
const kinds = 'host|country|pod|route|blade|worker|cluster|site';
/** A command about one object, with the words after the object's kind, up to the end of the code or of the sentence. */
const command = new RegExp(
  `\\btideline (?:why|drain|undrain) (?:${kinds}|\\$\\{[^}]*\\})(?=[ \`'"])([^\`'"\\n;,]*)`,
  'g',
);

it('prints no command about an object without its name and the folder, which a person would paste in vain', () => {
  const found = texts.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(command)].map(([whole, rest = '']) => ({
      text: `${path}: ${whole}`,
      rest,
    })),
  );
  expect(found.length).toBeGreaterThan(10);
  const isWhole = (rest: string): boolean => rest.trim().split(/\s+/).length >= 2 || rest.includes('…');
  expect(found.flatMap(({ text, rest }) => (isWhole(rest) ? [] : [text]))).toEqual([]);
});
