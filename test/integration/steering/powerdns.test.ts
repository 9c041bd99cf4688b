import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PowerDns } from '../../../lab/daemons/powerdns.ts';
import { formatRecord, type RecordSet } from '../../../src/answers/record.ts';
import { powerDnsDialect } from '../../../src/planes/steering/dialects/powerdns/dialect.ts';
import { patchZone, rrsetOf } from '../../../src/planes/steering/providers/powerdns/client.ts';
import { powerDns } from '../../../src/planes/steering/providers/powerdns/write.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { batchesOf } from '../../../src/planes/steering/records/batches.ts';
import { changesOf, type WantedZone } from '../../../src/planes/steering/records/changes.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { describeProvider } from '../../support/steering/conformance.ts';
import { compileInputOf, policyOf } from '../../support/steering/policies.ts';
import { testPowerDns } from '../../support/steering/powerdns.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { eventually } from '../../support/steering/world.ts';

const clockAndChance = { clock: systemClock, random: Math.random };

describe('a server of its own', () => {
  const dns = { host: '127.0.0.1', port: 5301 };
  let directory: string;
  let server: PowerDns;
  let slow: Server;
  let hold: Promise<unknown> = Promise.resolve();
  let held = 0;

  /** `slow` stands before the API and keeps a PATCH back until `hold` is done. */
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tideline-powerdns-limits-'));
    server = await testPowerDns({ directory, dns, apiPort: 8082, zones: ['video.example', 'other.example'] });
    slow = createServer((incoming, outgoing) => {
      const { method = 'GET', headers, url = '/' } = incoming;
      if (method === 'PATCH') held += 1;
      void (method === 'PATCH' ? hold : Promise.resolve()).then(() => {
        const onward = request(new URL(url, server.apiUrl), { method, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        });
        incoming.pipe(onward);
      });
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  });

  afterAll(async () => {
    slow?.closeAllConnections();
    slow?.close();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const writer = (url = server.apiUrl): ZoneProvider => powerDns({ url, apiKey: server.apiKey, ...clockAndChance });

  /** What the documentation does not say: a server with a value beyond 65,535 bytes ends at once. */
  test('takes and answers a script as long as its limits allow, and a request of that size', async () => {
    const { valueCharacters, batch } = powerDnsDialect.limits;
    const start = `A ";do return '192.0.2.1' end"`;
    const padding = ` "${' '.repeat(250)}"`;
    const value = start + padding.repeat(Math.floor((valueCharacters - start.length) / padding.length));
    const count = Math.floor(batch.characters / valueCharacters);
    const records = Array.from(
      { length: batch.elements },
      (_, index): RecordSet => ({
        name: `h${index}.video.example`,
        type: 'LUA',
        target: { kind: 'values', ttlSeconds: 30, values: [index < count ? value : start] },
      }),
    );
    const [after] = records;
    if (after === undefined) throw new Error('no record');
    const changes = records.map((record) => ({ action: 'CREATE' as const, record }));
    const state = await writer().read('video.example');
    await writer().applyBatch(state, { changes, before: undefined, after }, new Map());
    expect(await resolveFor(dns, 'h0.video.example', '192.0.2.1')).toEqual(['192.0.2.1']);
  });

  test('a writer that was stopped just before its PATCH says that it overwrote a newer plan; the next plan repairs it', async () => {
    const zone = 'other.example';
    const wantedOf = (cluster: string): WantedZone => {
      const policy = policyOf(`default: { clusters: [{ name: ${cluster} }, { name: c }] }`);
      const hosts = ['www.other.example'];
      return { zone, hosts, records: powerDnsDialect.compile({ ...compileInputOf(policy), hosts, zone }).records };
    };
    const apply = async (provider: ZoneProvider, wanted: WantedZone): Promise<number> => {
      const state = await provider.read(zone);
      const batches = batchesOf(wanted, changesOf(wanted, state.records, powerDnsDialect), powerDnsDialect.limits);
      for (const batch of batches) await provider.applyBatch(state, batch, new Map());
      return batches.length;
    };
    await apply(writer(), wantedOf('a'));

    const other = Promise.withResolvers<void>();
    hold = other.promise;
    const stopped = apply(writer(`http://127.0.0.1:${(slow.address() as AddressInfo).port}`), wantedOf('b')).then(
      () => 'done',
      String,
    );
    await eventually(async () => (held === 1 ? undefined : 'the PATCH is not there yet'));
    expect(await apply(writer(), wantedOf('c'))).toBe(1);
    expect(await apply(writer(), wantedOf('d'))).toBe(1);
    other.resolve();
    expect(await stopped).toMatch(/another writer wrote the zone other\.example.*\(WriteOverlapped\)/);

    expect(await apply(writer(), wantedOf('d'))).toBe(1);
    expect(await apply(writer(), wantedOf('d'))).toBe(0);
    const left = (await writer().read(zone)).records.filter(({ name }) => name.startsWith('_write-'));
    expect(left).toHaveLength(1);
  });

  test('a writer whose plan is overwritten in the same moment says so', async () => {
    const zone = 'other.example';
    const policy = policyOf('default: { clusters: [{ name: e }] }');
    const hosts = ['www.other.example'];
    const wanted = {
      zone,
      hosts,
      records: powerDnsDialect.compile({ ...compileInputOf(policy), hosts, zone }).records,
    };
    const state = await writer().read(zone);
    const [batch] = batchesOf(wanted, changesOf(wanted, state.records, powerDnsDialect), powerDnsDialect.limits);
    if (batch === undefined) throw new Error('nothing to do');
    const overwriting = batch.changes.map(({ action, record }) => rrsetOf({ action, record }));
    const mine = writer()
      .applyBatch(state, batch, new Map())
      .then(() => 'done', String);
    await eventually(async () => {
      const { records } = await writer().read(zone);
      return records.some((record) => formatRecord(record) === formatRecord(batch.after)) ? undefined : 'not written';
    });
    const [, first] = overwriting.toReversed();
    if (first === undefined) throw new Error('no record');
    await patchZone({ url: server.apiUrl, apiKey: server.apiKey }, zone, [{ ...first, changetype: 'DELETE' }]);
    expect(await mine).toContain('WriteOverlapped');
  });
});

describeProvider('PowerDNS', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tideline-powerdns-'));
  const server = await testPowerDns({
    directory,
    dns: { host: '127.0.0.1', port: 5300 },
    apiPort: 8081,
    zones: ['video.example'],
  });
  const send = async (body: string): Promise<void> => {
    const url = `${server.apiUrl}/api/v1/servers/localhost/zones/video.example.`;
    const response = await fetch(url, { method: 'PATCH', headers: { 'x-api-key': server.apiKey }, body });
    if (!response.ok) throw new Error(await response.text());
  };
  const patch = async (name: string, address: string, changetype: 'REPLACE' | 'DELETE'): Promise<void> => {
    const records = [{ content: address, disabled: false }];
    await send(JSON.stringify({ rrsets: [{ name: `${name}.`, type: 'A', ttl: 60, changetype, records }] }));
  };
  const disturbed = JSON.stringify({
    rrsets: [
      {
        name: 'www.video.example.',
        type: 'LUA',
        ttl: 30,
        changetype: 'REPLACE',
        records: [{ content: `A "pickrandom({'192.0.2.66'})"`, disabled: false }],
      },
    ],
  });
  return {
    async disturb() {
      await send(disturbed);
    },
    provider: powerDns({ url: server.apiUrl, apiKey: server.apiKey, ...clockAndChance }),
    dns: { host: '127.0.0.1', port: 5300 },
    putAddress: (name, address) => patch(name, address, 'REPLACE'),
    removeAddress: (name, address) => patch(name, address, 'DELETE'),
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
});
