import { expect, it } from 'vitest';
import type { GoodPair } from '../compile/last-good.ts';
import { certificateEnds } from './certificate-ends.ts';

const pair = (id: string, notAfterMs: number): GoodPair => ({
  certificate: { id, chain: '', key: '' },
  facts: { notBeforeMs: 0, notAfterMs, names: [] },
});
const host = (name: string, certificate?: string) => ({
  name,
  paths: [],
  ...(certificate === undefined ? {} : { certificate }),
});

it('certificates end at the time of each named host, and of the others at the first time', () => {
  const hosts = [host('a', 'one'), host('b', 'two'), host('c', 'three'), host('d', 'two'), host('e')];
  const pairs = [pair('one', 100), undefined, pair('two', 200), pair('three', 300)];
  expect(Object.fromEntries(certificateEnds(hosts, pairs, new Set(['a', 'b', 'e'])))).toEqual({
    a: 100,
    b: 200,
    '(other)': 200,
  });
});
