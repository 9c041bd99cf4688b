import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  CreateHostedZoneCommand,
  DeleteHealthCheckCommand,
  GetAccountLimitCommand,
  GetHealthCheckStatusCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { afterEach, describe, expect, it } from 'vitest';
import type { Emulator, EmulatorOptions } from '../../../../lab/emulators/route53/emulator.ts';
import { route53Reader } from '../../../../src/planes/steering/providers/route53/read.ts';
import { clientOf, createZone, testEmulator, timing } from '../../../support/steering/emulator.ts';
import { resolveFor } from '../../../support/steering/resolve.ts';
import { eventually } from '../../../support/steering/world.ts';
import { insync } from './emulator.ts';

/** What an account and its checkers do, and what Route 53 leaves open, through the official SDK. */
const zone = 'video.example';
let emulator: Emulator;
let client: ReturnType<typeof clientOf>;
let zoneId = '';

afterEach(async () => {
  client.destroy();
  await emulator.stop();
});

async function start(options: Partial<EmulatorOptions> = {}): Promise<void> {
  emulator = await testEmulator({ insyncDelayMs: 0, ...options });
  client = clientOf(emulator);
  zoneId = await createZone(client, zone);
}

const change = (Action: NonNullable<Change['Action']>, record: Partial<ResourceRecordSet>): Change => ({
  Action,
  ResourceRecordSet: { Name: zone, Type: 'A', ...record },
});
const plain = (Name: string, ...values: readonly string[]): Partial<ResourceRecordSet> => ({
  Name,
  TTL: 30,
  ResourceRecords: values.map((Value) => ({ Value })),
});
/** Sends a batch and waits until DNS shows it. */
const write = async (...Changes: Change[]): Promise<void> => {
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes } });
  await insync(client, await client.send(command));
};
const list = async (): Promise<readonly ResourceRecordSet[]> =>
  (await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }))).ResourceRecordSets ?? [];
const check = (reference: string, port = 9) =>
  client.send(
    new CreateHealthCheckCommand({
      CallerReference: reference,
      HealthCheckConfig: { Type: 'HTTP', IPAddress: '127.0.0.1', Port: port, RequestInterval: 10, FailureThreshold: 1 },
    }),
  );

describe('names', () => {
  it('are returned with every character in octal that is none of a-z, 0-9, - and _, and found by either form', async () => {
    await start();
    for (const name of [`*.${zone}`, `a@b.${zone}`, `X!y.${zone}`])
      await write(change('CREATE', plain(name, '192.0.2.1')));
    const names = (await list()).map(({ Name }) => Name);
    expect(names).toEqual(expect.arrayContaining([`\\052.${zone}.`, `a\\100b.${zone}.`, `x\\041y.${zone}.`]));
    await expect(write(change('CREATE', plain(`a\\100b.${zone}.`, '192.0.2.1')))).rejects.toThrow('already exists');
    for (const name of [`a@b.${zone}`, `x!y.${zone}`, `any.${zone}`])
      expect(await resolveFor(emulator.dns, name, undefined)).toEqual(['192.0.2.1']);
    const { records } = await route53Reader(client, timing).read(zone);
    expect(records.map(({ name }) => name)).toEqual(
      expect.arrayContaining([`*.${zone}`, `a@b.${zone}`, `x!y.${zone}`]),
    );
    await write(
      change('DELETE', plain(`a\\100b.${zone}`, '192.0.2.1')),
      change('DELETE', plain(`x!y.${zone}`, '192.0.2.1')),
    );
    expect((await list()).map(({ Name }) => Name)).not.toContain(`a\\100b.${zone}.`);
  });
});

describe('quotas', () => {
  it('are refused by their own errors, and a deletion makes room', async () => {
    await start({ healthCheckQuota: 2, zoneQuota: 1, recordQuota: 3 });
    const second = client.send(new CreateHostedZoneCommand({ Name: 'other.example', CallerReference: 'other' }));
    await expect(second).rejects.toMatchObject({ name: 'TooManyHostedZones' });
    const { HealthCheck } = await check('one');
    await check('two');
    await expect(check('three')).rejects.toMatchObject({ name: 'TooManyHealthChecks' });
    await client.send(new DeleteHealthCheckCommand({ HealthCheckId: HealthCheck?.Id ?? '' }));
    await check('three');
    await write(change('CREATE', plain(`a.${zone}`, '192.0.2.1')));
    await expect(write(change('CREATE', plain(`b.${zone}`, '192.0.2.1')))).rejects.toMatchObject({
      name: 'InvalidChangeBatch',
      message: expect.stringContaining('limit of 3 records'),
    });
    const zones = await client.send(new GetAccountLimitCommand({ Type: 'MAX_HOSTED_ZONES_BY_OWNER' }));
    expect([zones.Limit?.Value, zones.Count]).toEqual([1, 1]);
  });
});

describe('the values of a record', () => {
  const values = Array.from({ length: 8 }, (_, index) => `"value ${index}"`);
  const shown = async (): Promise<readonly string[]> => {
    const record = (await list()).find(({ Type }) => Type === 'TXT');
    return record?.ResourceRecords?.map(({ Value }) => Value ?? '') ?? [];
  };

  it('come in any order, and a DELETE matches in any', async () => {
    await start();
    await write(change('CREATE', { ...plain(`t.${zone}`, ...values), Type: 'TXT' }));
    const orders = new Set<string>();
    for (let n = 0; n < 10; n += 1) {
      const now = await shown();
      expect(now.toSorted()).toEqual(values);
      orders.add(now.join());
    }
    expect(orders.size).toBeGreaterThan(1);
    await write(change('DELETE', { ...plain(`t.${zone}`, ...values.toReversed()), Type: 'TXT' }));
    expect(await shown()).toEqual([]);
  });

  it('stay in the order in which they were written where the emulator is told so', async () => {
    await start({ valueOrder: 'written' });
    await write(change('CREATE', { ...plain(`t.${zone}`, ...values), Type: 'TXT' }));
    expect(await shown()).toEqual(values);
  });
});

describe('an alias whose target goes', () => {
  const record = plain(`target.${zone}`, '192.0.2.1');
  const begin = async (options: Partial<EmulatorOptions>): Promise<void> => {
    await start(options);
    const AliasTarget = { HostedZoneId: zoneId, DNSName: `target.${zone}`, EvaluateTargetHealth: false };
    await write(change('CREATE', record), change('CREATE', { Name: `alias.${zone}`, AliasTarget }));
  };

  it('keeps its target: the deletion is refused', async () => {
    await begin({});
    await expect(write(change('DELETE', record))).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
  });

  it('is left without an answer where the emulator is told so', async () => {
    await begin({ danglingAliases: 'left' });
    await write(change('DELETE', record));
    expect(await resolveFor(emulator.dns, `alias.${zone}`, undefined)).toEqual([]);
    await write(change('CREATE', record));
    expect(await resolveFor(emulator.dns, `alias.${zone}`, undefined)).toEqual(['192.0.2.1']);
  });
});

describe('the quorum of checkers', () => {
  it('is more than 18 %: two of six that reach an endpoint keep it healthy, one does not', async () => {
    await start({ checkers: 6 });
    const web = createServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    try {
      const { HealthCheck } = await check('quorum', (web.address() as AddressInfo).port);
      const id = HealthCheck?.Id ?? '';
      const failing = async (): Promise<number> => {
        const command = new GetHealthCheckStatusCommand({ HealthCheckId: id });
        const { HealthCheckObservations = [] } = await client.send(command);
        return HealthCheckObservations.filter(({ StatusReport }) => StatusReport?.Status?.startsWith('Failure')).length;
      };
      const reached = (wanted: number): Promise<void> =>
        eventually(async () => {
          const now = await failing();
          return now === wanted ? undefined : `${now} checkers fail, not ${wanted}`;
        });
      await write(
        change('CREATE', {
          ...plain(`q.${zone}`, '192.0.2.1'),
          SetIdentifier: 'p',
          Failover: 'PRIMARY',
          HealthCheckId: id,
        }),
        change('CREATE', { ...plain(`q.${zone}`, '192.0.2.2'), SetIdentifier: 's', Failover: 'SECONDARY' }),
      );
      emulator.cutOff('127.0.0.1', 4 / 6);
      await reached(4);
      expect(await resolveFor(emulator.dns, `q.${zone}`, undefined)).toEqual(['192.0.2.1']);
      emulator.cutOff('127.0.0.1', 5 / 6);
      await reached(5);
      expect(await resolveFor(emulator.dns, `q.${zone}`, undefined)).toEqual(['192.0.2.2']);
      emulator.cutOff('127.0.0.1', 0);
      await reached(0);
      expect(await resolveFor(emulator.dns, `q.${zone}`, undefined)).toEqual(['192.0.2.1']);
    } finally {
      web.closeAllConnections();
      web.close();
    }
  });
});
