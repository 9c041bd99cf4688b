import { expect, it } from 'vitest';
import type { EtcdView } from './etcd-healthy.ts';
import { judgeSpared } from './etcd-spares.ts';

const view = (...ill: readonly string[]): EtcdView => ({
  self: null,
  leader: 'm0',
  alarms: [],
  members: Object.fromEntries(
    ['m0', 'm1', 'm2'].map((name) => [name, { name, learner: false, urls: [], healthy: !ill.includes(name) }]),
  ),
});
const heard = (views: Readonly<Record<string, EtcdView>>) => ({
  said: new Map(Object.entries(views)),
  problems: new Map(),
});

it('lets a member be touched when the others are a quorum, and one that is ill before any other', () => {
  expect(judgeSpared(['m0'], heard({ m0: view(), m1: view(), m2: view() }))).toBeUndefined();
  expect(judgeSpared(['m0'], heard({ m1: view('m0'), m2: view('m0') }))).toBeUndefined();
  expect(judgeSpared(['m1'], heard({ m1: view('m0'), m2: view('m0') }))).toBe(
    'without m1 only 1 of 3 voters are healthy, and 2 are needed',
  );
});

it('believes the view of others that sees the fewest, and nobody who does not answer', () => {
  expect(judgeSpared(['m0'], heard({ m0: view(), m1: view(), m2: view('m1') }))).toMatch(/only 1 of 3/);
  expect(judgeSpared(['m0'], heard({}))).toMatch(/no member answers/);
});

it('lets the only member of a cluster be touched', () => {
  const alone = view();
  const { m0 } = alone.members;
  expect(judgeSpared(['m0'], heard({ m0: { ...alone, members: m0 === undefined ? {} : { m0 } } }))).toBeUndefined();
});
