import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RecordSet } from '../../../answers/record.ts';
import { recordLines } from './record-text.ts';

const record = (value: string, name = 'www.video.example'): RecordSet => ({
  name,
  type: 'LUA',
  target: { kind: 'values', ttlSeconds: 30, values: [value] },
});
const countries = Array.from({ length: 60 }, (_, at) => `C${at}=1`);
const table = (change: Readonly<Record<number, string>>): string =>
  `A "local g={${countries.map((text, at) => change[at] ?? text).join(',')}} return g"`;

it('shows the places of a long record that differ, wherever they are', () => {
  const change = { delete: [record(table({}))], create: [record(table({ 57: 'C57=2' }))] };
  expect(recordLines(change)).toEqual([
    expect.stringMatching(/^~ www\.video\.example LUA \(\d+ -> \d+ characters\) differs in 1 place:$/),
    '    …1,C54=1,C55=1,C56=1,C57=[-1-]{+2+},C58=1,C59=1} return g" …',
  ]);
  const two = { delete: [record(table({}))], create: [record(table({ 3: 'C3=2', 40: 'C40=1,ZZ=4' }))] };
  expect(recordLines(two).slice(1)).toEqual([
    expect.stringContaining('C3=[-1-]{+2+},C4=1'),
    expect.stringContaining('C40=1{+,ZZ=4+},C41=1'),
  ]);
});

it('keeps short records, and those that only come or go, on lines of their own', () => {
  const change = { delete: [record('A "1"'), record('x', 'old.example')], create: [record('A "2"')] };
  expect(recordLines(change)).toEqual([
    '- www.video.example LUA -> A "1" ttl=30',
    '- old.example LUA -> x ttl=30',
    '+ www.video.example LUA -> A "2" ttl=30',
  ]);
  const [come = ''] = recordLines({ delete: [], create: [record(table({}))] });
  expect(come).toMatch(/^\+ www.* characters\)$/);
});

it('shows at least one place of any two long records that differ, in lines of bounded length and number', () => {
  const text = fc.string({ minLength: 200, maxLength: 900 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = recordLines({ delete: [record(before)], create: [record(after)] });
      if (before === after) return;
      expect(lines.length).toBeGreaterThan(1);
      expect(lines.length).toBeLessThan(15);
      for (const line of lines) expect(line.length).toBeLessThan(500);
    }),
  );
});

it('compares records of ten thousand words that have nothing in common in no time', () => {
  const words = (of: string): string => Array.from({ length: 10_000 }, (_, at) => `${of}${at}`).join(',');
  const begunMs = performance.now();
  expect(recordLines({ delete: [record(words('a'))], create: [record(words('b'))] })).toHaveLength(2);
  expect(performance.now() - begunMs).toBeLessThan(2000);
});
