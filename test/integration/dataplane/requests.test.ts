import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { CountryRanges } from '../../../src/model/geo/ranges.ts';
import type { HostCounts, RequestCounts, Times } from '../../../src/planes/edge/requests/counts.ts';
import { requestMetrics, setRequestMetrics } from '../../../src/planes/edge/requests/metrics.ts';
import { Registry } from '../../../src/runtime/metrics.ts';
import { backend, eventually, host, table, World } from './world.ts';

/** What nginx counts of requests: by host, and by the country of the client. */

let world: World | undefined;
afterEach(async () => {
  await world?.destroy();
  world = undefined;
});

const run = promisify(execFile);
const ipv4 = (a: number, b: number, c: number): number => ((10 * 256 + a) * 256 + b) * 256 + c;

/** 10.77.0.0/24, from which the clients come, is in Senegal, 10.77.5.0/24 in Japan. */
const countries: CountryRanges = {
  ipv4: [
    { start: 0, country: undefined },
    { start: ipv4(77, 0, 0), country: 'SN' },
    { start: ipv4(77, 1, 0), country: 'FR' },
    { start: ipv4(77, 5, 0), country: 'JP' },
    { start: ipv4(77, 6, 0), country: undefined },
  ],
  ipv6: [{ start: 0, country: undefined }],
  builtSeconds: Date.UTC(2026, 5, 17) / 1000,
};

const times = ({ buckets }: Times): number => buckets.reduce((sum, count) => sum + count, 0);
const statuses = (counts: HostCounts | undefined): unknown =>
  Object.fromEntries([...(counts?.statuses ?? [])].filter(([, count]) => count > 0));

/** The first counts of which something holds. */
async function counted(
  what: string,
  holds: (counts: RequestCounts) => boolean | Promise<boolean>,
): Promise<RequestCounts> {
  let counts: RequestCounts | undefined;
  await eventually(what, async () => {
    counts = await world!.plane.requests();
    return holds(counts);
  });
  return counts!;
}

const all = ({ hosts }: RequestCounts): number => [...hosts.values()].reduce((sum, { requests }) => sum + requests, 0);

async function text(counts: RequestCounts): Promise<string> {
  const registry = new Registry();
  setRequestMetrics(requestMetrics(registry), counts, 'paris-edge');
  return registry.metrics();
}

describe('requests', () => {
  it('are counted by host, class of status and reason, whole and at the pod, and by country, over the end of workers', async () => {
    world = await World.create({ workers: 1 }, undefined, countries);
    const { plane } = world;
    let asked = 0;
    const closed = { address: '10.77.0.1', port: 9 };
    const hosts = [
      host('www.example', { 'prefix /': 'n/a/80', 'prefix /closed': 'n/b/80', 'prefix /none': 'n/none/80' }),
      host('*.wild.example', { 'prefix /': 'n/a/80' }),
      host('rest.example', { 'prefix /': 'n/a/80' }),
    ];
    const backends = [backend('n/a/80', await world.pod('a', 1)), backend('n/b/80', closed)];
    await plane.apply(table({ hosts, backends }));
    await plane.setHealth({
      policies: [],
      watched: [],
      measured: ['*.wild.example', 'www.example'],
      accessLog: 'sampled',
    });
    const ask = async (name: string, path = '/'): Promise<number> => {
      asked++;
      return (await world!.ask({ host: name, path })).status;
    };
    await counted('the worker measures the hosts that it was told to', async ({ hosts: known }) => {
      await ask('www.example');
      return known.has('www.example');
    });
    const before = await counted('all that was asked is counted', (now) => all(now) === asked);

    expect([await ask('www.example'), await ask('www.example', '/closed')]).toEqual([200, 502]);
    expect([await ask('www.example', '/none'), await ask('a.wild.example')]).toEqual([503, 200]);
    expect([await ask('rest.example'), await ask('nobody.example'), await ask('')]).toEqual([200, 404, 404]);
    await run('ip', ['addr', 'add', '10.77.5.1/32', 'dev', 'pods']);
    const agent = new Agent({ localAddress: '10.77.5.1' });
    expect((await world.ask({ host: 'www.example', agent })).status).toBe(200);
    await world.ask({ path: '/.well-known/tideline/health/p' });
    const counts = await counted('eight more requests', (now) => all(now) >= all(before) + 8);

    expect(all(counts)).toBe(all(before) + 8);
    const www = counts.hosts.get('www.example');
    const earlier = before.hosts.get('www.example')?.requests ?? 0;
    expect(statuses(www)).toEqual({ '2xx': earlier + 2, '5xx': 2 });
    expect(Object.fromEntries(www?.reasons ?? [])).toEqual({ NoEndpoints: 1 });
    expect([times(www!.whole), times(www!.pod)]).toEqual([earlier + 4, earlier + 3]);
    expect(statuses(counts.hosts.get('*.wild.example'))).toEqual({ '2xx': 1 });
    expect(statuses(counts.hosts.get('(other)'))).toMatchObject({
      '2xx': 1 + (before.hosts.get('(other)')?.requests ?? 0),
    });
    expect(statuses(counts.hosts.get('(none)'))).toEqual({ '4xx': 2 });
    expect(Object.fromEntries(counts.hosts.get('(none)')?.reasons ?? [])).toEqual({ HostUnknown: 2 });
    expect(counts.countries.get('JP')).toMatchObject({ requests: 1, failures: 0 });
    expect(counts.countries.get('SN')).toMatchObject({ requests: all(before) + 7, failures: 2 });
    expect([...counts.countries.keys()].toSorted()).toEqual(['JP', 'SN']);
    expect(counts.countryData).toBe('ready');
    expect(counts.countryDataBuilt).toBe(countries.builtSeconds);

    const exported = await text(counts);
    expect(exported).toContain('tideline_edge_requests_total{host="www.example",status="5xx"} 2');
    expect(exported).toContain('tideline_edge_refused_requests_total{host="(none)",reason="HostUnknown"} 2');
    expect(exported).toContain(
      `tideline_edge_request_duration_seconds_bucket{host="www.example",le="+Inf"} ${earlier + 4}`,
    );
    expect(exported).toContain('tideline_edge_country_requests_total{country="JP",pool="paris-edge"} 1');

    for (const pid of await world.nginx.workerPids()) process.kill(pid, 'SIGKILL');
    await eventually('other workers serve', async () => (await ask('www.example').catch(() => 0)) === 200);
    const after = await counted('they add to what was counted', (now) => all(now) > all(counts));
    expect(after.hosts.get('www.example')?.statuses.get('5xx')).toBe(2);

    await plane.setHealth({ policies: [], watched: [], measured: ['*.wild.example'], accessLog: 'sampled' });
    const others = (now: RequestCounts): number => now.hosts.get('(other)')?.requests ?? 0;
    const left = await counted('a host that left the list is counted with the others', async (now) => {
      await ask('www.example');
      return others(now) > others(after);
    });
    expect(left.hosts.has('www.example')).toBe(false);
    await plane.setHealth({ policies: [], watched: [], measured: ['www.example'], accessLog: 'sampled' });
    const anew = await counted('it begins anew when the host comes back', async ({ hosts: known }) => {
      await ask('www.example');
      return known.has('www.example');
    });
    expect(anew.hosts.get('www.example')?.statuses.get('5xx')).toBe(0);
  });

  it('have their round-trip time taken for one in sixteen of a worker, but not behind a trusted proxy', async () => {
    world = await World.create(
      { workers: 1, trustedProxies: { prefixes: ['10.77.0.0/24'], via: 'forwardedHeaders' } },
      undefined,
      countries,
    );
    await world.plane.apply(
      table({
        hosts: [host('www.example', { 'prefix /': 'n/a/80' })],
        backends: [backend('n/a/80', await world.pod('a', 1))],
      }),
    );
    await run('ip', ['addr', 'add', '10.77.5.1/32', 'dev', 'pods']);
    const ask = async (agent: Agent, headers: Record<string, string> = {}): Promise<void> => {
      for (let turn = 0; turn < 32; turn++)
        expect((await world!.ask({ host: 'www.example', agent, headers })).status).toBe(200);
    };
    await ask(new Agent({ localAddress: '10.77.0.1', keepAlive: true }), { 'x-forwarded-for': '10.77.1.7' });
    await ask(new Agent({ localAddress: '10.77.5.1', keepAlive: true }));
    const counts = await counted('all requests are counted', (now) => all(now) === 64);
    expect(counts.countries.get('FR')?.requests).toBe(32);
    expect(counts.countries.get('JP')?.requests).toBe(32);
    expect([counts.roundTripsLeftOut, times(counts.countries.get('FR')!.roundTrips)]).toEqual([2, 0]);
    expect(times(counts.countries.get('JP')!.roundTrips)).toBe(2);
    expect(counts.countries.get('JP')?.roundTrips.sumSeconds).toBeGreaterThan(0);
  });

  it.each([
    ['CountryDataMissing', undefined],
    ['CountryDataDamaged', 'tideline-countries-2 12345\nFR\n1 1 0\n'],
  ])('go on as of an unknown country when the data of countries is bad: %s', async (state, content) => {
    world = await World.create();
    const { rendered } = world.settings;
    if (content !== undefined) {
      await world.nginx.kill();
      await writeFile(join(rendered, 'countries.bin'), content);
      await world.startNginx();
    }
    await world.plane.apply(
      table({
        hosts: [host('www.example', { 'prefix /': 'n/a/80' })],
        backends: [backend('n/a/80', await world.pod('a', 1))],
      }),
    );
    expect((await world.ask({ host: 'www.example' })).status).toBe(200);
    const counts = await counted('the request is counted', (now) => all(now) === 1);
    expect([counts.countryData, counts.countries.get('unknown')?.requests]).toEqual([state, 1]);
    if (content !== undefined) expect(await world.errorLog()).toContain(state);
  });
});
