import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

interface Config {
  readonly forbidden: readonly { readonly name: string; readonly from: { readonly path: string } }[];
}

/** Globals that bring time, chance or effects into a file without an import. */
const impure =
  /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|crypto\.|process\.|setTimeout|setInterval|setImmediate|fetch\()/;

const config = createRequire(import.meta.url)(resolve('.dependency-cruiser.cjs')) as Config;
const pure = new RegExp(config.forbidden.find(({ name }) => name === 'pure-has-no-effects')?.from.path ?? '^$');
const files = globSync('src/**/*.ts').filter((file) => pure.test(file) && !file.endsWith('.test.ts'));

/** The code without its comments and strings, in which such a word does no harm. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'/g, '');
}

it('finds the pure files', () => {
  expect(files.length).toBeGreaterThan(100);
});

it('bites, but not on words in comments and strings', () => {
  expect(impure.test(codeOf('const at = Date.now();'))).toBe(true);
  expect(impure.test(codeOf("/** Not Math.random. */ const text = 'setTimeout'; // fetch()\n"))).toBe(false);
});

it('has neither time nor chance nor effects in pure files', () => {
  expect(files.filter((file) => impure.test(codeOf(readFileSync(file, 'utf8'))))).toEqual([]);
});
