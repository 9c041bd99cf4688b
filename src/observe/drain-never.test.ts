import { expect, test } from 'vitest';
import { blade, takenAtMs } from '../../test/support/snapshot.ts';
import { withAnswers } from '../../test/support/steering/kept-out.ts';
import { apiVersion } from '../model/contract.ts';
import { Drain } from '../model/spec/kinds.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { planDrains } from './drain-plan.ts';

test('a drain is refused that would leave users alone because they never reach the other clusters', async () => {
  const example = await loadPlatformOrThrow(['examples/hybrid']);
  const spec = example.policies.get('video')?.spec;
  if (spec === undefined) throw new Error('no policy');
  const never = [{ clusters: ['cloud', 'newyork'], countries: ['FR'], continents: [], unknownLocation: false }];
  const platform = withAnswers(example, { ...spec, never });
  const drain = Drain.parse({
    apiVersion,
    kind: 'Drain',
    metadata: { name: 'paris' },
    spec: {
      target: { kind: 'Cluster', name: 'paris' },
      reason: 'disks',
      expires: new Date(takenAtMs + 3_600_000).toISOString(),
    },
  });
  const agents = [blade('paris-blade-1'), blade('paris-blade-2')];
  const snapshot = { takenAtMs, agents, clusters: [], pools: [], drains: [] };
  const plan = planDrains(platform, { ...platform, drains: new Map([['paris', drain]]) }, snapshot);
  expect(plan.refusals).toEqual([
    {
      reason: 'LeavesCountries',
      message: 'policy video would be left without a cluster in service for FR',
      fix: 'bring another of its clusters into service first, or name one more in the policy; its spec.never keeps users from cloud, newyork',
    },
  ]);
  expect(plan.moves.flatMap(({ countries }) => countries)).not.toContain('FR');
});
