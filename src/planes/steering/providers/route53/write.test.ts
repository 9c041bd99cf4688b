import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChangeResourceRecordSetsCommand, ListHostedZonesByNameCommand } from '@aws-sdk/client-route-53';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../../runtime/clock.ts';
import { readOnlyRoute53Client, route53Client } from './client.ts';
import { route53Reader } from './read.ts';
import { retrying } from './retry.ts';

const fast = { clock: systemClock, random: () => 0.5, firstMs: 1, ceilingMs: 4, limitMs: 10_000 };
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers each request with the next of these answers, and all further ones with the last. */
async function answering(...answers: readonly { status: number; body: string }[]) {
  const seen: string[] = [];
  server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push(`${request.method} ${request.url?.split('?')[0]}`);
    response.writeHead(answer?.status ?? 500, { 'content-type': 'text/xml' }).end(answer?.body);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const throttled = {
  status: 400,
  body: '<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>',
};
const noZones = {
  status: 200,
  body: '<ListHostedZonesByNameResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZones/><IsTruncated>false</IsTruncated><MaxItems>10</MaxItems></ListHostedZonesByNameResponse>',
};

test('throttling is waited out; a zone that does not exist is ZoneMissing', async () => {
  const { endpoint, seen } = await answering(throttled, throttled, noZones);
  const reader = route53Reader(route53Client({ endpoint, credentials }), fast);
  await expect(reader.read('example.net')).rejects.toThrow('ZoneMissing');
  expect(seen).toHaveLength(3);
});

test('two public zones of one name are refused: only one of them answers', async () => {
  const zone = (id: string, isPrivate: boolean) =>
    `<HostedZone><Id>/hostedzone/${id}</Id><Name>example.net.</Name><CallerReference>${id}</CallerReference><Config><PrivateZone>${isPrivate}</PrivateZone></Config></HostedZone>`;
  const body = noZones.body.replace(
    '<HostedZones/>',
    `<HostedZones>${zone('Z1', true)}${zone('Z2', false)}${zone('Z3', false)}</HostedZones>`,
  );
  const { endpoint } = await answering({ status: 200, body });
  const reader = route53Reader(route53Client({ endpoint, credentials }), fast);
  await expect(reader.read('example.net')).rejects.toThrow(/Z2.*Z3.*\(ZoneAmbiguous\)/);
});

test('throttling without end is given up, with the reason ProviderRefused', async () => {
  const { endpoint } = await answering(throttled);
  const reader = route53Reader(route53Client({ endpoint, credentials }), { ...fast, limitMs: 50 });
  await expect(reader.read('example.net')).rejects.toThrow('ProviderRefused');
});

test('an address where no server listens is ProviderUnreachable', async () => {
  const reader = route53Reader(route53Client({ endpoint: 'http://127.0.0.1:1', credentials }), {
    ...fast,
    limitMs: 20,
  });
  await expect(reader.read('example.net')).rejects.toThrow('ProviderUnreachable');
});

test('a server that takes a request and never answers is ProviderUnreachable', async () => {
  server = createServer(() => {});
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = route53Client({ endpoint, credentials, requestTimeoutMs: 50 });
  const reader = route53Reader(client, { ...fast, limitMs: 20 });
  await expect(reader.read('example.net')).rejects.toThrow('ProviderUnreachable');
});

test('the client of a plan cannot write: nothing but GET leaves the process', async () => {
  const { endpoint, seen } = await answering(noZones);
  const client = readOnlyRoute53Client({ endpoint, credentials });
  await client.send(new ListHostedZonesByNameCommand({}));
  const write = new ChangeResourceRecordSetsCommand({
    HostedZoneId: 'Z1',
    ChangeBatch: { Changes: [{ Action: 'DELETE', ResourceRecordSet: { Name: 'x.', Type: 'A' } }] },
  });
  await expect(client.send(write)).rejects.toThrow('ReadOnly');
  expect(seen).toEqual(['GET /2013-04-01/hostedzonesbyname']);
});

test('a request whose answer was lost is reported as possibly done, and repeated', async () => {
  let unknown = 0;
  let calls = 0;
  const result = await retrying(
    fast,
    async () => {
      calls += 1;
      if (calls < 3) throw new Error('socket hang up');
      return 'done';
    },
    () => {
      unknown += 1;
    },
  );
  expect([result, calls, unknown]).toEqual(['done', 3, 2]);
});
