import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countries } from '../../../model/geo/countries.ts';
import { states } from '../../../model/geo/states.ts';
import { sizeOf } from './change.ts';
import { findJournal, isJournal, journalRecord, type Move, networksRemembered, readJournal } from './journal.ts';

const networks = Array.from({ length: 20 }, (_, at) => [`198.51.${at}.0/24`, `2001:db8:ab${at + 10}::/48`]).flat();
const codes = [...[...countries, ...states].map(({ code }) => code), ...networks];
const applies = fc.uniqueArray(
  fc.record({
    minute: fc.integer({ min: 0, max: 1440 }),
    by: fc.constantFrom('anna', 'ben', 'a name with spaces and more than 32 characters'),
    share: fc.integer({ min: 1, max: 10_000 }).map((n) => n / 10_000),
    groups: fc.array(
      fc.record({
        type: fc.constantFrom('A', 'AAAA'),
        countries: fc.subarray(codes, { minLength: 1 }),
        from: fc.constantFrom('cloud', 'newyork 30%, paris 70%', 'x'.repeat(200)),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  }),
  { maxLength: 40, selector: ({ minute }) => minute },
);

/** The groups of one apply: each country is in one group of each family. */
function disjoint(groups: readonly Pick<Move, 'type' | 'countries' | 'from'>[]) {
  return groups.map((group, at) => ({
    ...group,
    countries: group.countries.filter(
      (code) => !groups.slice(0, at).some((other) => other.type === group.type && other.countries.includes(code)),
    ),
  }));
}

/** The time and the answer before of the earliest move of each family and country. */
function earliest(moves: readonly Move[]): ReadonlyMap<string, readonly [number, string | undefined]> {
  const found = new Map<string, readonly [number, string | undefined]>();
  for (const { atMs, from, type, countries: some } of moves)
    for (const code of some) if (!found.has(`${type} ${code}`)) found.set(`${type} ${code}`, [atMs, from]);
  return found;
}

test('a record stays small enough to be swapped in one batch, and never says less than what was moved', () => {
  fc.assert(
    fc.property(applies, (list) => {
      const moves = list
        .toSorted((a, b) => a.minute - b.minute)
        .flatMap(({ minute, by, share, groups }) =>
          disjoint(groups).map((group): Move => ({ atMs: minute * 60_000, by, share, ...group })),
        );
      const record = journalRecord('video.example', 'video', moves);
      const { elements, characters } = sizeOf([record, record]);
      expect(elements).toBeLessThanOrEqual(100);
      expect(characters).toBeLessThan(28_000);
      if (record.target.kind === 'values')
        for (const value of record.target.values) expect(value.length).toBeLessThanOrEqual(257);
      const read = earliest(readJournal(record));
      const said = earliest(moves);
      expect([...read.keys()].sort()).toEqual([...said.keys()].sort());
      for (const [key, [atMs, from]] of read) {
        const [wasMs = 0, was] = said.get(key) ?? [];
        // An answer that is not kept equals none; and what is joined counts longer.
        expect(from === undefined || from === was).toBe(true);
        expect(atMs).toBeGreaterThanOrEqual(wasMs);
      }
    }),
    { numRuns: 60 },
  );
});

test('only records of that name and form say something', () => {
  const record = journalRecord('video.example', 'video', []);
  expect(record.name).toBe('_moved.video._tideline.video.example');
  expect(isJournal('video.example', record.name)).toBe(true);
  expect(isJournal('video.example', 'moved.video._tideline.video.example')).toBe(false);
  expect(findJournal('video.example', 'other', [record])).toBeUndefined();
  const target = {
    kind: 'values',
    ttlSeconds: 60,
    values: ['"host=x"', '"at=1 by=a share=0.1 A FR from cloud"'],
  } as const;
  expect(readJournal({ ...record, target })).toEqual([
    { atMs: 1000, by: 'a', share: 0.1, type: 'A', countries: ['FR'], from: 'cloud' },
  ]);
});

test('remembers some networks, however many an apply moves, and says them in values that older versions pass over', () => {
  const many = Array.from({ length: 200 }, (_, at) => `10.0.${at}.0/24`);
  const move = { atMs: 60_000, by: 'anna', share: 0.1, type: 'A', from: 'paris' };
  const record = journalRecord('video.example', 'video', [{ ...move, countries: ['FR', ...many] }]);
  const read = readJournal(record);
  expect(read[0]).toEqual({ ...move, countries: ['FR'] });
  const remembered = new Set(read.slice(1).flatMap(({ countries: some }) => some));
  expect(remembered).toEqual(new Set(many.slice(0, networksRemembered)));
  const older = /^at=(\d+) by=(\S+) share=([\d.]+) (A|AAAA) ((?:[A-Z]{2}(?:-[A-Z]{2})?)+) from (.+)$/;
  const values = record.target.kind === 'values' ? record.target.values : [];
  expect(values.filter((value) => older.test(value.replaceAll('"', '')))).toHaveLength(1);
});
