import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Doubts, hasSurvivor } from './doubts.ts';
import type { EndpointSlice } from './kinds/endpoint-slice.ts';
import type { AnyObject, Kind } from './kinds.ts';
import { findLoss } from './plausible.ts';
import { showEveryMs } from './showings.ts';

const objects = (names: string, uid = 'u'): ReadonlyMap<string, AnyObject> =>
  new Map(
    names
      .split('')
      .map((name): [string, AnyObject] => [name, { kind: 'Service', metadata: { name, uid: `${uid}-${name}` } }]),
  );

/** Judges as the source of a kube-apiserver does. */
const look = (
  doubts: Doubts,
  before: string,
  next: string,
  nowMs: number,
  { uid = 'u', kind = 'Service' }: { readonly uid?: string; readonly kind?: Kind } = {},
) => {
  const [held, listed] = [objects(before), objects(next, uid)];
  return doubts.judge({ kind, before: held, next: listed, nowMs, witnessed: hasSurvivor(held, listed) });
};

describe('doubts', () => {
  it.each([
    ['one of eight', 'abcdefgh', 'abcdefg', 1],
    ['half of eight', 'abcdefgh', 'abcd', 4],
    ['the only one', 'a', '', 1],
    ['more than half of eight', 'abcdefgh', 'abc', 0],
    ['all of two', 'ab', '', 0],
  ])('%s', (_, before, next, gone) => {
    expect(look(new Doubts(10), before, next, 0).gone).toHaveLength(gone);
  });

  it.each([
    ['the same again, later, in the same cluster', 'ab', 'u', 10, 'cdefgh'],
    ['the same again, too soon', 'ab', 'u', 9, ''],
    ['one object less again: that one is a new doubt', 'a', 'u', 10, 'cdefgh'],
    ['the same again in another cluster', 'ab', 'v', 10, ''],
    ['nothing at all, twice', '', 'u', 10, ''],
  ])('%s: believed "%s"', (_, second, uid, laterMs, gone) => {
    const doubts = new Doubts(10);
    look(doubts, 'abcdefgh', second === '' ? '' : 'ab', 0, { uid });
    expect(look(doubts, 'abcdefgh', second, laterMs, { uid }).gone.join('')).toBe(gone);
  });

  it('is not confirmed by objects that the doubtful list itself brought', () => {
    const doubts = new Doubts(10);
    expect(look(doubts, 'abcd', 'x', 0, { uid: 'v' }).gone).toEqual([]);
    const held = new Map([...objects('abcd'), ...objects('x', 'v')]);
    const verdict = doubts.judge({
      kind: 'Service',
      before: held,
      next: objects('x', 'v'),
      nowMs: 20,
      witnessed: true,
    });
    expect(verdict.gone).toEqual([]);
  });

  it('is not ended by what another cluster has more, but by what the same cluster has', () => {
    const stranger = new Doubts(10);
    look(stranger, 'abcd', 'uvwxyz', 0, { uid: 'v' });
    expect(stranger.settleFew('Service', 10)).toEqual([]);
    expect(look(stranger, 'abcduvwxyz', 'uvwxyz', 1).gone).toEqual([]);
    const same = new Doubts(Infinity);
    look(same, 'abcdefgh', 'abc', 0);
    expect(same.settleFew('Service', 9)).toEqual([]);
    expect(same.settleFew('Service', 10)).toEqual(['d', 'e', 'f', 'g', 'h']);
    expect(same.kinds).toEqual([]);
  });

  it('ends when the objects come back, one by one or in a list', () => {
    const doubts = new Doubts(10);
    look(doubts, 'abcd', 'a', 0);
    for (const key of 'bcd') doubts.settle('Service', key);
    expect(doubts.kinds).toEqual([]);
    look(doubts, 'abcd', 'a', 0);
    look(doubts, 'abcd', 'abcd', 0);
    expect(doubts.kinds).toEqual([]);
  });

  it('shrinks as objects come back, and is believed when few are missing', () => {
    const doubts = new Doubts(Infinity);
    look(doubts, 'abcdefgh', 'abc', 0);
    expect(look(doubts, 'abcdefgh', 'abcd', 1).gone).toEqual(['e', 'f', 'g', 'h']);
    expect(doubts.kinds).toEqual([]);
  });

  it('keeps the age of each object, whatever else is lost and comes back meanwhile', () => {
    const doubts = new Doubts(100);
    const all = 'abcdefghijklmnop';
    for (let nowMs = 0; nowMs < 100; nowMs += 10) {
      const other = all[8 + ((nowMs / 10) % 7)] ?? '';
      expect(look(doubts, all, all.slice(8).replace(other, ''), nowMs).gone).toEqual([]);
    }
    expect(doubts.ageMs(100)).toBe(100);
    expect(look(doubts, all, 'ijklmno', 100).gone).toEqual('abcdefgh'.split(''));
  });

  it('names exactly what is in doubt, and gives it to whoever accepts', () => {
    const doubts = new Doubts(10);
    look(doubts, 'abcd', 'a', 0);
    const one = doubts.show(0);
    expect(one).toMatchObject({
      findings: '3 of 4 Service objects',
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    look(doubts, 'xy', '', 0, { kind: 'Node' });
    const both = doubts.show(showEveryMs)?.fingerprint ?? '';
    expect(both).not.toBe(one?.fingerprint);
    expect(doubts.accept('ffffffffffff')).toBeUndefined();
    expect(doubts.accept(both)).toEqual(
      new Map([
        ['Service', new Set('bcd')],
        ['Node', new Set('xy')],
      ]),
    );
    expect(doubts.show(showEveryMs)).toBeUndefined();
  });

  it('takes an acceptance for what was shown: churn since then neither voids nor widens it', () => {
    const doubts = new Doubts(Infinity);
    look(doubts, 'abcdefgh', 'a', 0);
    const shown = doubts.show(0)?.fingerprint ?? '';
    doubts.settle('Service', 'b');
    look(doubts, 'xy', '', 0, { kind: 'Node' });
    expect(doubts.show(showEveryMs)?.fingerprint).not.toBe(shown);
    expect(doubts.accept(shown)).toEqual(new Map([['Service', new Set('cdefgh')]]));
    expect(doubts.kinds).toEqual(['Node']);
    expect(doubts.accept(shown)).toBeUndefined();
  });

  it('never believes an implausible loss without evidence, and holds nothing that is there', () => {
    const names = 'abcdefghij';
    const subset = fc.subarray(names.split('')).map((list) => list.join(''));
    fc.assert(
      fc.property(fc.array(subset, { minLength: 1, maxLength: 8 }), (lists) => {
        const doubts = new Doubts(Infinity);
        let held = names;
        for (const [index, list] of lists.entries()) {
          const missing = held.split('').filter((name) => !list.includes(name)).length;
          const { gone } = look(doubts, held, list, index);
          if (findLoss('Service', held.length, missing) !== undefined) expect(gone).toEqual([]);
          for (const name of list) expect(doubts.has('Service', name)).toBe(false);
          held = [...new Set(`${held}${list}`.split(''))].filter((name) => !gone.includes(name)).join('');
        }
      }),
    );
  });
});

describe('a held EndpointSlice gives way', () => {
  const ports = [{ name: 'http', port: 8080, protocol: 'TCP' }];
  const slice = (
    name: string,
    more: Partial<EndpointSlice> = {},
    service = 'web',
  ): readonly [string, EndpointSlice] => [
    `video/${name}`,
    {
      kind: 'EndpointSlice',
      metadata: { name, namespace: 'video', labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'] }],
      ports,
      ...more,
    },
  ];
  const kind = 'EndpointSlice';
  const judge = (doubts: Doubts, before: ReadonlyMap<string, AnyObject>, next: ReadonlyMap<string, AnyObject>) =>
    doubts.judge({ kind, before, next, nowMs: 0, witnessed: false });

  const elsewhere: EndpointSlice = { ...slice('new')[1], metadata: { ...slice('new')[1].metadata, namespace: 'shop' } };
  it.each<[string, readonly [string, EndpointSlice], number]>([
    ['to a new one of its Service', slice('new'), 1],
    ['to one that changed', slice('kept', { endpoints: [{ addresses: ['10.0.0.9'] }] }), 1],
    ['not to one that was sent again as it was', slice('kept'), 0],
    ['to one that came back, but not itself', slice('lost'), 0],
    ['not to one of another Service', slice('new', {}, 'api'), 0],
    ['not to one of a Service of that name elsewhere', ['shop/new', elsewhere], 0],
    [
      'not to one of no Service',
      ['video/new', { ...slice('new')[1], metadata: { name: 'new', namespace: 'video' } }],
      0,
    ],
    ['not to one of another address type', slice('new', { addressType: 'IPv6' }), 0],
    ['not to one without endpoints', slice('new', { endpoints: [] }), 0],
    ['not to one whose endpoint has no address', slice('new', { endpoints: [{ addresses: [] }] }), 0],
    [
      'not to one whose endpoints are not ready',
      slice('new', { endpoints: [{ addresses: ['10.0.0.9'], conditions: { ready: false, serving: true } }] }),
      0,
    ],
    [
      'to one with one ready endpoint among others',
      slice('new', {
        endpoints: [
          { addresses: ['10.0.0.8'], conditions: { ready: false } },
          { addresses: ['10.0.0.9'], conditions: { ready: true } },
        ],
      }),
      1,
    ],
    ['to one with more ports', slice('new', { ports: [{ name: 'metrics', port: 9100 }, ...ports] }), 1],
    ['to one that leaves out the protocol TCP', slice('new', { ports: [{ name: 'http', port: 8080 }] }), 1],
    ['not to one without its port', slice('new', { ports: [{ name: 'metrics', port: 9100 }] }), 0],
    ['not to one whose port has another number', slice('new', { ports: [{ name: 'http', port: 9090 }] }), 0],
    ['not to one whose port has another protocol', slice('new', { ports: [{ ...ports[0], protocol: 'UDP' }] }), 0],
  ])('%s', (_, sent, expected) => {
    const doubts = new Doubts(Infinity);
    const before = new Map([slice('kept'), slice('lost'), slice('o1', {}, 'o'), slice('o2', {}, 'o')]);
    judge(doubts, before, new Map([slice('kept')]));
    const keys = doubts.giveWay(kind, [sent], (key) => before.get(key));
    expect(keys).toEqual(expected === 1 ? ['video/lost'] : []);
    expect(doubts.has(kind, 'video/lost')).toBe(expected === 0);
    expect(doubts.has(kind, 'video/o1')).toBe(true);
  });

  it('and makes the loss of the rest look no smaller', () => {
    const doubts = new Doubts(10);
    const lost = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => slice(name, {}, name));
    const kept = ['g', 'h', 'i', 'j'].map((name) => slice(name, {}, name));
    const before = new Map<string, AnyObject>([...lost, ...kept]);
    judge(doubts, before, new Map(kept));
    const sent = ['a', 'b', 'c'].map((name) => slice(`${name}-new`, {}, name));
    const gone = doubts.giveWay(kind, sent, (key) => before.get(key));
    expect(gone).toEqual(['video/a', 'video/b', 'video/c']);
    for (const key of gone) before.delete(key);
    expect(doubts.settleFew(kind, before.size)).toEqual([]);
    expect(judge(doubts, before, new Map(kept)).gone).toEqual([]);
    expect(doubts.show(0)?.findings).toBe('6 of 10 EndpointSlice objects');
  });

  it('as no object of another kind does', () => {
    const doubts = new Doubts(Infinity);
    look(doubts, 'abcd', '', 0);
    expect(doubts.giveWay('Service', objects('x'), (key) => objects('abcd').get(key))).toEqual([]);
  });
});
