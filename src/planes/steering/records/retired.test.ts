import { expect, test } from 'vitest';
import { parseRetired, retiredIn, retiredName, retiredValues, roomToRetire } from './retired.ts';

const many = Array.from({ length: 40 }, (_, index) => ({
  name: retiredName(`check ${index}`),
  atSeconds: index < 20 ? 1_764_260_000 : 1_764_270_000,
}));

test('what is written is read again, in strings of at most 255 characters', () => {
  const values = retiredValues(many);
  expect(values).toHaveLength(4);
  for (const value of values) expect(value.length).toBeLessThanOrEqual(257);
  const record = { name: 'r', type: 'TXT', target: { kind: 'values' as const, ttlSeconds: 60, values } };
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(retiredIn(record).toSorted(byName)).toEqual(many.toSorted(byName));
});

test.each(['host=a.example', 'retired=', 'retired=12', 'retired=12 A', 'retired=x abc'])('%s is not read', (text) => {
  expect(parseRetired(text)).toBeUndefined();
});

test('the room is what the record has left, at most 400', () => {
  expect(roomToRetire([], 399)).toBe(400);
  expect(roomToRetire(many, 3)).toBe(8);
  expect(roomToRetire(many, 0)).toBe(0);
});
