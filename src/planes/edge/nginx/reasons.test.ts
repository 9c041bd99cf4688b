import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataPlaneReasons } from './reasons.ts';

const sources = ['./lua/', './']
  .map((folder) => new URL(folder, import.meta.url))
  .flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)))
  .filter(({ pathname }) => /\.(lua|ts)$/.test(pathname) && !/(reasons|\.test)\.ts$|reasons\.test/.test(pathname))
  .map((file) => readFileSync(file, 'utf8'));

describe('reasons', () => {
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
