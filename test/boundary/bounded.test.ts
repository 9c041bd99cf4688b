import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/**
 * What others may put in the place of a file, or make a program print, is read by `src/runtime/bounded-file.ts` or with a bound
 * of its own. These files read without one, and why they may.
 */
const unbounded: Readonly<Record<string, string>> = {
  'src/cli/check/cluster.ts': 'the CRDs of this package',
  'src/cli/edge/render.ts': '/proc/self/uid_map, which the kernel writes',
  'src/geo/lookup.ts': 'the country data of an npm package',
  'src/geo/world/world.ts': 'the outlines of this package',
  'src/planes/fleet/run/ssh.ts': 'a regular file that a person named, piece by piece, up to the size that it has',
  'src/planes/edge/nginx/render.ts': 'the certificate that the same command wrote, by a person, once',
};

const reads = /\b(readFile|readFileSync|createReadStream|loadFromFile)\(|recursive: true \}\)\.catch\(\(\) => \[\]\)/;
/** The text without lines that only import or comment. */
const codeOf = (file: string): string => readFileSync(file, 'utf8').replace(/^\s*(\*|\/\/|\/\*|import ).*$/gm, '');

it('finds a read', () => {
  expect(
    ['await readFile(path)', "readFileSync(file, 'utf8')", 'readBounded(file, 1)'].map((line) => reads.test(line)),
  ).toEqual([true, true, false]);
});

it('no file of the agents and commands is read without a bound', () => {
  const files = globSync('src/**/*.ts').filter((file) => !file.endsWith('.test.ts'));
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => reads.test(codeOf(file))).toSorted()).toEqual(Object.keys(unbounded).toSorted());
});
