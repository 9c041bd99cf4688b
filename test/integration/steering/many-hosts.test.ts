import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { compareRecords, formatRecord, type RecordSet } from '../../../src/answers/record.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty } from '../../../src/planes/steering/plan/plan.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import type { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import type { Batch } from '../../../src/planes/steering/records/batches.ts';
import { isHostRecord } from '../../../src/planes/steering/records/host-records.ts';
import { findRegistry, registryOf } from '../../../src/planes/steering/records/registry.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { examplePlatform, Vips, withDefault } from '../../support/steering/world.ts';

/** Zones with so many hosts, of such long names, that neither one record could list them nor one batch create them. */
let emulator: Emulator;
let client: ReturnType<typeof route53Client>;
const vips = new Vips();

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ insyncDelayMs: 5 });
  client = clientOf(emulator);
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
});

const provider = (): ZoneProvider => route53(client, { ...timing, pollMs: 5 });
const longName = (zone: string, index: number): string =>
  `${'a-long-label-'.repeat(4)}${String(index).padStart(4, '0')}.below-a-label.${zone}`;
const hostsOf = (zone: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => longName(zone, index));

/** The platform of the example, whose policy, with its first rule alone, and its copies answer for these hosts in another zone. */
function withHosts(platform: Platform, zone: string, hosts: readonly string[]): Platform {
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const starts = hosts.flatMap((_host, index) => (index % 500 === 0 ? [index] : []));
  const policies = starts.map((start) => {
    const name = `video-${start}`;
    const { dns, rules } = video.spec;
    const some = hosts.slice(start, start + 500);
    const spec = { ...video.spec, rules: rules.slice(0, 1), hosts: some, dns: { ...dns, zone } };
    return [name, { ...video, metadata: { ...video.metadata, name }, spec }] as const;
  });
  return { ...platform, policies: new Map(policies) };
}

const plan = (platform: Platform, zone: string) =>
  planZone(platform, { name: 'route53', read: (name) => provider().read(name) }, zone, 0);

/** Applies a plan with a writer that ends after so many batches; resolves with true when it came to its end before. */
async function applyUntil(platform: Platform, zone: string, batches: number): Promise<boolean> {
  const writer = provider();
  let left = batches;
  const ending: ZoneProvider = {
    ...writer,
    applyBatch: async (state, batch, ids) => {
      left -= 1;
      if (left < 0) throw new Error('the writer ended');
      await writer.applyBatch(state, batch, ids);
    },
  };
  const made = await plan(platform, zone);
  return applyZone(made, ending).then(
    () => true,
    (error: unknown) => {
      expect(String(error)).toContain('the writer ended');
      return false;
    },
  );
}

const apply = (platform: Platform, zone: string): Promise<boolean> => applyUntil(platform, zone, Infinity);

/** What the name servers answer to a client in Japan for some of the hosts. */
async function answersFor(hosts: readonly string[]): Promise<ReadonlySet<string>> {
  const some = hosts.filter((_host, index) => index % Math.ceil(hosts.length / 20) === 0);
  const found = await Promise.all(some.map((host) => resolveFor(emulator.dns, host, '133.11.93.1')));
  return new Set(found.map((addresses) => addresses.join()));
}

async function recordsOf(zone: string): Promise<readonly RecordSet[]> {
  return (await provider().read(zone)).records;
}

test.each([
  [250, 2],
  [1000, 8],
])(
  '%i hosts of long names are created, changed and removed in %i batches, with a stop among those of each step',
  async (count, batches) => {
    const zone = `h${count}.example`;
    await createZone(client, zone);
    const hosts = hostsOf(zone, count);
    const base = await examplePlatform();
    const spec = withHosts(withDefault(base, 'newyork'), zone, hosts);
    expect((await plan(spec, zone)).batches).toHaveLength(batches);
    for (const stop of batches > 2 ? [1, 2] : [1]) {
      expect(await applyUntil(spec, zone, stop)).toBe(false);
      const { hosts: ours } = registryOf(zone, await recordsOf(zone));
      const answered = hosts.filter((host) => ours.includes(host));
      expect([...(await answersFor(answered))].filter((answer) => answer !== '198.51.100.10')).toEqual([]);
    }
    expect(await apply(spec, zone)).toBe(true);
    expect(registryOf(zone, await recordsOf(zone)).hosts).toEqual(hosts);
    expect(await answersFor(hosts)).toEqual(new Set(['198.51.100.10']));
    const changed = withHosts(withDefault(base, 'cloud'), zone, hosts);
    expect(await applyUntil(changed, zone, 1)).toBe(false);
    const answers = await answersFor(hosts);
    expect([...answers].filter((answer) => !['198.51.100.10', '203.0.113.10'].includes(answer))).toEqual([]);
    await apply(changed, zone);
    expect(await answersFor(hosts)).toEqual(new Set(['203.0.113.10']));
    expect(isEmpty(await plan(changed, zone))).toBe(true);
    const fewer = withHosts(withDefault(base, 'cloud'), zone, hosts.slice(0, 3));
    expect(await applyUntil(fewer, zone, 1)).toBe(false);
    await apply(fewer, zone);
    expect(registryOf(zone, await recordsOf(zone)).hosts).toEqual(hosts.slice(0, 3));
  },
  600_000,
);

/** Writes the zone as a release left it that listed the hosts in the generation record. */
async function asEarlierRelease(zone: string): Promise<void> {
  const state = await provider().read(zone);
  const before = findRegistry(zone, state.records);
  if (before?.target.kind !== 'values') throw new Error('no generation record');
  const { hosts } = registryOf(zone, state.records);
  const values = [
    ...before.target.values.map((value) => value.replace('v=2', 'v=1')),
    ...hosts.map((host) => `"host=${host}"`),
  ];
  const after = { ...before, target: { ...before.target, values } };
  const hostRecords = state.records.filter(({ name }) => isHostRecord(zone, name));
  const changes: Batch['changes'] = [
    ...[before, ...hostRecords].map((record) => ({ action: 'DELETE', record }) as const),
    { action: 'CREATE', record: after },
  ];
  await provider().applyBatch(state, { changes, before, after }, new Map());
}

test('a zone of a release that listed its hosts in one record goes on, with a stop after any batch', async () => {
  const zone = 'earlier.example';
  await createZone(client, zone);
  const hosts = hostsOf(zone, 170);
  const base = await examplePlatform();
  const spec = withHosts(withDefault(base, 'newyork'), zone, hosts);
  await apply(spec, zone);
  const written = (await recordsOf(zone)).toSorted(compareRecords).map(formatRecord);
  const changed = withHosts(withDefault(base, 'cloud'), zone, hostsOf(zone, 180));
  for (let stop = 1; ; stop += 1) {
    await asEarlierRelease(zone);
    expect(isEmpty(await plan(spec, zone))).toBe(true);
    const isDone = await applyUntil(changed, zone, stop);
    expect(registryOf(zone, await recordsOf(zone))).toMatchObject({ listed: [] });
    const answers = await answersFor(hosts);
    expect([...answers].filter((answer) => !['198.51.100.10', '203.0.113.10'].includes(answer))).toEqual([]);
    await apply(changed, zone);
    expect(isEmpty(await plan(changed, zone))).toBe(true);
    await apply(spec, zone);
    const now = (await recordsOf(zone)).toSorted(compareRecords).map(formatRecord);
    const isOfTime = (text: string): boolean => /^_(tideline|apply-|inputs-|moved)/.test(text);
    expect(now.filter((text) => !isOfTime(text))).toEqual(written.filter((text) => !isOfTime(text)));
    if (isDone) {
      expect(stop).toBeGreaterThan(1);
      return;
    }
  }
}, 600_000);
