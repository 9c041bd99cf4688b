import { createServer, type Server } from 'node:http';
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  ChangeTagsForResourceCommand,
  CreateHealthCheckCommand,
  CreateHostedZoneCommand,
  DeleteHealthCheckCommand,
  DeleteHostedZoneCommand,
  GetHealthCheckCommand,
  GetHealthCheckStatusCommand,
  GetHostedZoneCommand,
  type HealthCheckConfig,
  ListHealthChecksCommand,
  ListHostedZonesByNameCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  ListTagsForResourceCommand,
  ListTagsForResourcesCommand,
  type ResourceRecordSet,
  type Route53Client,
  UpdateHealthCheckCommand,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientAddress } from '../../../../src/geo/prefixes.ts';
import { ask, askByTcp, eventually, insync, type RunningEmulator, startEmulatorProcess } from './emulator.ts';

let emulator: RunningEmulator;
let client: Route53Client;
let zoneId = '';
let sequence = 0;

beforeAll(async () => {
  emulator = await startEmulatorProcess('--rate', '0', '--time-compression', '50', '--insync-delay-ms', '50');
  client = emulator.client(1);
  const created = await client.send(new CreateHostedZoneCommand({ Name: 'video.example', CallerReference: 'zone' }));
  zoneId = created.HostedZone?.Id ?? '';
});

afterAll(async () => {
  expect(await emulator.stop()).toBe(0);
});

/** Sends a batch and waits until DNS shows it. */
async function change(...changes: readonly Change[]): Promise<void> {
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes: [...changes] } });
  await insync(client, await client.send(command));
}

const action = (Action: 'CREATE' | 'DELETE' | 'UPSERT', ResourceRecordSet: ResourceRecordSet): Change => {
  return { Action, ResourceRecordSet };
};
const address = (Name: string, value: string, rest: Partial<ResourceRecordSet> = {}): ResourceRecordSet => {
  return { Name, Type: 'A', TTL: 30, ResourceRecords: [{ Value: value }], ...rest };
};
const text = (Name: string, value: string): ResourceRecordSet => {
  return { Name, Type: 'TXT', TTL: 30, ResourceRecords: [{ Value: `"${value}"` }] };
};
const alias = (Name: string, target: string, rest: Partial<ResourceRecordSet>): ResourceRecordSet => {
  return {
    Name,
    Type: 'A',
    AliasTarget: { HostedZoneId: zoneId, DNSName: target, EvaluateTargetHealth: true },
    ...rest,
  };
};
const geo = (code: string): Partial<ResourceRecordSet> => ({
  SetIdentifier: code,
  GeoLocation: code.length === 2 && code === code.toLowerCase() ? { ContinentCode: 'EU' } : { CountryCode: code },
});

async function healthCheck(config: Partial<HealthCheckConfig>): Promise<string> {
  sequence += 1;
  const { HealthCheck } = await client.send(
    new CreateHealthCheckCommand({
      CallerReference: `check-${sequence}`,
      HealthCheckConfig: { Type: 'HTTP', IPAddress: '127.0.0.1', RequestInterval: 10, FailureThreshold: 3, ...config },
    }),
  );
  return HealthCheck?.Id ?? '';
}

/** A web server whose answers the test sets. */
async function webServer(): Promise<{
  readonly port: number;
  status: number;
  body: string;
  hosts: Set<string>;
  readonly server: Server;
}> {
  const state = { status: 200, body: 'all is well', hosts: new Set<string>() };
  const server = createServer((request, response) => {
    state.hosts.add(`${request.headers.host ?? ''} ${request.url ?? ''}`);
    response.writeHead(state.status).end(state.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const bound = server.address();
  return Object.assign(state, { server, port: typeof bound === 'object' && bound !== null ? bound.port : 0 });
}

const answers = async (name: string, country?: string) =>
  (await ask(emulator, name, 'A', country === undefined ? undefined : clientAddress(country, 0))).values;

/** Waits for the answer; a wrong one at the deadline is the failure's message. */
async function expectAnswer(name: string, country: string, value: string): Promise<void> {
  let last: unknown;
  await eventually(`${name} for ${country} is ${value}`, async () => {
    last = (await answers(name, country))[0];
    return last === value ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}, last answer ${String(last)}`);
  });
}

describe('the API through the official SDK', () => {
  it('creates, finds and shows zones', async () => {
    const zone = await client.send(new GetHostedZoneCommand({ Id: zoneId }));
    expect(zone.HostedZone).toMatchObject({ Name: 'video.example.', Config: { PrivateZone: false } });
    expect(zone.DelegationSet?.NameServers).toHaveLength(4);
    const all = await client.send(new ListHostedZonesCommand({}));
    expect(all.HostedZones?.map((one) => one.Id)).toContain(zoneId);
    const byName = await client.send(new ListHostedZonesByNameCommand({ DNSName: 'video.example' }));
    expect(byName.HostedZones?.[0]?.Id).toBe(zoneId);
    const again = client.send(new CreateHostedZoneCommand({ Name: 'other.example', CallerReference: 'zone' }));
    await expect(again).rejects.toMatchObject({ name: 'HostedZoneAlreadyExists' });
    await expect(client.send(new GetHostedZoneCommand({ Id: 'Z0' }))).rejects.toMatchObject({
      name: 'NoSuchHostedZone',
    });
  });

  it('ends no idle connection, so that no request meets the end of one', async () => {
    const { headers } = await fetch(`${emulator.api}/emulator/status`);
    expect([headers.get('connection'), headers.get('keep-alive')]).toEqual(['keep-alive', null]);
  });

  it('pages through a geolocation group by identifier', async () => {
    const codes = ['FR', 'DE', 'ES', 'IT', 'BE', 'US', '*'];
    await change(...codes.map((code) => action('CREATE', address('page.video.example', '192.0.2.1', geo(code)))));
    const seen: (string | undefined)[] = [];
    let cursor: { StartRecordName?: string; StartRecordType?: 'A'; StartRecordIdentifier?: string } = {
      StartRecordName: 'page.video.example',
      StartRecordType: 'A',
    };
    for (let pages = 0; pages < 5; pages++) {
      const page = await client.send(
        new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, MaxItems: 3, ...cursor }),
      );
      seen.push(...(page.ResourceRecordSets ?? []).map((record) => record.SetIdentifier));
      if (page.IsTruncated !== true) break;
      expect(page.NextRecordType).toBe('A');
      cursor = {
        StartRecordName: page.NextRecordName ?? '',
        StartRecordType: 'A',
        StartRecordIdentifier: page.NextRecordIdentifier ?? '',
      };
    }
    expect(seen).toEqual(codes.toSorted());
  });

  it('does nothing of a batch of which one change is wrong', async () => {
    const batch = change(
      action('CREATE', address('good.video.example', '192.0.2.1')),
      action('CREATE', address('bad.video.example', '192.0.2.300')),
    );
    await expect(batch).rejects.toMatchObject({
      name: 'InvalidChangeBatch',
      message: expect.stringContaining('not a valid IPv4 address'),
    });
    expect(await ask(emulator, 'good.video.example')).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  it('rejects a writer whose generation is old', async () => {
    await change(action('CREATE', text('gen.video.example', 'gen=1')));
    const swap = (from: string, to: string, value: string) =>
      change(
        action('DELETE', text('gen.video.example', from)),
        action('CREATE', text('gen.video.example', to)),
        action('UPSERT', address('app.video.example', value)),
      );
    await swap('gen=1', 'gen=2', '192.0.2.2');
    await expect(swap('gen=1', 'gen=2', '192.0.2.99')).rejects.toMatchObject({
      name: 'InvalidChangeBatch',
      message: expect.stringContaining('do not match the current values'),
    });
    expect(await answers('app.video.example')).toEqual(['192.0.2.2']);
    expect((await ask(emulator, 'gen.video.example', 'TXT')).values).toEqual([[Buffer.from('gen=2')]]);
  });

  it('takes one change at a time and shows it to DNS when it is INSYNC', async () => {
    const create = (name: string) =>
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: zoneId,
        ChangeBatch: { Changes: [action('CREATE', address(name, '192.0.2.1'))] },
      });
    const first = await client.send(create('first.video.example'));
    expect(first.ChangeInfo?.Status).toBe('PENDING');
    await expect(client.send(create('second.video.example'))).rejects.toMatchObject({
      name: 'PriorRequestNotComplete',
    });
    await insync(client, first);
    expect(await answers('first.video.example')).toEqual(['192.0.2.1']);
    await insync(client, await emulator.client().send(create('second.video.example')));
  });

  it('keeps tags', async () => {
    const ResourceId = zoneId.replace('/hostedzone/', '');
    await client.send(
      new ChangeTagsForResourceCommand({
        ResourceType: 'hostedzone',
        ResourceId,
        AddTags: [
          { Key: 'owner', Value: 'tideline' },
          { Key: 'old', Value: 'x' },
        ],
      }),
    );
    const removal = { ResourceType: 'hostedzone', ResourceId, RemoveTagKeys: ['old'] } as const;
    await client.send(new ChangeTagsForResourceCommand({ ...removal, RemoveTagKeys: [...removal.RemoveTagKeys] }));
    const one = await client.send(new ListTagsForResourceCommand({ ResourceType: 'hostedzone', ResourceId }));
    expect(one.ResourceTagSet?.Tags).toEqual([{ Key: 'owner', Value: 'tideline' }]);
    const several = new ListTagsForResourcesCommand({ ResourceType: 'hostedzone', ResourceIds: [ResourceId] });
    expect((await client.send(several)).ResourceTagSets).toMatchObject([{ ResourceId }]);
  });

  it('refuses what it does not know, and says what that is', async () => {
    await expect(client.send(new DeleteHostedZoneCommand({ Id: zoneId }))).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('no operation that is emulated'),
    });
    const near = { AWSRegion: 'eu-west-3' };
    const distance = address('net.video.example', '192.0.2.1', { SetIdentifier: 'x', GeoProximityLocation: near });
    await expect(change(action('CREATE', distance))).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('ResourceRecordSet.GeoProximityLocation is not emulated'),
    });
    const unsigned = await fetch(`${emulator.api}/2013-04-01/hostedzone`);
    expect([unsigned.status, await unsigned.text()]).toEqual([
      403,
      expect.stringContaining('MissingAuthenticationToken'),
    ]);
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=dummy' };
    const odd = await fetch(`${emulator.api}/2013-04-01/hostedzone?colour=red`, { headers });
    expect([odd.status, await odd.text()]).toEqual([400, expect.stringContaining('parameter colour')]);
  });
});

describe('health checks', () => {
  it('are idempotent by caller reference, versioned, and never reused', async () => {
    const config = { Type: 'HTTP', IPAddress: '127.0.0.1', Port: 9, RequestInterval: 30 } as const;
    const create = (rest: object = {}) =>
      client.send(new CreateHealthCheckCommand({ CallerReference: 'same', HealthCheckConfig: { ...config, ...rest } }));
    const first = (await create()).HealthCheck;
    expect((await create()).HealthCheck?.Id).toBe(first?.Id);
    await expect(create({ Port: 10 })).rejects.toMatchObject({ name: 'HealthCheckAlreadyExists' });
    const HealthCheckId = first?.Id ?? '';
    const update = new UpdateHealthCheckCommand({ HealthCheckId, HealthCheckVersion: 1, FailureThreshold: 1 });
    expect((await client.send(update)).HealthCheck).toMatchObject({
      HealthCheckVersion: 2,
      HealthCheckConfig: { FailureThreshold: 1, Port: 9 },
    });
    await expect(client.send(update)).rejects.toMatchObject({ name: 'HealthCheckVersionMismatch' });
    const listed = await client.send(new ListHealthChecksCommand({}));
    expect(listed.HealthChecks?.map((check) => check.Id)).toContain(HealthCheckId);
    await client.send(new DeleteHealthCheckCommand({ HealthCheckId }));
    await expect(client.send(new GetHealthCheckCommand({ HealthCheckId }))).rejects.toMatchObject({
      name: 'NoSuchHealthCheck',
    });
    await expect(create()).rejects.toMatchObject({ name: 'HealthCheckAlreadyExists' });
  });

  it('flip the answers of a whole tree when the endpoint fails, and back', async () => {
    const web = await webServer();
    try {
      const check = await healthCheck({
        Port: web.port,
        ResourcePath: '/.well-known/health',
        FullyQualifiedDomainName: 'www.video.example',
      });
      await change(
        action(
          'CREATE',
          address('paris.video.example', '192.0.2.10', { SetIdentifier: 'p', Weight: 1, HealthCheckId: check }),
        ),
        action(
          'CREATE',
          alias('tree.video.example', 'paris.video.example', { SetIdentifier: '1', Failover: 'PRIMARY' }),
        ),
        action('CREATE', address('tree.video.example', '203.0.113.10', { SetIdentifier: '2', Failover: 'SECONDARY' })),
        action('CREATE', alias('www.video.example', 'tree.video.example', geo('FR'))),
        action('CREATE', address('www.video.example', '198.51.100.10', geo('*'))),
      );
      expect(await ask(emulator, 'www.video.example', 'A', clientAddress('FR', 3))).toMatchObject({
        values: ['192.0.2.10'],
        scope: 24,
      });
      expect(await answers('www.video.example', 'JP')).toEqual(['198.51.100.10']);
      expect(await answers('www.video.example')).toEqual(['198.51.100.10']);
      web.status = 503;
      await expectAnswer('www.video.example', 'FR', '203.0.113.10');
      const report = await client.send(new GetHealthCheckStatusCommand({ HealthCheckId: check }));
      expect(report.HealthCheckObservations?.[0]?.StatusReport?.Status).toContain('HTTP Status Code 503');
      web.status = 302;
      await expectAnswer('www.video.example', 'FR', '192.0.2.10');
      expect([...web.hosts]).toEqual([`www.video.example:${web.port} /.well-known/health`]);
      web.server.closeAllConnections();
      web.server.close();
      await expectAnswer('www.video.example', 'FR', '203.0.113.10');
    } finally {
      web.server.close();
    }
  });

  it('match strings, connect by TCP, calculate and invert', async () => {
    const web = await webServer();
    try {
      const match = await healthCheck({ Type: 'HTTP_STR_MATCH', Port: web.port, SearchString: 'well' });
      const tcp = await healthCheck({ Type: 'TCP', Port: web.port });
      const closed = await healthCheck({ Type: 'TCP', Port: 1 });
      const calculated = async (HealthThreshold: number, Inverted = false) => {
        sequence += 1;
        const HealthCheckConfig = {
          Type: 'CALCULATED',
          ChildHealthChecks: [match, tcp, closed],
          HealthThreshold,
          Inverted,
        } as const;
        const created = await client.send(
          new CreateHealthCheckCommand({
            CallerReference: `check-${sequence}`,
            HealthCheckConfig: { ...HealthCheckConfig, ChildHealthChecks: [...HealthCheckConfig.ChildHealthChecks] },
          }),
        );
        return created.HealthCheck?.Id ?? '';
      };
      const ids = [match, tcp, closed, await calculated(2), await calculated(3), await calculated(2, true)];
      const health = async () => {
        const { healthChecks } = await emulator.status();
        return ids.map((id) => healthChecks.find((check) => check.id === id)?.healthy);
      };
      const reaches = (wanted: readonly boolean[]) =>
        eventually(wanted.join(), async () => ((await health()).join() === wanted.join() ? true : undefined));
      await reaches([true, true, false, true, false, false]);
      web.body = 'all is lost';
      await reaches([false, true, false, false, false, true]);
    } finally {
      web.server.close();
    }
  });

  it('may be deleted while records use them; the status page shows it', async () => {
    const check = await healthCheck({ Port: 9 });
    await change(action('CREATE', address('orphan.video.example', '192.0.2.1', { HealthCheckId: check })));
    await client.send(new DeleteHealthCheckCommand({ HealthCheckId: check }));
    expect((await emulator.status()).deletedButUsed).toContain(check);
    expect(await answers('orphan.video.example')).toEqual(['192.0.2.1']);
    await expect(
      change(action('CREATE', address('more.video.example', '192.0.2.1', { HealthCheckId: check }))),
    ).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
  });
});

describe('DNS', () => {
  it('truncates over UDP and answers several questions over one TCP connection', async () => {
    const ResourceRecords = Array.from({ length: 200 }, (_, n) => ({ Value: `10.1.0.${n}` }));
    await change(action('CREATE', { ...address('many.video.example', '10.1.0.0'), ResourceRecords }));
    expect(await ask(emulator, 'many.video.example')).toMatchObject({ truncated: true, values: [] });
    const replies = await askByTcp(emulator, ['many.video.example', 'nobody.video.example', 'www.other.example']);
    expect(replies.map((reply) => [reply.rcode, reply.values.length])).toEqual([
      ['NOERROR', 200],
      ['NXDOMAIN', 0],
      ['REFUSED', 0],
    ]);
  });

  it('is shown beside its time compression on the status page', async () => {
    expect(await emulator.status()).toMatchObject({ timeCompression: 50, zones: [{ name: 'video.example.' }] });
  });
});
