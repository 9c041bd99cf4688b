import { createSocket } from 'node:dgram';
import {
  ChangeResourceRecordSetsCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type RRType,
} from '@aws-sdk/client-route-53';
import { decode, encode } from 'dns-packet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Emulator, Endpoint } from '../../../../lab/emulators/route53/emulator.ts';
import { clientOf, createZone, testEmulator } from '../../../support/steering/emulator.ts';
import { resolveFor } from '../../../support/steering/resolve.ts';
import { eventually } from './emulator.ts';

/** What goes wrong on purpose, and records of kinds that only others write. */
let emulator: Emulator;
let client: ReturnType<typeof clientOf>;
let HostedZoneId = '';
const lagMs = 1500;

beforeAll(async () => {
  emulator = await testEmulator({ lateDns: [{ host: '127.0.0.1', port: 0, lagMs }] });
  client = clientOf(emulator);
  HostedZoneId = await createZone(client, 'video.example');
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
});

const record = (Name: string, Type: RRType, values: readonly string[], more: Partial<ResourceRecordSet> = {}) => ({
  Name: `${Name}.video.example.`,
  Type,
  TTL: 60,
  ResourceRecords: values.map((Value) => ({ Value })),
  ...more,
});

async function create(...sets: readonly ResourceRecordSet[]): Promise<void> {
  const Changes = sets.map((ResourceRecordSet) => ({ Action: 'CREATE' as const, ResourceRecordSet }));
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } });
  await eventually('the zone is idle', async () => {
    try {
      return await client.send(command);
    } catch (error) {
      if (error instanceof Error && error.name === 'PriorRequestNotComplete') return undefined;
      throw error;
    }
  });
}

const answer = (server: Endpoint, name: string) =>
  resolveFor(server, `${name}.video.example`, '176.128.0.10').catch((error: unknown) => String(error));

it('a name server is late by its own time, and answers as before until then', async () => {
  const [late] = emulator.lateDns;
  if (late === undefined) throw new Error('no late name server');
  await create(record('late', 'A', ['192.0.2.1']));
  await eventually('the others answer', async () =>
    (await answer(emulator.dns, 'late')).includes('192.0.2.1') ? 1 : undefined,
  );
  expect(await answer(late, 'late')).toContain('NXDOMAIN');
  await eventually('the late one answers', async () =>
    (await answer(late, 'late')).includes('192.0.2.1') ? 1 : undefined,
  );
});

it('the control plane refuses everything while DNS goes on answering', async () => {
  await create(record('up', 'A', ['192.0.2.1']));
  await eventually('it answers', async () =>
    (await answer(emulator.dns, 'up')).includes('192.0.2.1') ? 1 : undefined,
  );
  const set = (state: string) => fetch(`${emulator.apiUrl}/emulator/outage?state=${state}`, { method: 'PUT' });
  expect((await set('refused')).status).toBe(204);
  await expect(client.send(new ListHostedZonesCommand({}))).rejects.toMatchObject({
    name: 'ServiceUnavailable',
    $metadata: { httpStatusCode: 503 },
  });
  expect(await answer(emulator.dns, 'up')).toEqual(['192.0.2.1']);
  expect((await set('nonsense')).status).toBe(400);
  emulator.setOutage('silent');
  const abortSignal = AbortSignal.timeout(300);
  await expect(client.send(new ListHostedZonesCommand({}), { abortSignal })).rejects.toThrow();
  expect(await answer(emulator.dns, 'up')).toEqual(['192.0.2.1']);
  emulator.setOutage('none');
  expect((await client.send(new ListHostedZonesCommand({}))).HostedZones).toHaveLength(1);
});

it('latency, multivalue and HTTPS records are listed as they were written, and answered', async () => {
  const theirs = [
    record('latency', 'A', ['192.0.2.1'], { SetIdentifier: 'eu', Region: 'eu-west-1' }),
    record('latency', 'A', ['192.0.2.2'], { SetIdentifier: 'us', Region: 'us-east-1' }),
    record('many', 'A', ['192.0.2.1'], { SetIdentifier: 'a', MultiValueAnswer: true }),
    record('many', 'A', ['192.0.2.2'], { SetIdentifier: 'b', MultiValueAnswer: true }),
    record('web', 'HTTPS', ['1 . alpn="h2,h3" ipv4hint=192.0.2.1']),
  ];
  await create(...theirs);
  const { ResourceRecordSets = [] } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId }));
  expect(ResourceRecordSets).toEqual(expect.arrayContaining(theirs.map((one) => expect.objectContaining(one))));
  await eventually('it answers', async () =>
    (await answer(emulator.dns, 'latency')).includes('192.0.2.1') ? 1 : undefined,
  );
  expect(await answer(emulator.dns, 'many')).toEqual(['192.0.2.1', '192.0.2.2']);
  const data = await rawAnswer(emulator.dns, 'web.video.example');
  expect(data.toString('hex')).toBe('00010000010006026832026833000400' + '04c0000201');
  const twice = record('latency', 'A', ['192.0.2.3'], { SetIdentifier: 'x', Region: 'eu-west-1' });
  await expect(create(twice)).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
  const two = record('more', 'A', ['192.0.2.1', '192.0.2.2'], { SetIdentifier: 'x', MultiValueAnswer: true });
  await expect(create(two)).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
});

/** The data of the HTTPS record of a name, as it is on the wire. */
function rawAnswer({ host, port }: Endpoint, name: string): Promise<Buffer> {
  const socket = createSocket('udp4');
  const query = encode({ type: 'query', id: 1, questions: [{ type: 'UNKNOWN_65' as 'A', name }] });
  return new Promise((resolve, reject) => {
    socket.once('message', (message) => {
      socket.close();
      const [first] = decode(message).answers ?? [];
      const data = first !== undefined && 'data' in first ? first.data : undefined;
      if (Buffer.isBuffer(data)) resolve(data);
      else reject(new Error('no HTTPS record in the answer'));
    });
    socket.send(query, port, host);
  });
}
