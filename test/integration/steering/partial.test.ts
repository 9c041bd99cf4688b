import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListHealthChecksCommand, UpdateHealthCheckCommand } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty } from '../../../src/planes/steering/plan/plan.ts';
import { renderPlans } from '../../../src/planes/steering/plan/text.ts';
import { powerDns } from '../../../src/planes/steering/providers/powerdns/write.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { testPowerDns } from '../../support/steering/powerdns.ts';
import { type NameServer, resolveFor } from '../../support/steering/resolve.ts';
import { eventually, examplePlatform, Vips, withManyOfParis } from '../../support/steering/world.ts';

/** France is answered by paris, which has four addresses here and wants two of them, and then by cloud. */
const zone = 'video.example';
const host = 'www.video.example';
const more = { 'paris 2': '192.0.2.11', 'paris 3': '192.0.2.12', 'paris 4': '192.0.2.13' };
const ofParis = ['paris', ...Object.keys(more)];
const longMs = 60_000;
const hourMs = 3_600_000;

interface Subject {
  readonly provider: ZoneProvider;
  readonly dns: NameServer;
  stop(): Promise<void>;
}

const vips = new Vips(more);
let emulator: Emulator;
let platform: Platform;

beforeAll(async () => {
  await vips.start();
  const addresses = ofParis.map((name) => vips.addresses[name] ?? '');
  platform = withManyOfParis(await examplePlatform(), addresses, 2);
});
afterAll(() => vips.stop());

async function startRoute53(): Promise<Subject> {
  emulator = await testEmulator({ checkers: 2 });
  const client = clientOf(emulator);
  await createZone(client, zone);
  return {
    provider: route53(client, timing),
    dns: emulator.dns,
    async stop() {
      client.destroy();
      await emulator.stop();
    },
  };
}

async function startOwnServer(): Promise<Subject> {
  const directory = await mkdtemp(join(tmpdir(), 'tideline-partial-'));
  const server = await testPowerDns({
    directory,
    dns: { host: '127.0.0.1', port: 5302 },
    apiPort: 8083,
    zones: [zone],
  });
  return {
    provider: powerDns({ url: server.apiUrl, apiKey: server.apiKey, clock: systemClock, random: Math.random }),
    dns: { host: '127.0.0.1', port: 5302 },
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The names of the addresses that France is answered with, asked so often that none of a few is missed. */
async function france(dns: NameServer): Promise<string> {
  const seen = new Set<string>();
  for (let index = 0; index < 40; index += 1) {
    for (const address of await resolveFor(dns, host, clientAddress('FR', index)))
      seen.add(Object.entries(vips.addresses).find(([, vip]) => vip === address)?.[0] ?? `${address}`);
  }
  return [...seen].sort().join(', ');
}

const franceIs = (dns: NameServer, ...wanted: readonly string[]): Promise<void> =>
  eventually(async () => {
    const got = await france(dns);
    return got === wanted.toSorted().join(', ') ? undefined : `France is answered with ${got}`;
  }, longMs);

describe.each([
  ['Route 53', startRoute53],
  ['PowerDNS', startOwnServer],
])('%s', (_title, start) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
    await applyZone(await planZone(platform, subject.provider, zone, 0), subject.provider);
  }, longMs);
  afterAll(() => subject?.stop());

  test(
    'addresses of a cluster fail one by one: its users leave when too few are left, and are back when enough answer',
    async () => {
      vips.fail();
      await franceIs(subject.dns, ...ofParis);
      vips.fail('paris');
      await franceIs(subject.dns, 'paris 2', 'paris 3', 'paris 4');
      vips.fail('paris', 'paris 3');
      await franceIs(subject.dns, 'paris 2', 'paris 4');
      vips.fail('paris', 'paris 2', 'paris 3');
      await franceIs(subject.dns, 'cloud');
      vips.fail(...ofParis);
      await franceIs(subject.dns, 'cloud');
      vips.fail('paris 2', 'paris 3');
      await franceIs(subject.dns, 'paris', 'paris 4');
    },
    5 * longMs,
  );

  test(
    'when nothing else answers, the addresses that are left do, and when nothing does, all of them',
    async () => {
      vips.fail('paris', 'paris 2', 'paris 3', 'cloud', 'newyork');
      await franceIs(subject.dns, 'paris 4');
      vips.fail(...ofParis, 'cloud', 'newyork');
      await franceIs(subject.dns, ...ofParis);
      vips.fail();
      await franceIs(subject.dns, ...ofParis);
    },
    5 * longMs,
  );

  test('nothing is left to do', async () => {
    expect(isEmpty(await planZone(platform, subject.provider, zone, 0))).toBe(true);
  });
});

describe("the check of Route 53 that counts paris's addresses", () => {
  let subject: Subject;
  const counting = async () => {
    const client = clientOf(emulator);
    const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
    client.destroy();
    return HealthChecks.filter(({ HealthCheckConfig }) => HealthCheckConfig?.Type === 'CALCULATED');
  };
  const plan = (spec: Platform, nowMs = 0) => planZone(spec, subject.provider, zone, nowMs);
  const apply = async (spec: Platform, nowMs = 0): Promise<void> =>
    applyZone(await plan(spec, nowMs), subject.provider);

  beforeAll(async () => {
    vips.fail();
    subject = await startRoute53();
  });
  afterAll(() => subject?.stop());

  test('is created with the checks that it counts, and is told, counted and paid for', async () => {
    const made = await plan(platform);
    const text = renderPlans([made]).join('\n');
    expect(text).toMatch(/\+ 2of4-\w{13} healthy while at least 2 of (?:\w{13}, ){3}\w{13} are\n/);
    expect(text).toContain('the account has 0 of 200, then 7; those that this zone uses cost about $17.00 a month');
    await applyZone(made, subject.provider);
    expect((await counting()).map(({ HealthCheckConfig: config }) => config?.HealthThreshold)).toEqual([2]);
    expect(isEmpty(await plan(platform))).toBe(true);
  });

  test('is put right when somebody inverts it, and the drift is told', async () => {
    const client = clientOf(emulator);
    const [{ Id: HealthCheckId } = {}] = await counting();
    await client.send(new UpdateHealthCheckCommand({ HealthCheckId, Inverted: true }));
    client.destroy();
    await franceIs(subject.dns, 'cloud');
    const repair = await plan(platform);
    expect(renderPlans([repair]).join('\n')).toMatch(/~ 2of4-\w{13} inverted true -> false, changed in place/);
    await applyZone(repair, subject.provider);
    await franceIs(subject.dns, ...ofParis);
    expect(isEmpty(await plan(platform))).toBe(true);
  });

  test('is retired for one with another number, and deleted an hour later', async () => {
    const addresses = ofParis.map((name) => vips.addresses[name] ?? '');
    const three = withManyOfParis(platform, addresses, 3);
    await apply(three);
    vips.fail('paris', 'paris 2');
    await franceIs(subject.dns, 'cloud');
    expect(await counting()).toHaveLength(2);
    await apply(three, 2 * hourMs);
    expect((await counting()).map(({ HealthCheckConfig: config }) => config?.HealthThreshold)).toEqual([3]);
    expect(isEmpty(await plan(three, 2 * hourMs))).toBe(true);
  });
});
