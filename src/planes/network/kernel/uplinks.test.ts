import { describe, expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../../model/address.ts';
import { guardedCovers, missingRules, surplusRules, textOf, unguardedNotice, uplinkRulesOf } from './uplinks.ts';

const prefixes = (...texts: readonly string[]): readonly Prefix[] => texts.flatMap((text) => parsePrefix(text) ?? []);
const block = '10.10.1.0/26';
const holed = new Map([
  [block, prefixes('10.10.1.0/27')],
  ['10.10.2.0/26', prefixes('10.10.2.0/26')],
]);
const rules = uplinkRulesOf(holed, ['eth0', 'eth1']);

describe('the rules that blackholes need', () => {
  it('are two for each uplink and block with holes', () => {
    expect(rules.map(textOf)).toEqual([
      `${block} from eth0: inside`,
      `${block} from eth0: drop`,
      `${block} from eth1: inside`,
      `${block} from eth1: drop`,
    ]);
  });

  it('are there also for a block that is lent as a whole, and none without an uplink', () => {
    expect(uplinkRulesOf(new Map([[block, []]]), ['eth0'])).toHaveLength(2);
    expect(uplinkRulesOf(holed, [])).toEqual([]);
  });
});

it('makes no hole in a block of which a rule is missing, and says so', () => {
  const missing = missingRules(rules, rules.slice(1));
  const { covers, unguarded } = guardedCovers(holed, missing);
  expect([...covers.values()].flat().map(({ text }) => text)).toEqual([block, '10.10.2.0/26']);
  expect(unguarded.map(unguardedNotice)).toMatchObject([{ subject: block, reason: 'UplinkRuleMissing' }]);
  expect(guardedCovers(holed, missingRules(rules, rules)).covers).toBe(holed);
});

describe('a rule that is not wanted any more', () => {
  const surplus = (installed: readonly string[], announced: readonly string[], wanted = uplinkRulesOf(new Map(), [])) =>
    surplusRules(
      wanted,
      { rules: { uplink: rules }, installed: prefixes(...installed) },
      prefixes(...announced).map((prefix) => ({ prefix })),
    ).length;

  it.each([
    ['while the block has its smaller blackholes', ['10.10.1.0/27'], [block], 0],
    ['while these stand beside the whole one', [block, '10.10.1.0/27'], [block], 0],
    ['while the block is announced and lent as a whole', [], [block], 0],
    ['but not when the block is blackholed as a whole', [block], [block], 4],
    ['but not when the block is gone', ['10.10.2.0/26'], ['10.10.2.0/26'], 4],
  ])('stays %s', (_, installed, announced, count) => {
    expect(surplus(installed, announced)).toBe(count);
  });

  it('stays on an interface that is no uplink at the moment', () => {
    expect(surplus(['10.10.1.0/27'], [block], uplinkRulesOf(holed, ['eth0']))).toBe(0);
  });
});
