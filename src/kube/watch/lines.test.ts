import { expect, it } from 'vitest';
import { readEvent, readPage } from '../api/answers.ts';
import { linesOf } from './lines.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text, 'latin1');
}

async function all(source: AsyncIterable<Buffer>, maxBytes?: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(source, () => {}, maxBytes)) lines.push(line);
  return lines;
}

it('cuts a stream into lines wherever its chunks end, and gives no cut one', async () => {
  expect(await all(chunks('{"a":', '1}\n{"b":2}\n', '\n{"c"', ':3}', '\n{"d":'))).toEqual([
    '{"a":1}',
    '{"b":2}',
    '{"c":3}',
  ]);
  expect(await all(chunks('\xc3', '\xa9\n'))).toEqual(['é']);
});

it('refuses a line that never ends', async () => {
  await expect(all(chunks('x'.repeat(60), 'x'.repeat(60)), 100)).rejects.toMatchObject({ reason: 'BadAnswer' });
});

it.each([
  ['garbage', 'not JSON'],
  ['no mapping', '[1]'],
  ['an unknown type', '{"type":"MOVED","object":{"metadata":{"resourceVersion":"1"}}}'],
  ['no version', '{"type":"ADDED","object":{"metadata":{}}}'],
  ['no object', '{"type":"ADDED"}'],
])('%s is no event', (_, line) => {
  expect(() => readEvent(line)).toThrow(expect.objectContaining({ status: 0, reason: 'BadAnswer' }));
});

it('takes the error of a watch for what the server says', () => {
  const line = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}';
  expect(() => readEvent(line)).toThrow(
    expect.objectContaining({ status: 410, reason: 'Expired', message: 'too old' }),
  );
});

it.each([
  ['no list', {}],
  ['an error page', 'oops'],
  ['no version', { items: [], metadata: {} }],
  ['an item that is none', { items: [1], metadata: { resourceVersion: '1' } }],
])('%s is no page', (_, answer) => {
  expect(() => readPage(answer)).toThrow(expect.objectContaining({ reason: 'BadAnswer' }));
});

it('reads a page without items, as custom resources may have', () => {
  expect(readPage({ items: null, metadata: { resourceVersion: '1', continue: '' } })).toEqual({
    items: [],
    next: undefined,
    resourceVersion: '1',
  });
});
