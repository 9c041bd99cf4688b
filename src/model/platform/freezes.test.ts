import { expect, it } from 'vitest';
import { freeze } from '../../../test/support/platform.ts';
import { freezeInForce, freezeLine } from './freezes.ts';

const now = Date.UTC(2026, 10, 27, 12);
const inForce = (...all: ReturnType<typeof freeze>[]) =>
  freezeInForce({ freezes: new Map(all.map((one) => [one.metadata.name, one])) }, now)?.metadata.name;

it.each([
  ['none', [], undefined],
  ['one without an end', [freeze({}, 'a')], 'a'],
  ['one that has ended', [freeze({ until: '2026-11-27T12:00:00Z' }, 'a')], undefined],
  ['one that ends in a second', [freeze({ until: '2026-11-27T12:00:01Z' }, 'a')], 'a'],
  ['one of a clock that goes ahead', [freeze({ since: '2026-11-27T13:00:00Z' }, 'a')], 'a'],
  [
    'the first of two, however they are named',
    [freeze({ since: '2026-11-27T11:00:00Z' }, 'a'), freeze({ since: '2026-11-27T12:30:00+02:00' }, 'b')],
    'b',
  ],
])('of %s', (_, freezes, name) => expect(inForce(...freezes)).toBe(name));

it('says who, since when, until when and why', () => {
  expect(freezeLine(freeze({ until: '2026-11-27T14:00:00Z' }))).toBe(
    'FROZEN by anna since 1970-01-01T00:00:00Z, until 2026-11-27T14:00:00Z: flapping',
  );
});
