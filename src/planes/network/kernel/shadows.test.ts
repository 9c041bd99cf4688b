import { describe, expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../../model/address.ts';
import type { ForeignRoute, Rule } from './parse.ts';
import { placesTaken, shadowsOf } from './shadows.ts';

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};
const block = '10.10.1.0/26';
const whole = new Map([[block, [prefix(block)]]]);
const holed = new Map([[block, [prefix('10.10.1.0/27')]]]);
const route = (to: string, more: Partial<ForeignRoute> = {}): ForeignRoute => ({
  prefix: prefix(to),
  table: 'main',
  type: 'unicast',
  protocol: 'boot',
  metric: 0,
  leaves: true,
  ...more,
});
const rule = (more: Partial<Rule> = {}): Rule => ({ family: 4, priority: 50, table: '100', ...more });
const reasons = (covers: typeof whole, foreign: readonly ForeignRoute[], rules: readonly Rule[] = []) =>
  shadowsOf(covers, foreign, rules).map(({ subject, reason }) => `${subject} ${reason}`);

describe('a route of another program', () => {
  it.each([
    ['to the block through another machine', route(block)],
    ['to a part of the block', route('10.10.1.32/27')],
    ['that is unreachable', route(block, { type: 'unreachable', leaves: false })],
  ])('shadows it: %s', (_, foreign) => {
    expect(reasons(whole, [foreign])).toEqual([`${block} RouteShadows`]);
  });

  it.each([
    ['of a pod', route('10.10.1.7/32', { leaves: false })],
    ['of a bridge of pods', route(block, { leaves: false, protocol: 'kernel' })],
    ['to more than the block', route('10.10.0.0/16')],
    ['to another block', route('10.10.2.0/26')],
    ['that is a blackhole like ours', route(block, { type: 'blackhole', leaves: false })],
    ['in a table that no rule asks', route(block, { table: '100' })],
  ])('does not: %s', (_, foreign) => {
    expect(reasons(whole, [foreign])).toEqual([]);
  });

  it('is a blackhole that closes the holes for lent addresses', () => {
    expect(reasons(holed, [route(block, { type: 'blackhole', leaves: false })])).toEqual([`${block} RouteShadows`]);
  });
});

describe('a rule of another program', () => {
  it.each([
    ['whose table has a route to the block', [route(block, { table: '100' })], rule(), 1],
    ['whose table has a default route', [route('0.0.0.0/0', { table: '100' })], rule(), 1],
    ['for these destinations', [route(block, { table: '100' })], rule({ to: prefix('10.10.0.0/16') }), 1],
    ['for other destinations', [route(block, { table: '100' })], rule({ to: prefix('10.20.0.0/16') }), 0],
    ['whose table has nothing for the block', [route('100.64.0.0/10', { table: '100' })], rule(), 0],
    ['whose table passes on', [route('0.0.0.0/0', { table: '100', type: 'throw' })], rule(), 0],
  ])('%s', (_, foreign, one, count) => {
    expect(reasons(whole, foreign, [one])).toEqual(count === 1 ? [`${block} RuleShadows`] : []);
  });
});

it('sees where the place of a blackhole of ours is taken', () => {
  const foreign = [
    route(block, { metric: 65_535 }),
    route('10.10.2.0/26'),
    route('10.10.3.0/26', { table: '9', metric: 65_535 }),
  ];
  expect([...placesTaken(foreign).keys()]).toEqual([block]);
});
