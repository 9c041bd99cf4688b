import { expect, test } from 'vitest';
import type { RecordSet } from '../../../answers/record.ts';
import { refuseFullZone, shortageOf } from './quota.ts';

const record: RecordSet = { name: 'a.example', type: 'A', target: { kind: 'values', ttlSeconds: 60, values: [] } };
/** A batch that creates and deletes so many records. */
const batch = (create: number, gone: number) => ({
  before: undefined,
  after: record,
  changes: [
    ...Array.from({ length: gone }, () => ({ action: 'DELETE' as const, record })),
    ...Array.from({ length: create }, () => ({ action: 'CREATE' as const, record })),
  ],
});

test.each([
  [198, { create: 2, delete: 0, pending: 0 }, 0],
  [198, { create: 3, delete: 0, pending: 0 }, 1],
  [200, { create: 3, delete: 3, pending: 0 }, 0],
  [198, { create: 2, delete: 0, pending: 2 }, 2],
  [0, { create: 2000, delete: 0, pending: 0 }, 1800],
])('with %d of 200 checks, %j lacks %d', (count, changes, lacking) => {
  expect(shortageOf({ limit: 200, count }, changes)).toBe(lacking);
});

test('a zone may be full, and must not overflow between two batches', () => {
  const quota = { limit: 100, count: 90 };
  expect(() => refuseFullZone('example', quota, [batch(10, 0), batch(0, 10)])).not.toThrow();
  expect(() => refuseFullZone('example', quota, [batch(10, 10), batch(11, 0), batch(0, 11)])).toThrow(
    /has 90 records and would have 101 .* takes 100.*\(TooManyRecords\)/,
  );
});
