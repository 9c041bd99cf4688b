import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataPlaneReasons } from './reasons.ts';

const sources = ['./lua/', './']
  .map((folder) => new URL(folder, import.meta.url))
  .flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)))
  .filter(({ pathname }) => /\.(lua|ts)$/.test(pathname) && !/(reasons|\.test)\.ts$|reasons\.test/.test(pathname))
  .map((file) => readFileSync(file, 'utf8'));

describe('reasons', () => {
  it('of answers to requests are all counted', () => {
    const read = (name: string): string => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
    const words = (text: string): readonly string[] =>
      [...text.matchAll(/"([A-Z][A-Za-z]+)"/g)].map(([, word = '']) => word);
    const answered = ['request', 'response', 'policy'].flatMap((name) => words(read(name)));
    const guards = readFileSync(new URL('../compile/guards.ts', import.meta.url), 'utf8');
    const ofCompile = [...guards.matchAll(/refused: '(\w+)'/g)].map(([, word = '']) => word);
    expect(answered).toContain('HostUnknown');
    expect(ofCompile).toContain('AccessPathRefused');
    const counted = new Set(words(read('answered')));
    expect([...answered, ...ofCompile].filter((reason) => !counted.has(reason))).toEqual([]);
  });

  it('are all in the catalogue, and the catalogue has no other', () => {
    const used = new Set<string>();
    for (const text of sources.filter((source) => source.includes('local '))) {
      for (const [, word] of text.matchAll(/"([A-Z][a-z]+(?:[A-Z][a-z]+)*)"/g)) used.add(word ?? '');
    }
    for (const reason of Object.keys(dataPlaneReasons)) {
      if (sources.some((text) => text.includes(reason))) used.add(reason);
    }
    expect([...used].filter((word) => word !== 'Connection').toSorted()).toEqual(
      Object.keys(dataPlaneReasons).toSorted(),
    );
  });
});
