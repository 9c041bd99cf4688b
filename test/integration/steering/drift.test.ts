import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeResourceRecordSetsCommand,
  ListHealthChecksCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type Route53Client,
  UpdateHealthCheckCommand,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { type Ran, runTideline } from '../../support/steering/command.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';

/** A zone that is edited through the provider's API, as a person does in a console. */
let emulator: Emulator;
let client: Route53Client;
let folder: string;

const on = () => [folder, '--provider', 'route53', '--route53-endpoint', emulator.apiUrl];
const tideline = (...words: readonly string[]): Promise<Ran> => runTideline({}, ['steering', ...words]);
const drift = (...words: readonly string[]): Promise<Ran> => tideline('drift', ...on(), ...words);

beforeAll(async () => {
  emulator = await testEmulator({ insyncDelayMs: 50 });
  client = clientOf(emulator);
  await createZone(client, 'video.example');
  folder = await mkdtemp(join(tmpdir(), 'tideline-drift-'));
  await cp('examples/hybrid', folder, { recursive: true });
}, 60_000);

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function apply(): Promise<void> {
  const { out } = await tideline('plan', ...on());
  const checksum = /^plan ([0-9a-f]{16})$/m.exec(out)?.[1] ?? 'none';
  const approved = ['--approve-share', '1', '--approve-failover', '1', '--approve-down', 'paris', 'newyork', 'cloud'];
  expect((await tideline('apply', ...on(), '--plan', checksum, ...approved, '--no-ask')).code).toBe(0);
}

const edited = async (): Promise<string> => (await tideline('history', 'video.example', ...on())).out;

test('drift says what somebody edited at the provider and who benefits, until the next apply puts it back', {
  timeout: 240_000,
}, async () => {
  const never = await drift();
  expect([never.code, never.out]).toEqual([0, 'route53 zone video.example: Tideline never wrote it\n']);
  await apply();
  const clean = await drift();
  expect([clean.code, clean.out]).toEqual([
    0,
    expect.stringMatching(/^route53 zone video\.example, generation 1: as \S+ applied it at \S+Z\n$/),
  ]);

  const { HostedZones: [zone] = [] } = await client.send(new ListHostedZonesCommand({}));
  const { ResourceRecordSets = [] } = await client.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: zone?.Id, MaxItems: 300 }),
  );
  const france = ResourceRecordSets.find(({ GeoLocation }) => GeoLocation?.CountryCode === 'FR');
  if (france === undefined) throw new Error('no record of France');
  const { AliasTarget: _alias, ...others } = france;
  const ours = { ...others, TTL: 60, ResourceRecords: [{ Value: '203.0.113.66' }] };
  await client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone?.Id,
      ChangeBatch: { Changes: [{ Action: 'UPSERT', ResourceRecordSet: ours }] },
    }),
  );
  const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
  const check = HealthChecks.find(({ HealthCheckConfig }) => HealthCheckConfig?.IPAddress === '198.51.100.10');
  await client.send(new UpdateHealthCheckCommand({ HealthCheckId: check?.Id, Inverted: true }));

  const { code, out } = await drift();
  expect(code).toBe(1);
  expect(out).toMatch(/^route53 zone video\.example, generation 1: edited by somebody else since \S+ applied it at /);
  expect(out).toMatch(/^ {4}- www\.video\.example A .*FR.* alias failover-/m);
  expect(out).toMatch(/^ {4}\+ www\.video\.example A .*FR.* 203\.0\.113\.66/m);
  expect(out).toMatch(/^ {2}health check \S+ of 198\.51\.100\.10: inverted false -> true$/m);
  expect(out).toMatch(/203\.0\.113\.66 gains 0\.4% of the traffic/);
  expect(out).toMatch(/^ {4}www\.video\.example: paris -> 203\.0\.113\.66: FR$/m);
  const json = JSON.parse((await drift('-o', 'json')).out) as object;
  expect(json).toMatchObject({
    zones: [{ isEdited: true, comparedWith: 'applied', records: [{ edit: 'changed' }], checks: [{ id: check?.Id }] }],
  });
  expect(await edited()).toContain('edited since by somebody else');
  expect((await tideline('plan', ...on())).out).toMatch(/\(Drift\)/);

  await apply();
  expect((await drift()).code).toBe(0);
  expect(await edited()).toContain('in force');
});
