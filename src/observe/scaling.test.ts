import { expect, it } from 'vitest';
import { isScalingAmiss, type ScalingPart, type ScalingSeen, scalingLines } from './scaling.ts';

const nowMs = 1_000_000;
const web = {
  target: 'web',
  told: 20,
  floor: 18,
  binding: 'site paris',
  missing: 0,
  observed: { state: 'read' as const, ready: 20 },
};
const part = (changed: Partial<ScalingSeen> = {}): ScalingPart => ({
  at: '127.0.0.1:9466',
  scaling: {
    agent: 'scaling',
    cluster: 'cloud',
    measuredAtMs: nowMs - 12_000,
    computedAtMs: nowMs - 3000,
    targets: [web],
    findings: [],
    doubts: [],
    problems: [],
    ...changed,
  },
});

it('says what each target is told, and why', () => {
  expect(scalingLines(part(), nowMs)).toEqual([
    'autoscalers of cloud, told by 127.0.0.1:9466: demand of 12s ago, floors of 3s ago',
    '  web: 20 replicas because of the loss of site paris, of which 18 are needed now, 20 Ready',
  ]);
  expect(isScalingAmiss(part())).toBe(false);
});

it.each<[string, ScalingPart, RegExp]>([
  ['an agent that is silent', { at: 'h:1', problem: 'cannot be reached' }, /agent at h:1 cannot be reached/],
  ['one that measures nothing', part({ problems: ['no blade told anything'] }), /problem: no blade/],
  ['a target with too few', part({ targets: [{ ...web, observed: { state: 'read', ready: 3 } }] }), /3 Ready/],
  ['a target that cannot have enough', part({ targets: [{ ...web, missing: 4 }] }), /4 more that it cannot have/],
  [
    'a target that cannot be read',
    part({ targets: [{ ...web, observed: { state: 'unread', why: 'no route' } }] }),
    /nobody knows what is Ready: no route/,
  ],
])('%s is amiss', (_, one, says) => {
  expect(isScalingAmiss(one)).toBe(true);
  expect(scalingLines(one, nowMs).join('\n')).toMatch(says);
});

it('says why floors do not fall', () => {
  expect(scalingLines(part({ doubts: ['paris is drained'] }), nowMs).join('\n')).toMatch(
    /no floor falls now: paris is drained/,
  );
});
