import { expect, test } from 'vitest';
import { policyOf } from '../../../../test/support/steering/policies.ts';
import { approvalsFor, isApproved, overGuardsOf } from './guard.ts';
import type { HostImpact } from './impact.ts';

test('a share that is no number is beyond every guard, and no word of a person lets it pass', () => {
  const policy = policyOf('default: { clusters: [{ name: x }] }');
  const impact: HostImpact = {
    host: 'www.example.net',
    movedShare: Number.NaN,
    groups: [],
    families: [],
    depth: [],
    familiesDiffer: [],
  };
  const [over, ...others] = overGuardsOf(policy, impact);
  expect([over?.kind, others]).toEqual(['moves', []]);
  const approval = { checksum: '', share: 1, failoverShare: 1, down: [], removals: [], broken: [] };
  expect(over && isApproved(over, approval)).toBe(false);
  expect(approvalsFor(over === undefined ? [] : [over])).toHaveLength(1);
});
