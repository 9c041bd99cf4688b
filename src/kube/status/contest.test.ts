import { describe, expect, it } from 'vitest';
import { Contest, type StatusWish } from './contest.ts';
import type { Outcome } from './outcome.ts';

const object = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  resource: 'ingresses',
  namespace: 'video',
  name: 'web',
};
const ours = { ips: ['192.0.2.10'] };
const theirs = { ips: ['198.51.100.7'] };
const written: Outcome = { result: 'written' };
const owned: Outcome = { result: 'owned-by-other', message: 'Apply failed with 1 conflict' };

function wish(held: object | undefined, wanted: object | undefined = ours): StatusWish {
  return { object, wanted, held };
}

describe('Contest', () => {
  it('writes what differs at once, and nothing that stands', () => {
    expect(new Contest(wish(undefined)).dueMs).toBe(-Infinity);
    expect(new Contest(wish(ours)).dueMs).toBe(Infinity);
    expect(new Contest(wish(theirs)).dueMs).toBe(-Infinity);
  });

  it('waits for the watch to bring back what was written, and writes again only much later', () => {
    const contest = new Contest(wish(undefined));
    contest.take(written, contest.wish, 1000);
    expect(contest.dueMs).toBe(31_000);
    contest.look(wish(undefined), 2000);
    expect(contest.dueMs).toBe(31_000);
    contest.look(wish(ours), 3000);
    expect(contest.dueMs).toBe(Infinity);
  });

  it('answers one who undoes it ever more slowly, and forgets after half an hour of peace', () => {
    const contest = new Contest(wish(ours));
    let now = 0;
    const waits: number[] = [];
    for (let round = 0; round < 14; round += 1) {
      contest.take(written, contest.wish, now);
      contest.look(wish(ours), now);
      now += 1000;
      expect(contest.look(wish(undefined), now)).toBe(true);
      waits.push(contest.dueMs - now);
      now = contest.dueMs;
    }
    expect(waits.slice(0, 4)).toEqual([2000, 4000, 8000, 16_000]);
    expect(waits.at(-1)).toBe(30 * 60_000);
    contest.take(written, contest.wish, now);
    contest.look(wish(ours), now);
    contest.look(wish(ours), now + 31 * 60_000);
    contest.look(wish(undefined), now + 32 * 60_000);
    expect(contest.dueMs - (now + 32 * 60_000)).toBe(2000);
  });

  it('leaves what another owns for minutes, and comes back when that one moves', () => {
    const contest = new Contest(wish(theirs));
    contest.take(owned, contest.wish, 0);
    expect(contest.ownedByOther).toBe(true);
    expect(contest.dueMs).toBe(5 * 60_000);
    contest.look(wish(undefined), 10_000);
    expect(contest.dueMs).toBe(2000);
    contest.take(owned, contest.wish, 10_000);
    expect(contest.dueMs).toBe(10_000 + 10 * 60_000);
    contest.look(wish(theirs), 11_000);
    expect(contest.dueMs).toBe(14_000);
    contest.look(wish(ours), 12_000);
    expect([contest.ownedByOther, contest.dueMs]).toEqual([false, Infinity]);
  });

  it('takes back once: what stays is somebody else’s', () => {
    const contest = new Contest({ object, wanted: undefined, held: ours });
    expect(contest.dueMs).toBe(-Infinity);
    contest.take(written, contest.wish, 0);
    expect(contest.dueMs).toBe(Infinity);
    contest.look({ object, wanted: undefined, held: undefined }, 1000);
    expect(contest.dueMs).toBe(Infinity);
  });

  it('tries what is outdated soon, what is refused late, and another wish at once', () => {
    const contest = new Contest(wish(undefined));
    contest.take({ result: 'outdated' }, contest.wish, 0);
    expect(contest.dueMs).toBe(1000);
    contest.take({ result: 'outdated' }, contest.wish, 1000);
    expect(contest.dueMs).toBe(3000);
    contest.take({ result: 'refused', reason: 'WriteRefused', message: 'no' }, contest.wish, 3000);
    expect(contest.dueMs).toBeGreaterThanOrEqual(63_000);
    contest.look(wish(undefined, theirs), 4000);
    expect(contest.dueMs).toBe(-Infinity);
  });

  it('does not take the answer to an old wish for one to the new', () => {
    const contest = new Contest(wish(undefined));
    const sent = contest.wish;
    contest.look(wish(undefined, theirs), 10);
    contest.take(written, sent, 20);
    expect(contest.dueMs).toBe(-Infinity);
  });
});
