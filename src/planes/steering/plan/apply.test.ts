import { expect, test } from 'vitest';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import { InputError } from '../../../model/problem.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { applyPlans } from './apply.ts';
import { outcomeToJson } from './json.ts';
import { checksumOf, planZones } from './plan.ts';
import { renderOutcome } from './text.ts';

const unapproved = { share: 0, failoverShare: 0, down: [], removals: [], broken: [] };
const approved = { share: 1, failoverShare: 1, down: [], removals: [], broken: [] };

/** Providers whose zones are in memory, and a way to plan all of them. */
function world(working?: ReadonlySet<ProviderName>) {
  const connect = memoryProviders(working);
  return { connect, plan: (platform: Platform) => planZones(platform, 'all', connect, 0, { by: 'anna' }) };
}

test('every zone of every provider is planned in order and written; a second plan is then empty', async () => {
  const { connect, plan } = world();
  const plans = await plan(await examplePlatform());
  expect(plans.map(({ provider, zone }) => `${provider} ${zone}`)).toEqual([
    'powerdns video.example',
    'route53 video.example',
  ]);
  const outcome = await applyPlans(plans, { checksum: checksumOf(plans), ...unapproved }, connect);
  expect(renderOutcome(outcome)).toEqual([
    'powerdns zone video.example: generation 1 answers',
    'route53 zone video.example: generation 1 answers',
  ]);
  const again = (await plan(await examplePlatform())).map(({ batches }) => batches);
  expect(again).toEqual([[], []]);
});

test('both providers are verified alike', async () => {
  const plans = await world().plan(await examplePlatform());
  const verified = plans.flatMap(({ intent }) => intent.policies.map(({ verification }) => verification));
  expect(verified).toEqual([
    { countries: 247, failureSets: 8 },
    { countries: 247, failureSets: 8 },
  ]);
});

test('a zone that fails ends the work; the zones written before it are in the outcome', async () => {
  const { connect, plan } = world(new Set(['powerdns']));
  const plans = await plan(await examplePlatform());
  const outcome = await applyPlans(plans, { checksum: checksumOf(plans), ...unapproved }, connect);
  expect(outcome.failure).toEqual(new Error('route53 is out of order'));
  expect(outcomeToJson(outcome)).toEqual({
    checksum: checksumOf(plans),
    applied: [{ provider: 'powerdns', zone: 'video.example', generation: 1, batches: 1 }],
    heldBack: [],
  });
});

test('a plan that is not the approved one, and a large move that nobody approved, write nothing', async () => {
  const { connect, plan } = world();
  const platform = await examplePlatform();
  const first = await plan(platform);
  await expect(applyPlans(first, { checksum: '0123456789abcdef', ...approved }, connect)).rejects.toThrow(
    '(PlanChanged)',
  );
  expect((await plan(platform)).map(({ changes }) => changes.registryBefore.generation)).toEqual([0, 0]);
  await applyPlans(first, { checksum: checksumOf(first), ...unapproved }, connect);
  const second = await plan(withDefault(platform, 'newyork'));
  const agreed = { checksum: checksumOf(second), ...approved, share: 0.5 };
  await expect(applyPlans(second, agreed, connect)).rejects.toThrow(/--approve-share 0\.\d+ \(NeedsApproval\)/);
  const { applied } = await applyPlans(second, { ...agreed, share: 1 }, connect);
  expect(applied.map(({ generation }) => generation)).toEqual([2, 2]);
});

test('a plan that was applied is found in force by its checksum, until another one was', async () => {
  const { connect, plan } = world();
  const platform = await examplePlatform();
  const first = await plan(platform);
  const agreed = { checksum: checksumOf(first), ...approved };
  await applyPlans(first, agreed, connect);
  const again = await applyPlans(await plan(platform), agreed, connect);
  expect(renderOutcome(again)).toEqual(
    ['powerdns', 'route53'].map(
      (provider) =>
        `${provider} zone video.example: plan ${agreed.checksum} is in force already, generation 1, applied by anna at 1970-01-01T00:00:00Z`,
    ),
  );
  expect(outcomeToJson(again)).toMatchObject({ applied: [], inForce: [{ plan: agreed.checksum }, { by: 'anna' }] });
  const moved = withDefault(platform, 'newyork');
  // The files ask for something else now, and afterwards that is in force.
  await expect(applyPlans(await plan(moved), agreed, connect)).rejects.toThrow(
    /^the plan is now [0-9a-f]{16}, not .* was applied by anna at 1970-01-01T00:00:00Z \(PlanChanged\)$/,
  );
  const second = await plan(moved);
  await applyPlans(second, { checksum: checksumOf(second), ...approved }, connect);
  await expect(applyPlans(await plan(moved), agreed, connect)).rejects.toThrow(
    /^nothing is left to do, and \S+ is not what was applied last; .* \(PlanChanged\)$/,
  );
});

test('no zone to plan is bad input that says what to do', async () => {
  const { connect } = world();
  const platform = await examplePlatform();
  const empty = { ...platform, policies: new Map() };
  await expect(planZones(empty, 'all', connect, 0)).rejects.toThrow(InputError);
  await expect(planZones(empty, 'route53', connect, 0)).rejects.toThrow(
    /\(NoPolicy\)\n {4}fix: .*a file of them is missing/,
  );
  const elsewhere = [...platform.policies].map(([name, policy]) => {
    const dns = { ...policy.spec.dns, providers: ['powerdns' as const] };
    return [name, { ...policy, spec: { ...policy.spec, dns } }] as const;
  });
  const other = { ...platform, policies: new Map(elsewhere) };
  await expect(planZones(other, 'route53', connect, 0)).rejects.toThrow(
    /uses the provider route53 \(NoPolicy\)\n {4}fix: add route53 to spec\.dns\.providers/,
  );
});
