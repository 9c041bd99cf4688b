import { expect, test } from 'vitest';
import { blade, takenAtMs } from '../../test/support/snapshot.ts';
import { withFailback } from '../../test/support/steering/failback.ts';
import { apiVersion } from '../model/contract.ts';
import { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { planDrains } from './drain-plan.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);
const held = withFailback(platform, { mode: 'byHand', holdMinutes: 30, stepShare: 0.1, stepMinutes: 10 });

function unknownOf(of: Platform, kind: 'Cluster' | 'Blade', name: string): readonly string[] {
  const spec = { target: { kind, name }, reason: 'disks', expires: new Date(takenAtMs + 3_600_000).toISOString() };
  const drain = Drain.parse({ apiVersion, kind: 'Drain', metadata: { name: 'd' }, spec });
  const agents = [blade('paris-blade-1'), blade('paris-blade-2')];
  const snapshot = { takenAtMs, agents, clusters: [], pools: [], drains: [] };
  const plan = planDrains(of, { ...of, drains: new Map([['d', drain]]) }, snapshot);
  return plan.unknown.filter((one) => /holds back/.test(one));
}

test('the plan of a Drain says that a zone may hold clusters back, where it moves users of such a policy', () => {
  expect(unknownOf(held, 'Cluster', 'paris')).toEqual([
    expect.stringMatching(/^whether a zone of policy video holds back .*spec.failback byHand.*tideline steering plan/),
  ]);
  expect(unknownOf(held, 'Blade', 'paris-blade-1')).toEqual([]);
  expect(unknownOf(platform, 'Cluster', 'paris')).toEqual([]);
});
