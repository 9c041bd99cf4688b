import { describe, expect, it } from 'vitest';
import { type Address, type Prefix, parseAddress, parsePrefix } from '../model/address.ts';
import { budgets, type Door, type Visit, Visitors } from './visitors.ts';

const address = (text: string): Address => parseAddress(text) as Address;
const prefix = (text: string): Prefix => parsePrefix(text) as Prefix;
const own = '10.1.0.11';
const door: Door = {
  peers: [address('10.1.0.12'), address('2001:db8::12')],
  networks: [prefix('10.1.0.0/24'), prefix('2001:db8:9::/48')],
};

function visitors(nowMs: () => number = () => 0) {
  const all = new Visitors(() => door, nowMs);
  const admit = (from: string): Visit => {
    const visit = all.admit(from, own);
    if (typeof visit === 'string') throw new Error(visit);
    return visit;
  };
  return { all, admit };
}

it.each([
  ['127.0.0.1', 'own'],
  ['127.9.9.9', 'own'],
  ['::1', 'own'],
  ['::ffff:127.0.0.1', 'own'],
  [own, 'own'],
  ['10.1.0.12', 'own'],
  ['::ffff:10.1.0.12', 'own'],
  ['2001:db8::12', 'own'],
  ['10.1.0.99', 'other'],
  ['2001:db8:9::7', 'other'],
])('%s may visit, as %s', (from, kind) => {
  expect(visitors().admit(from).kind).toBe(kind);
});

it.each(['10.10.1.5', '192.0.2.1', '::2', 'fe80::1%eth0', '2001:db8::13', '', 'x'])('"%s" may not', (from) => {
  expect(visitors().all.admit(from, own)).toBe('ForeignNetwork');
});

it('one source has a few connections, and gets new ones when it leaves', () => {
  const { all, admit } = visitors();
  const visits = Array.from({ length: budgets.other.ofSource }, () => admit('10.1.0.99'));
  expect(all.admit('10.1.0.99', own)).toBe('TooManyOfSource');
  visits[0]?.leave();
  visits[0]?.leave();
  admit('10.1.0.99');
  expect(all.admit('10.1.0.99', own)).toBe('TooManyOfSource');
});

describe('visitors together', () => {
  it('have a few connections, which peers and this host do not share', () => {
    const { all, admit } = visitors();
    for (let count = 0; count < budgets.other.connections; count++) admit(`10.1.0.${100 + count}`);
    expect(all.admit('10.1.0.99', own)).toBe('TooManyConnections');
    expect([admit('10.1.0.12').kind, admit('127.0.0.1').kind]).toEqual(['own', 'own']);
  });

  it('are answered so many times a second, which peers do not share', () => {
    let nowMs = 0;
    const { admit } = visitors(() => nowMs);
    const visit = admit('10.1.0.99');
    for (let count = 0; count < budgets.other.answersPerSecond; count++) expect(visit.ask()).toBeUndefined();
    expect([visit.ask(), admit('10.1.0.12').ask()]).toEqual(['TooManyRequests', undefined]);
    nowMs = 1000;
    expect(visit.ask()).toBeUndefined();
  });

  it('leave so many bytes unread', () => {
    const { admit } = visitors();
    const [first, second] = [admit('10.1.0.99'), admit('10.1.0.98')];
    expect(first.take(budgets.other.unreadBytes * 2)).toBeUndefined();
    expect([second.take(1), admit('10.1.0.12').take(1)]).toEqual(['TooMuchUnread', undefined]);
    first.leave();
    expect(second.take(1)).toBeUndefined();
  });
});
