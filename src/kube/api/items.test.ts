import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ListCutter } from './items.ts';

function cut(text: string, sizes: readonly number[] = [], bounds?: { readonly item: number; readonly rest: number }) {
  const cutter = new ListCutter(bounds);
  const bytes = Buffer.from(text);
  const items: unknown[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    for (const item of cutter.take(bytes.subarray(at, at + size))) items.push(JSON.parse(item));
    at += size;
  }
  return { items, rest: JSON.parse(cutter.rest) as unknown };
}

it('gives the items of any list, wherever its pieces end, and the rest', () => {
  const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
  const list = fc.record({
    kind: fc.string(),
    metadata: object,
    items: fc.array(object, { maxLength: 5 }),
    more: fc.jsonValue({ maxDepth: 2 }),
  });
  const sizes = fc.array(fc.nat({ max: 20 }));
  fc.assert(
    fc.property(list, sizes, fc.boolean(), (value, pieces, indented) => {
      const found = cut(JSON.stringify(value, null, indented ? 2 : undefined), pieces);
      // Parsed once more, as the found ones are: JSON has no -0.
      const { items, ...rest } = JSON.parse(JSON.stringify(value)) as typeof value;
      expect(found).toEqual({ items, rest: { ...rest, items: [] } });
    }),
    { numRuns: 50 },
  );
});

it.each([
  ['no items', '{"metadata":{"resourceVersion":"1"},"items":null}'],
  ['items elsewhere', '{"metadata":{"items":[{"a":1}]},"kind":"x"}'],
  ['a text that looks like items', '{"a":"\\"items\\":[","b":["items",":"],"c":[{"items":[1]}]}'],
  ['another value', '[{"items":[1]}]'],
])('leaves %s as it is', (_, text) => {
  expect(cut(text)).toEqual({ items: [], rest: JSON.parse(text) });
});

it.each([
  ['a number among the items', '{"items":[{},1]}'],
  ['a list among the items', '{"items":[[{}]]}'],
  ['a text among the items', '{"items":["a",{}]}'],
  ['an item beyond its bound', `{"items":[{"a":"${'x'.repeat(200)}"}]}`],
  ['too much beside the items', `{"a":"${'x'.repeat(200)}","items":[]}`],
])('refuses %s', (_, text) => {
  expect(() => cut(text, [50, 50, 50], { item: 100, rest: 100 })).toThrow(
    expect.objectContaining({ reason: 'BadAnswer' }),
  );
});
