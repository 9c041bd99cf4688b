import { expect, test } from 'vitest';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { apiVersion } from '../../../model/contract.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { Drain } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { duration } from '../compile/recovery.ts';
import { applyPlans } from './apply.ts';
import { explain, renderExplanation } from './explain.ts';
import { plansToJson } from './json.ts';
import { checksumOf, planZones } from './plan.ts';
import { renderPlans } from './text.ts';

const nowMs = Date.UTC(2026, 10, 27, 16);

function withSpec(platform: Platform, changed: Partial<TrafficPolicy['spec']>): Platform {
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  return { ...platform, policies: new Map([['video', { ...video, spec: { ...video.spec, ...changed } }]]) };
}

const planned = async (platform: Platform) => planZones(platform, 'all', memoryProviders(), nowMs);

test('plan and explain say how long users may be led to a failed cluster, at each provider', async () => {
  const platform = await examplePlatform();
  const all = 'cloud, newyork, paris';
  const route53 = `${all}: within 60 s (30 s for 3 failed checks, one each 10 s, then the TTL of 30 s)`;
  const powerdns = `${all}: within 35 s (5 s for one failed check, unless lua-health-checks-interval is not 5 s, then the TTL of 30 s)`;
  const plans = await planned(platform);
  const text = renderPlans(plans).join('\n');
  expect(text).toContain(`  time to recover of video when one fails: ${route53}`);
  expect(text).toContain(`  time to recover of video when one fails: ${powerdns}`);
  expect(plansToJson(plans)).toMatchObject({
    zones: [{ recovery: [{ policy: 'video', totalSeconds: 35 }] }, { recovery: [{ totalSeconds: 60 }] }],
  });
  expect(renderExplanation(explain(platform, 'www.video.example', 'FR', nowMs))).toEqual(
    expect.arrayContaining([`  time to recover at route53: ${route53}`, `  time to recover at powerdns: ${powerdns}`]),
  );
});

test('clusters that are checked at another pace are told apart', async () => {
  const platform = await examplePlatform();
  const cloud = platform.clusters.get('cloud');
  if (cloud === undefined) throw new Error('no cluster');
  const slow = {
    ...cloud,
    spec: { ...cloud.spec, healthCheck: { ...cloud.spec.healthCheck, intervalSeconds: 30 as const } },
  };
  const [, plan] = await planned({ ...platform, clusters: new Map(platform.clusters).set('cloud', slow) });
  expect(plan?.recoveries.map(({ clusters, totalSeconds }) => [clusters.join(), totalSeconds])).toEqual([
    ['cloud', 120],
    ['newyork,paris', 60],
  ]);
});

test('a TTL that makes a failover useless is noticed with the value that would not; without failover there is none', async () => {
  const platform = withSpec(await examplePlatform(), { ttlSeconds: 86_400 });
  const messages = (await planned(platform)).flatMap(({ notices }) =>
    notices.filter(({ reason }) => reason === 'SlowRecovery').map(({ message }) => message),
  );
  expect(messages).toEqual([
    'policy video: users are led to a cluster for up to 24 h after it failed; at most 295 in spec.ttlSeconds makes it 5 min',
    'policy video: users are led to a cluster for up to 24 h after it failed; at most 270 in spec.ttlSeconds makes it 5 min',
  ]);
  const alone = withSpec(platform, { rules: [], default: { clusters: [{ name: 'cloud', weight: 1 }], failover: [] } });
  for (const plan of await planned(alone)) {
    expect(plan.recoveries).toEqual([]);
    expect(plan.notices.map(({ reason }) => reason)).not.toContain('SlowRecovery');
  }
});

test('a Drain that is over but still stands in DNS is named until the zone is written', async () => {
  const platform = await examplePlatform();
  const drain = Drain.parse({
    apiVersion,
    kind: 'Drain',
    metadata: { name: 'paris-works' },
    spec: {
      target: { kind: 'Cluster', name: 'paris' },
      reason: 'works',
      expires: new Date(nowMs).toISOString(),
    },
  });
  const drained = { ...platform, drains: new Map([['paris-works', drain]]) };
  const connect = memoryProviders();
  const apply = async (atMs: number): Promise<readonly string[]> => {
    const plans = await planZones(drained, 'route53', connect, atMs);
    const approval = { checksum: checksumOf(plans), share: 1, failoverShare: 1, down: [], removals: [], broken: [] };
    await applyPlans(plans, approval, connect);
    return plans.flatMap(({ notices }) =>
      notices.filter(({ reason }) => reason === 'DrainEnded').map(({ message }) => message),
    );
  };
  const hourMs = 3_600_000;
  expect(await apply(nowMs - hourMs)).toEqual([]);
  expect(await apply(nowMs + 3 * hourMs)).toEqual([
    'Drain paris-works of paris ended 3 h ago; the next apply returns BE, ES, FR, GB, IT, SN to paris',
  ]);
  expect(await apply(nowMs + 3 * hourMs)).toEqual([]);
});

test.each([
  [45, '45 s'],
  [90, '90 s'],
  [300, '5 min'],
  [86_400, '24 h'],
  [86_430, '24 h'],
  [10_860, '3 h 1 min'],
  [0, '0 s'],
])('%i seconds read as %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
