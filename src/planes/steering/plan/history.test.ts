import { expect, test } from 'vitest';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withDefault, withHost } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { isNote } from '../records/registry.ts';
import { applyPlans, applyZone } from './apply.ts';
import { historiesToJson, readHistories, renderHistories } from './history.ts';
import { checksumOf, planZones } from './plan.ts';

const zone = 'video.example';
const startMs = Date.UTC(2026, 10, 27, 16);
const approved = { share: 1, failoverShare: 1, down: [], removals: [], broken: [] };
const ofZone = [{ provider: 'route53' as const, zone }];

/** What one operator does at that minute. */
async function apply(
  connect: ReturnType<typeof memoryProviders>,
  platform: Platform,
  minute: number,
  who: { readonly by: string; readonly reason?: string },
): Promise<string> {
  const plans = await planZones(platform, 'route53', connect, startMs + minute * 60_000, who);
  const checksum = checksumOf(plans);
  const { failure } = await applyPlans(plans, { checksum, ...approved }, connect);
  if (failure !== undefined) throw failure;
  return checksum;
}

test('every apply of two operators is told alike to both: who, when, why, the share moved, plan and inputs', async () => {
  const connect = memoryProviders();
  const platform = await examplePlatform();
  const first = await apply(connect, platform, 0, {
    by: 'anna',
    reason: 'première mise en service: "now" \\o/ \u001b[31m',
  });
  const second = await apply(connect, withDefault(platform, 'newyork'), 5, { by: 'ben@noc' });
  const lines = renderHistories(await readHistories(ofZone, connect));
  expect(lines).toEqual([
    'route53 zone video.example, generation 2',
    '  generation 2, 2026-11-27T16:05:00Z, ben@noc: apply, 75.2% of the traffic moved, in force',
    expect.stringMatching(`^    plan ${second}, inputs [0-9a-f]{16}$`),
    '  generation 1, 2026-11-27T16:00:00Z, anna: apply, 0% of the traffic moved, done',
    '    why: première mise en service: "now" \\o/ \u001b[31m',
    expect.stringMatching(`^    plan ${first}, inputs [0-9a-f]{16}$`),
  ]);
  expect(historiesToJson(await readHistories(ofZone, connect))).toMatchObject({
    zones: [{ provider: 'route53', generation: 2, applies: [{ by: 'ben@noc', isKept: true, outcome: 'done' }, {}] }],
  });
});

test('equal inputs are kept once; of many applies the last 50 are remembered, and the inputs of 16', async () => {
  const subject = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  const notes = (label: string) => subject.records.filter(({ name }) => name.startsWith(label)).length;
  for (let n = 1; n <= 60; n += 1) {
    const clusters =
      n > 40
        ? [
            { name: 'cloud', weight: n },
            { name: 'newyork', weight: 100 },
          ]
        : [{ name: ['cloud', 'newyork'][n % 2] ?? '', weight: 100 }];
    const video = platform.policies.get('video');
    if (video === undefined) throw new Error('no policy');
    const spec = { ...video.spec, default: { clusters, failover: [] } };
    const plan = await planZone(
      { ...platform, policies: new Map([['video', { ...video, spec }]]) },
      subject.provider,
      zone,
      startMs,
    );
    await applyZone(plan, subject.provider);
    if (n === 40) expect([notes('_apply-'), notes('_inputs-')]).toEqual([40, 2]);
  }
  expect([notes('_apply-'), notes('_inputs-')]).toEqual([50, 16]);
  const [history] = await readHistories(ofZone, async () => subject.provider);
  expect(history).toMatchObject({ generation: 60, unknown: [{ first: 1, last: 10, isForgotten: true }] });
  expect(renderHistories(history === undefined ? [] : [history]).at(-1)).toBe(
    '  generations 1 to 10: not remembered, only the last applies are',
  );
});

test('an apply that was cut off is told as not finished, and as cut off when the next one went on from there', async () => {
  const subject = new ZoneInMemory('route53');
  const hosts = Array.from({ length: 250 }, (_, n) => `h${n}.video.example`);
  const platform = hosts.reduce(withHost, await examplePlatform());
  const plan = await planZone(platform, subject.provider, zone, startMs, { by: 'anna' });
  expect(plan.batches.length).toBeGreaterThan(2);
  let left = 2;
  const stopped = {
    ...subject.provider,
    applyBatch: async (...batch: Parameters<typeof subject.provider.applyBatch>) => {
      left -= 1;
      if (left < 0) throw new Error('the machine went down');
      await subject.provider.applyBatch(...batch);
    },
  };
  await expect(applyZone(plan, stopped)).rejects.toThrow('the machine went down');
  const told = async () => renderHistories(await readHistories(ofZone, async () => subject.provider)).join('\n');
  expect(await told()).toMatch(
    /^route53 zone video.example, generation 2\n {2}generations 1 to \d+, .* anna: .*, not finished: cut off, or still at work\n/,
  );
  await applyZone(await planZone(platform, subject.provider, zone, startMs, { by: 'ben' }), subject.provider);
  expect(await told()).toMatch(
    /generations? 3(?: to \d)?, .* ben: .*, in force\n.*\n {2}generations 1 to \d, .* anna: .*, cut off\n/,
  );
});

test('what no note accounts for is told as unknown, and a record of another form says nothing', async () => {
  const subject = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  const run = async (wanted: Platform) =>
    applyZone(await planZone(wanted, subject.provider, zone, startMs), subject.provider);
  const told = async () => renderHistories(await readHistories(ofZone, async () => subject.provider));
  expect(await told()).toEqual(['route53 zone video.example: Tideline never wrote it']);
  await run(platform);
  subject.records = subject.records.filter(({ name }) => !isNote(zone, name));
  const unknown = 'nothing says who wrote; a release without this history did, or its notes were deleted';
  expect(await told()).toEqual(['route53 zone video.example, generation 1', `  generation 1: ${unknown}`]);
  await run(withDefault(platform, 'newyork'));
  subject.records = [...subject.records, foreignRecord('_apply-9._tideline.video.example', 'TXT', '"apply=7 magic"')];
  const lines = await told();
  expect(lines[1]).toMatch(/^ {2}generation 2, /);
  expect(lines.at(-1)).toBe(`  generation 1: ${unknown}`);
  subject.records = subject.records.map((record) =>
    record.name === '_tideline.video.example' ? foreignRecord(record.name, 'TXT', '"v=spf1"') : record,
  );
  expect((await told())[0]).toMatch(/its generation record cannot be read; see `tideline steering restore FOLDER`$/);
});

test('where everything but the notes was deleted by hand, the zone is written anew and the numbers begin again', async () => {
  const subject = new ZoneInMemory('route53');
  const run = async (by: string) =>
    applyZone(await planZone(await examplePlatform(), subject.provider, zone, startMs, { by }), subject.provider);
  await run('anna');
  subject.records = subject.records.filter(({ name }) => isNote(zone, name));
  await run('ben');
  const lines = renderHistories(await readHistories(ofZone, async () => subject.provider));
  expect(lines.filter((line) => line.includes('generation'))).toEqual([
    'route53 zone video.example, generation 1',
    expect.stringMatching(/generation 1, .* ben: .* in force$/),
  ]);
});

test.each(['route53', 'powerdns'] as const)(
  '%s: what somebody edited since is not in force as it was written',
  async (name) => {
    const subject = new ZoneInMemory(name);
    const plan = await planZone(await examplePlatform(), subject.provider, zone, startMs, { by: 'anna' });
    await applyZone(plan, subject.provider);
    const told = async () => {
      const histories = await readHistories([{ provider: name, zone }], async () => subject.provider);
      return { last: renderHistories(histories)[1], zones: (historiesToJson(histories) as { zones: unknown[] }).zones };
    };
    expect(await told()).toMatchObject({ last: expect.stringMatching(/, in force$/), zones: [{ isEdited: false }] });
    subject.records = subject.records.map((record) =>
      record.target.kind === 'values' && ['A', 'LUA'].includes(record.type)
        ? { ...record, target: { ...record.target, ttlSeconds: 7 } }
        : record,
    );
    expect(await told()).toMatchObject({
      last: expect.stringMatching(/, edited since by somebody else$/),
      zones: [{ isEdited: true }],
    });
  },
);

test('a zone that cannot be read does not hide the others', async () => {
  const connect = memoryProviders();
  await apply(connect, await examplePlatform(), 0, { by: 'anna' });
  const broken = async (name: 'route53' | 'powerdns') => ({
    ...(await connect(name)),
    ...(name === 'powerdns' ? { read: () => Promise.reject(new Error('no answer (ProviderUnreachable)')) } : {}),
  });
  const lines = renderHistories(await readHistories([{ provider: 'powerdns', zone }, ...ofZone], broken));
  expect(lines.slice(0, 2)).toEqual([
    'powerdns zone video.example: not known: no answer (ProviderUnreachable)',
    'route53 zone video.example, generation 1',
  ]);
});
