import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Doubts, hasSurvivor } from './doubts.ts';
import type { AnyObject, Kind } from './kinds.ts';
import { fingerprintOf } from './plausible.ts';
import { showEveryMs } from './showings.ts';

type Objects = ReadonlyMap<string, AnyObject>;

const services = (names: Iterable<string>): Objects =>
  new Map([...names].map((name) => [name, { kind: 'Service', metadata: { name, uid: name } }]));

const lose = (doubts: Doubts, kind: Kind, before: string, next: string, nowMs: number): void => {
  const [held, listed] = [services(before), services(next)];
  doubts.judge({ kind, before: held, next: listed, nowMs, witnessed: hasSurvivor(held, listed) });
};

describe('a fingerprint', () => {
  it('stays while a doubt only shrinks, by objects or by kinds', () => {
    const doubts = new Doubts(Infinity);
    lose(doubts, 'Service', 'abcdefgh', 'a', 0);
    lose(doubts, 'Node', 'xy', '', 0);
    const shown = doubts.show(0)?.fingerprint;
    doubts.settle('Service', 'b');
    expect(doubts.show(60_000)?.fingerprint).toBe(shown);
    lose(doubts, 'Node', 'xy', 'xy', 61_000);
    expect(doubts.show(120_000)).toMatchObject({ findings: '7 of 8 Service objects', fingerprint: shown, count: 6 });
  });

  it('is replaced at most every few seconds, and until then what was shown stays', () => {
    const doubts = new Doubts(Infinity);
    lose(doubts, 'Service', 'abcdefgh', 'ab', 0);
    const first = doubts.show(0);
    lose(doubts, 'Service', 'abcdefgh', 'a', 1);
    expect(doubts.show(showEveryMs - 1), 'what it would accept, and no more').toEqual(first);
    const second = doubts.show(showEveryMs);
    expect(second).toMatchObject({
      findings: '7 of 8 Service objects',
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
      former: [first?.fingerprint],
      count: 7,
    });
    expect(second?.fingerprint).not.toBe(first?.fingerprint);
    expect(doubts.accept(first?.fingerprint ?? '')).toEqual(new Map([['Service', new Set('cdefgh')]]));
    expect(doubts.has('Service', 'b')).toBe(true);
  });

  it('is not there as long as the last one stands for nothing and a new one has to wait', () => {
    const doubts = new Doubts(Infinity);
    lose(doubts, 'Service', 'abcd', 'a', 0);
    const first = doubts.show(0)?.fingerprint ?? '';
    lose(doubts, 'Service', 'abcd', 'abcd', 1);
    lose(doubts, 'Service', 'abcd', 'a', 2);
    expect(doubts.show(3)).toMatchObject({ findings: '3 of 4 Service objects', count: 3 });
    expect(doubts.show(3)).not.toHaveProperty('fingerprint');
    expect(doubts.accept(first)).toEqual(new Map());
    expect(doubts.show(showEveryMs)?.fingerprint).toBe(first);
    expect(doubts.accept(first)).toEqual(new Map([['Service', new Set('bcd')]]));
  });

  it('accepts no kind whose loss looked like an edit when it was shown', () => {
    const doubts = new Doubts(Infinity);
    const resting = { kind: 'Node', nowMs: 0, witnessed: true, restMs: 1000 } as const;
    lose(doubts, 'Service', 'abcd', 'a', 0);
    doubts.judge({ ...resting, before: services('uvwxyz'), next: services('vwxyz') });
    const shown = doubts.show(0)?.fingerprint ?? '';
    doubts.judge({ ...resting, before: services('uvwxyz'), next: services('z'), nowMs: 1 });
    expect(doubts.accept(shown)).toEqual(new Map([['Service', new Set('bcd')]]));
    expect(doubts.implausible).toEqual(['Node']);
  });

  it('is not accepted by what was written long before it was shown, as for an earlier loss of the same objects', () => {
    const doubts = new Doubts(Infinity);
    const minute = 60_000;
    lose(doubts, 'Service', 'abcd', 'a', 100 * minute);
    const shown = doubts.show(100 * minute)?.fingerprint ?? '';
    expect(doubts.accept(shown, 98 * minute)).toBeUndefined();
    // Another agent of the same folder may have shown it a little before.
    expect(doubts.accept(shown, 99.5 * minute)).toEqual(new Map([['Service', new Set('bcd')]]));
  });

  it('stays valid for an hour after another one was shown', () => {
    const doubts = new Doubts(Infinity);
    const all = 'abcdefgh';
    const minute = 60_000;
    lose(doubts, 'Service', all, 'a', 0);
    const first = doubts.show(0)?.fingerprint ?? '';
    doubts.show(30 * minute);
    lose(doubts, 'Service', all, '', 31 * minute);
    const second = doubts.show(31 * minute)?.fingerprint ?? '';
    lose(doubts, 'Node', 'xy', '', 90 * minute);
    doubts.show(90 * minute);
    lose(doubts, 'Ingress', 'xy', '', 91 * minute);
    doubts.show(91 * minute);
    expect(doubts.accept(first)).toBeUndefined();
    expect(doubts.accept(second)?.get('Service')).toEqual(new Set(all));
  });

  it('is not made anew, nor its objects looked at, for each object that comes back', () => {
    const doubts = new Doubts(Infinity);
    const count = 10_000;
    const held = services(Array.from({ length: count }, (_, index) => `s${index}`));
    doubts.judge({ kind: 'Service', before: held, next: services([]), nowMs: 0, witnessed: false });
    const seen = new Set<string | undefined>();
    // Work for each object still in doubt, each time, would take minutes.
    for (let index = 0; index < count - 1; index += 1) {
      doubts.settle('Service', `s${index}`);
      seen.add(doubts.show(index)?.fingerprint);
    }
    expect(seen.size).toBe(1);
  });
});

/** What a fingerprint means, in the plainest way: the names of all objects that it was made of, each with its fall into doubt. */
class Reference {
  readonly #valid = new Map<string, ReadonlySet<string>>();
  #last: { readonly set: ReadonlySet<string>; readonly fingerprint: string; readonly madeMs: number } | undefined;

  /** @param set Every object whose loss is implausible as `Kind/name falls`. */
  show(set: ReadonlySet<string>, nowMs: number): string | undefined {
    if (set.size === 0) return undefined;
    const last = this.#last;
    if (last !== undefined && [...set].every((one) => last.set.has(one))) return last.fingerprint;
    if (last !== undefined && nowMs - last.madeMs < showEveryMs)
      return [...set].every((one) => !last.set.has(one)) ? undefined : last.fingerprint;
    const fingerprint = fingerprintOf([...set].map((one) => one.split(' ')[0] ?? '').toSorted());
    this.#last = { set, fingerprint, madeMs: nowMs };
    this.#valid.set(fingerprint, set);
    return fingerprint;
  }

  accept(fingerprint: string, doubted: ReadonlySet<string>): readonly string[] | undefined {
    const set = this.#valid.get(fingerprint);
    this.#valid.delete(fingerprint);
    return set === undefined
      ? undefined
      : [...doubted].filter((one) => set.has(one)).map((one) => one.split(' ')[0] ?? '');
  }
}

const kinds = ['Service', 'Node', 'Ingress'] as const;
const all = 'abcdef'.split('');
const kind = fc.constantFrom(...kinds);
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('list' as const), kind, names: fc.subarray(all), rest: fc.boolean() }),
    fc.record({ do: fc.constant('settle' as const), kind, name: fc.constantFrom(...all) }),
    fc.record({ do: fc.constant('show' as const), laterMs: fc.constantFrom(1, 1000, 2500, 5000, 20_000) }),
    fc.record({ do: fc.constant('accept' as const), which: fc.nat(5) }),
  ),
  { maxLength: 60 },
);

it('an acceptance takes exactly what was shown and is in doubt still since then, whatever happened meanwhile', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const doubts = new Doubts(Infinity);
      const reference = new Reference();
      const held = new Map(kinds.map((one) => [one, new Set(all)]));
      const falls = new Map<string, number>();
      const shown: string[] = [];
      let nowMs = 0;
      /** Those in doubt of these kinds, each with the number of its fall. */
      const doubted = (of: readonly Kind[]): ReadonlySet<string> =>
        new Set(
          of.flatMap((one) =>
            all
              .filter((name) => doubts.has(one, name))
              .map((name) => `${one}/${name} ${falls.get(`${one}/${name}`) ?? 0}`),
          ),
        );
      /** A step in which an object leaves the doubt is followed by its next fall. */
      const noteFalls = (before: ReadonlySet<string>): void => {
        for (const one of before) {
          const [name = ''] = one.split(' ');
          const [ofKind = '', key = ''] = name.split('/');
          const still = kinds.some((candidate) => candidate === ofKind && doubts.has(candidate, key));
          if (!still) falls.set(name, (falls.get(name) ?? 0) + 1);
        }
      };
      for (const step of history) {
        const before = doubted(kinds);
        if (step.do === 'list') {
          const objects = held.get(step.kind) ?? new Set<string>();
          const next = services(step.names);
          const restMs = step.rest ? Infinity : 0;
          const comparison = { kind: step.kind, before: services(objects), next, nowMs, witnessed: true, restMs };
          for (const key of doubts.judge(comparison).gone) objects.delete(key);
          for (const key of step.names) objects.add(key);
        } else if (step.do === 'settle') {
          doubts.settle(step.kind, step.name);
        } else if (step.do === 'show') {
          nowMs += step.laterMs;
          const fingerprint = doubts.show(nowMs)?.fingerprint;
          expect(fingerprint).toBe(reference.show(doubted(doubts.implausible), nowMs));
          if (fingerprint !== undefined) shown.push(fingerprint);
        } else {
          const fingerprint = shown.at(-1 - step.which) ?? '';
          const expected = reference.accept(fingerprint, doubted(kinds))?.toSorted();
          const accepted = doubts.accept(fingerprint);
          const names = [...(accepted ?? [])].flatMap(([one, keys]) => [...keys].map((key) => `${one}/${key}`));
          expect(accepted === undefined ? undefined : names.toSorted()).toEqual(expected);
          for (const [one, keys] of accepted ?? [])
            for (const key of keys) held.get(one as (typeof kinds)[number])?.delete(key);
        }
        noteFalls(before);
      }
    }),
    { numRuns: 500 },
  );
});
