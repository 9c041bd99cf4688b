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
const owned: Outcome = { result: 'owned-by-other', owners: ['other'], message: 'Apply failed with 1 conflict' };

function wish(held: object | undefined, wanted: object | undefined = ours): StatusWish {
  return { object, wanted, held };
}

describe('Contest', () => {
  it('writes what differs at once, and nothing that stands', () => {
    expect(new Contest(wish(undefined)).dueMs).toBe(-Infinity);
    expect(new Contest(wish(ours)).dueMs).toBe(Infinity);
    expect(new Contest(wish(theirs)).dueMs).toBe(-Infinity);
  });

  it('waits until the watch shows what was written, and writes again only much later', () => {
    const contest = new Contest(wish(undefined));
    contest.noteOutcome(written, contest.wish, 1000);
    expect(contest.dueMs).toBe(31_000);
    contest.update(wish(undefined), 2000);
    expect(contest.dueMs).toBe(31_000);
    contest.update(wish(ours), 3000);
    expect(contest.dueMs).toBe(Infinity);
  });

  it('writes ever more slowly when somebody undoes the status, and forgets that after it has stood for half an hour', () => {
    const contest = new Contest(wish(ours));
    let now = 0;
    const waits: number[] = [];
    for (let round = 0; round < 14; round += 1) {
      contest.noteOutcome(written, contest.wish, now);
      contest.update(wish(ours), now);
      now += 1000;
      expect(contest.update(wish(undefined), now)).toBe(true);
      waits.push(contest.dueMs - now);
      now = contest.dueMs;
    }
    expect(waits.slice(0, 4)).toEqual([2000, 4000, 8000, 16_000]);
    expect(waits.at(-1)).toBe(30 * 60_000);
    contest.noteOutcome(written, contest.wish, now);
    contest.update(wish(ours), now);
    contest.update(wish(ours), now + 31 * 60_000);
    contest.update(wish(undefined), now + 32 * 60_000);
    expect(contest.dueMs - (now + 32 * 60_000)).toBe(2000);
  });

  it('leaves a field of another manager alone for minutes, and tries again when that manager changes the status', () => {
    const contest = new Contest(wish(theirs));
    contest.noteOutcome(owned, contest.wish, 0);
    expect(contest.ownedByOther).toBe(true);
    expect(contest.dueMs).toBe(5 * 60_000);
    contest.update(wish(undefined), 10_000);
    expect(contest.dueMs).toBe(2000);
    contest.noteOutcome(owned, contest.wish, 10_000);
    expect(contest.dueMs).toBe(10_000 + 10 * 60_000);
    contest.update(wish(theirs), 11_000);
    expect(contest.dueMs).toBe(14_000);
    contest.update(wish(ours), 12_000);
    expect([contest.ownedByOther, contest.dueMs]).toEqual([false, Infinity]);
  });

  it('takes what is left over three times, then leaves it to whoever writes it again, until it has stood for half an hour', () => {
    const exclusive = (held: object | undefined): StatusWish => ({ ...wish(held), exclusive: true });
    const taken: Outcome = { result: 'written', takenFrom: ['other'] };
    const contest = new Contest(exclusive(theirs));
    let now = 0;
    for (const wait of [2000, 4000, 8000]) {
      expect([contest.mayTake, contest.contested]).toEqual([true, false]);
      contest.noteOutcome(taken, contest.wish, now);
      contest.update(exclusive(ours), now);
      contest.update(exclusive(theirs), now + 1000);
      expect(contest.dueMs - now).toBe(1000 + wait);
      now = contest.dueMs;
    }
    expect(contest.mayTake).toBe(false);
    contest.noteOutcome(owned, contest.wish, now);
    expect([contest.contested, contest.ownedByOther]).toEqual([true, true]);
    expect(contest.dueMs - now).toBeGreaterThanOrEqual(5 * 60_000);
    contest.update(exclusive(ours), now);
    expect(contest.contested).toBe(false);
    contest.update(exclusive(theirs), now + 31 * 60_000);
    expect(contest.mayTake).toBe(true);
  });

  it('takes at once what it left alone, when nobody else may write it any more', () => {
    const contest = new Contest(wish(theirs));
    contest.noteOutcome(owned, contest.wish, 0);
    contest.update({ ...wish(theirs), exclusive: true }, 1000);
    expect([contest.dueMs, contest.mayTake]).toEqual([-Infinity, true]);
  });

  it('takes a status back once: fields that stay belong to others', () => {
    const contest = new Contest({ object, wanted: undefined, held: ours });
    expect(contest.dueMs).toBe(-Infinity);
    contest.noteOutcome(written, contest.wish, 0);
    expect(contest.dueMs).toBe(Infinity);
    contest.update({ object, wanted: undefined, held: undefined }, 1000);
    expect(contest.dueMs).toBe(Infinity);
  });

  it('tries again soon when the object was outdated, late when the write was refused, and at once for another wish', () => {
    const contest = new Contest(wish(undefined));
    contest.noteOutcome({ result: 'outdated' }, contest.wish, 0);
    expect(contest.dueMs).toBe(1000);
    contest.noteOutcome({ result: 'outdated' }, contest.wish, 1000);
    expect(contest.dueMs).toBe(3000);
    contest.noteOutcome({ result: 'refused', reason: 'WriteRefused', message: 'no' }, contest.wish, 3000);
    expect(contest.dueMs).toBeGreaterThanOrEqual(63_000);
    contest.update(wish(undefined, theirs), 4000);
    expect(contest.dueMs).toBe(-Infinity);
  });

  it('does not take the answer to an old wish for one to the new', () => {
    const contest = new Contest(wish(undefined));
    const sent = contest.wish;
    contest.update(wish(undefined, theirs), 10);
    contest.noteOutcome(written, sent, 20);
    expect(contest.dueMs).toBe(-Infinity);
  });
});
