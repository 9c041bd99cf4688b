import { describe, expect, it } from 'vitest';
import type { AnyObject } from '../kinds.ts';
import { Doubts } from './doubts.ts';

const objects = (names: string, uid = 'u'): ReadonlyMap<string, AnyObject> =>
  new Map(
    names
      .split('')
      .map((name): [string, AnyObject] => [name, { kind: 'Service', metadata: { name, uid: `${uid}-${name}` } }]),
  );

describe('doubts', () => {
  it.each([
    ['one of eight', 'abcdefgh', 'abcdefg', 1],
    ['half of eight', 'abcdefgh', 'abcd', 4],
    ['the only one', 'a', '', 1],
    ['more than half of eight', 'abcdefgh', 'abc', 0],
    ['all of two', 'ab', '', 0],
  ])('%s', (_, before, next, gone) => {
    expect(new Doubts(10).judge('Service', objects(before), objects(next), 0).gone).toHaveLength(gone);
  });

  it.each([
    ['the same again, later, in the same cluster', 'ab', 'u', 10, true],
    ['the same again, too soon', 'ab', 'u', 9, false],
    ['something else again', 'a', 'u', 10, false],
    ['the same again in another cluster', 'ab', 'v', 10, false],
    ['nothing at all', '', 'u', 10, false],
  ])('%s: believed %s', (_, second, uid, laterMs, believed) => {
    const doubts = new Doubts(10);
    const before = objects('abcdefgh');
    doubts.judge('Service', before, objects(second === '' ? '' : 'ab', uid), 0);
    const verdict = doubts.judge('Service', before, objects(second, uid), laterMs);
    expect(verdict.gone.length > 0).toBe(believed);
    expect(doubts.summary() === undefined).toBe(believed);
  });

  it('ends when the objects come back, one by one or in a list', () => {
    const doubts = new Doubts(10);
    doubts.judge('Service', objects('abcd'), objects('a'), 0);
    for (const key of 'bcd') doubts.settle('Service', key);
    expect(doubts.kinds).toEqual([]);
    doubts.judge('Service', objects('abcd'), objects('a'), 0);
    doubts.judge('Service', objects('abcd'), objects('abcd'), 0);
    expect(doubts.kinds).toEqual([]);
  });

  it('names exactly what is in doubt, and gives it to whoever accepts', () => {
    const doubts = new Doubts(10);
    doubts.judge('Service', objects('abcd'), objects('a'), 0);
    const one = doubts.summary();
    expect(one).toMatchObject({
      findings: '3 of 4 Service objects',
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    doubts.judge('Node', objects('xy'), objects(''), 0);
    expect(doubts.summary()?.fingerprint).not.toBe(one?.fingerprint);
    expect(doubts.accept()).toEqual(
      new Map([
        ['Service', new Set('bcd')],
        ['Node', new Set('xy')],
      ]),
    );
    expect(doubts.summary()).toBeUndefined();
  });
});
