import { expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withDefault, withHost, withIPv6OnCloud } from '../../../../test/support/steering/world.ts';
import { ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import { formatRecord } from '../../../answers/record.ts';
import { apiVersion } from '../../../model/contract.ts';
import { Drain } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { historyOf } from '../records/history.ts';
import { findRegistry, isNote, parseHead } from '../records/registry.ts';
import { applyZone } from './apply.ts';
import { isEmpty } from './plan.ts';
import { planRollback } from './rollback.ts';
import { renderPlans } from './text.ts';

const zone = 'video.example';
const startMs = Date.UTC(2026, 10, 27, 16);

/** What the zone answers by: every record but the generation record and notes. */
const answersIn = ({ records }: ZoneInMemory): readonly string[] =>
  records
    .filter(({ name }) => !isNote(zone, name) && name !== '_tideline.video.example')
    .map(formatRecord)
    .sort();

const digestIn = ({ records }: ZoneInMemory): string => {
  const registry = findRegistry(zone, records);
  return registry === undefined ? 'none' : (parseHead(registry)?.digest ?? 'none');
};

async function apply(subject: ZoneInMemory, platform: Platform, by = 'anna'): Promise<void> {
  await applyZone(await planZone(platform, subject.provider, zone, startMs, { by }), subject.provider);
}

const rollback = (subject: ZoneInMemory, platform: Platform, apply: number | string) =>
  planRollback(platform, subject.provider, { zone, apply: String(apply) }, startMs, { by: 'ben', reason: 'too far' });

test.each(['route53', 'powerdns'] as const)(
  '%s: a rollback writes the records of the earlier apply, says what the spec still says, and is told by the next plan',
  async (provider) => {
    const subject = new ZoneInMemory(provider);
    const first = await examplePlatform();
    const second = withHost(withDefault(first, 'newyork'), 'new.video.example');
    await apply(subject, first);
    const [before, digest] = [answersIn(subject), digestIn(subject)];
    await apply(subject, second);
    const plan = await rollback(subject, second, 1);
    expect(plan.notices[0]).toMatchObject({
      reason: 'SpecSaysOtherwise',
      message: expect.stringContaining('of video,'),
    });
    expect(plan.overGuard.map(({ kind, host }) => `${kind} ${host}`).sort()).toEqual([
      'moves www.video.example',
      'removal new.video.example',
    ]);
    expect(renderPlans([plan])[0]).toBe(`${provider} zone video.example, generation 2, back to generation 1`);
    await applyZone(plan, subject.provider);
    expect(answersIn(subject)).toEqual(before);
    // The kept inputs give the plan of that day, to the digest of its records.
    expect(digestIn(subject)).toBe(digest);
    expect(historyOf(zone, subject.records).applies[0]).toMatchObject({
      task: 'rollback:1',
      by: 'ben',
      reason: 'too far',
    });
    const next = await planZone(second, subject.provider, zone, startMs);
    expect(next.notices.map(({ reason }) => reason)).toContain('RolledBack');
    const reverted = await planZone(first, subject.provider, zone, startMs);
    expect([isEmpty(reverted), reverted.notices.filter(({ reason }) => reason === 'RolledBack')]).toEqual([true, []]);
    const [, , { plan: ofFirst } = { plan: '' }] = historyOf(zone, subject.records).applies;
    expect(isEmpty(await rollback(subject, first, ofFirst))).toBe(true);
    // The way forward again is a rollback as well, and the one to where the zone is changes nothing.
    expect((await rollback(subject, first, 2)).impacts.map(({ host }) => host)).toContain('new.video.example');
    expect(isEmpty(await rollback(subject, first, 3))).toBe(true);
  },
);

test('a rollback that was cut off leaves every host with its old or new answer, and goes on when it is planned again', async () => {
  const subject = new ZoneInMemory('route53');
  const hosts = Array.from({ length: 250 }, (_, n) => `h${n}.video.example`);
  const first = hosts.reduce(withHost, await examplePlatform());
  const second = withDefault(first, 'newyork');
  await apply(subject, first);
  const before = answersIn(subject);
  const { generation = 0 } = historyOf(zone, subject.records);
  await apply(subject, second);
  const after = new Set(answersIn(subject));
  const plan = await rollback(subject, second, generation);
  expect(plan.batches.length).toBeGreaterThan(1);
  let left = 1;
  const stopped = {
    ...subject.provider,
    applyBatch: async (...batch: Parameters<typeof subject.provider.applyBatch>) => {
      left -= 1;
      if (left < 0) throw new Error('the machine went down');
      await subject.provider.applyBatch(...batch);
    },
  };
  await expect(applyZone(plan, stopped)).rejects.toThrow('the machine went down');
  const either = new Set([...before, ...after]);
  expect(answersIn(subject).filter((text) => !either.has(text))).toEqual([]);
  const [unfinished] = historyOf(zone, subject.records).applies;
  expect(unfinished).toMatchObject({ task: `rollback:${generation}`, outcome: 'unfinished' });
  await expect(rollback(subject, second, unfinished?.generation ?? 0)).rejects.toThrow('UnknownGeneration');
  await applyZone(await rollback(subject, second, generation), subject.provider);
  expect(answersIn(subject)).toEqual(before);
});

test('what the zone does not remember is refused, with what it does', async () => {
  const subject = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  await apply(subject, platform);
  await apply(subject, withDefault(platform, 'newyork'));
  await expect(rollback(subject, platform, 7)).rejects.toThrow(
    /no finished apply in the route53 zone video\.example wrote generation 7, .* \(UnknownGeneration\)\n {4}fix: name one of these generations, .*: 2, 1$/,
  );
  const whole = subject.records;
  const change = (to: (values: readonly string[]) => readonly string[]): void => {
    subject.records = whole.map((record) => {
      if (!record.name.startsWith('_inputs-') || record.target.kind !== 'values') return record;
      return { ...record, target: { ...record.target, values: to(record.target.values) } };
    });
  };
  change((values) => values.toReversed());
  expect(isEmpty(await rollback(subject, platform, 2))).toBe(true);
  change((values) => values.slice(1));
  await expect(rollback(subject, platform, 1)).rejects.toThrow(/are damaged; .*\(InputsGone\)$/);
  change(() => ['"00bm90IGJyb3RsaQ=="']);
  await expect(rollback(subject, platform, 1)).rejects.toThrow(/are damaged; .*\(InputsGone\)$/);
  subject.records = whole.filter(({ name }) => !name.startsWith('_inputs-'));
  await expect(rollback(subject, platform, 1)).rejects.toThrow(
    /^the inputs of generation 1 of the zone video\.example are not kept in it any more; .*\(InputsGone\)$/,
  );
});

test('a cluster that is gone or has other addresses is named, and nothing is planned', async () => {
  const subject = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  await apply(subject, platform);
  const moved = withDefault(withIPv6OnCloud(platform), 'newyork');
  await apply(subject, moved);
  await expect(rollback(subject, moved, 1)).rejects.toThrow(
    /Cluster\/cloud had 203\.0\.113\.10 then and has 203\.0\.113\.10 and 2001:db8:6::10 now; change that .*\(NoLongerHolds\)$/,
  );
  const clusters = new Map(platform.clusters);
  clusters.delete('cloud');
  await expect(rollback(subject, { ...platform, clusters }, 1)).rejects.toThrow(
    /Cluster\/cloud is not in the platform spec/,
  );
  expect(isEmpty(await rollback(subject, moved, 2))).toBe(true);
});

test('whom a policy keeps from a cluster today is not led there by an earlier one', async () => {
  const subject = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  await apply(subject, platform);
  const moved = withDefault(platform, 'newyork');
  const video = moved.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const never = [{ clusters: ['cloud'], countries: ['FR'], continents: [], unknownLocation: false }];
  const kept = { ...moved, policies: new Map([['video', { ...video, spec: { ...video.spec, never } }]]) };
  await apply(subject, kept);
  await expect(rollback(subject, kept, 1)).rejects.toThrow(
    /: spec\.never of video keeps users from cloud today and did not then; .*\(NoLongerHolds\)$/,
  );
  expect(isEmpty(await rollback(subject, kept, 2))).toBe(true);
});

test('drains are those of today, and the guard is; both are said or judged so', async () => {
  const subject = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  await apply(subject, platform);
  await apply(subject, withDefault(platform, 'newyork'));
  const works = Drain.parse({
    apiVersion,
    kind: 'Drain',
    metadata: { name: 'works' },
    spec: { target: { kind: 'Cluster', name: 'cloud' }, reason: 'works', expires: '2026-11-28T00:00:00Z' },
  });
  const drained = { ...withDefault(platform, 'newyork'), drains: new Map([['works', works]]) };
  const plan = await rollback(subject, drained, 1);
  expect(plan.notices[0]).toEqual({
    reason: 'DrainsOfToday',
    message: 'cloud was not drained at generation 1 and is now: it stays drained',
  });
  const afterwards = plan.impacts.flatMap(({ groups }) => groups.map(({ after }) => after));
  expect(afterwards).not.toContain('cloud');
  const strict = withDefault(platform, 'newyork');
  const video = strict.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const guard = { ...video.spec.guard, maxTrafficShare: 1 };
  const loose = { ...strict, policies: new Map([['video', { ...video, spec: { ...video.spec, guard } }]]) };
  expect([
    (await rollback(subject, strict, 1)).overGuard.length,
    (await rollback(subject, loose, 1)).overGuard,
  ]).toEqual([1, []]);
});
