import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantityOf } from './quantity.ts';

it.each([
  [0, '0'],
  [43, '43'],
  [12.5, '12500m'],
  [0.0001, '1m'],
  [0.1 + 0.2, '300m'],
  [1e30, '9000000000000'],
  [Number.POSITIVE_INFINITY, '9000000000000'],
  [Number.NaN, undefined],
  [-1, undefined],
])('%s is %s', (value, text) => {
  expect(quantityOf(value)).toBe(text);
});

it('is never less than the number, and never more by a thousandth', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (value) => {
      const text = quantityOf(value) ?? '';
      const read = text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text);
      expect(text).toMatch(/^\d+m?$/);
      expect(read).toBeGreaterThanOrEqual(value - 1e-8);
      expect(read).toBeLessThan(value + 0.001 + 1e-8);
    }),
  );
});
