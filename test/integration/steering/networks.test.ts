import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PowerDns } from '../../../lab/daemons/powerdns.ts';
import { answersFor, preferenceOf } from '../../../src/answers/answers.ts';
import { formatShares, sameShares, sumByCluster } from '../../../src/answers/distribution.ts';
import { geoLookup } from '../../../src/geo/lookup.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import { networkHolding } from '../../../src/model/geo/networks.ts';
import type { CompileInput } from '../../../src/planes/steering/dialects/dialect.ts';
import { powerDnsDialect } from '../../../src/planes/steering/dialects/powerdns/dialect.ts';
import { powerDns } from '../../../src/planes/steering/providers/powerdns/write.ts';
import { batchesOf } from '../../../src/planes/steering/records/batches.ts';
import { changesOf } from '../../../src/planes/steering/records/changes.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { clientsOfNetworks, drainedClusters, policySpecWithNetworks } from '../../support/steering/arbitrary.ts';
import { compileInputOf, policyOf } from '../../support/steering/policies.ts';
import { testPowerDns } from '../../support/steering/powerdns.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { eventually } from '../../support/steering/world.ts';

const zone = 'video.example';
const dns = { host: '127.0.0.1', port: 5302 };
const clusters = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen'];
const addressOf = (cluster: string): string => `127.0.1.${clusters.indexOf(cluster) + 1}`;
const addresses = Object.fromEntries(clusters.map((name) => [name, [addressOf(name)]]));
/** These do not listen. */
const failed = ['berlin', 'essen'];
const policies = 25;

let directory: string;
let server: PowerDns;
let servers: readonly Server[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tideline-networks-'));
  servers = await Promise.all(
    clusters
      .filter((name) => !failed.includes(name))
      .map(async (name) => {
        const http = createServer((_request, response) => response.end('ok'));
        await new Promise<void>((resolve) => http.listen(80, addressOf(name), resolve));
        return http;
      }),
  );
  server = await testPowerDns({ directory, dns, apiPort: 8083, zones: [zone] });
});

afterAll(async () => {
  for (const http of servers) http.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The policies of one seed, each for a host of its own. */
function inputs(): readonly CompileInput[] {
  const cases = fc.sample(fc.record({ spec: policySpecWithNetworks, drained: drainedClusters }), {
    numRuns: policies,
    seed: 131,
  });
  return cases.map(({ spec, drained }, index) => ({
    ...compileInputOf(policyOf(JSON.stringify(spec)), { addresses, drained }),
    hosts: [`h${index}.${zone}`],
    zone,
  }));
}

test('random policies with networks are answered the same by the policy, by the records read back and by the name server', async () => {
  const all = inputs();
  const records = all.flatMap((input) => powerDnsDialect.compile(input).records);
  const provider = powerDns({
    url: server.apiUrl,
    apiKey: server.apiKey,
    clock: systemClock,
    random: Math.random,
  });
  const wanted = { zone, hosts: all.flatMap(({ hosts }) => hosts), records };
  const state = await provider.read(zone);
  for (const batch of batchesOf(wanted, changesOf(wanted, state.records, powerDnsDialect), powerDnsDialect.limits))
    await provider.applyBatch(await provider.read(zone), batch, new Map());
  const reading = powerDnsDialect.interpret((await provider.read(zone)).records);
  const clusterOf = new Map(clusters.map((name) => [addressOf(name), name]));
  let inNetworks = 0;
  for (const { hosts, answers } of all) {
    const [host = ''] = hosts;
    const networks = [...answers.byCountry.keys()].filter((place) => place.includes('/'));
    const down = reading.checks.filter(({ address }) => failed.includes(clusterOf.get(address) ?? ''));
    const view = reading.view(host, 'A', down);
    expect(reading.apart(host, 'A')).toEqual(networks.toSorted());
    const asked = [...clientsOfNetworks, ...['FR', 'US', 'JP'].map((country) => clientAddress(country, 3))].map(
      (client) => ({
        client,
        place: networkHolding(networks, client) ?? geoLookup().countryOf(client),
      }),
    );
    for (const { client, place } of asked) {
      if (place?.includes('/')) inNetworks += 1;
      const shares = answersFor(preferenceOf(answers, place).tiers, new Set(failed));
      const read = sumByCluster(view.answer(place), (address) => clusterOf.get(address));
      if (!sameShares(read, shares))
        throw new Error(
          `${host} for ${place}: the records give ${formatShares(read)}, the policy ${formatShares(shares)}`,
        );
      await eventually(async () => {
        const got = (await resolveFor(dns, host, client)).map((address) => clusterOf.get(address) ?? address);
        return got.length > 0 && got.every((name) => shares.has(name))
          ? undefined
          : `${host} for ${client} (${place}): the name server gives ${got.join()}, the policy ${formatShares(shares)}`;
      });
    }
  }
  expect(inNetworks).toBeGreaterThan(100);
}, 120_000);

test('a network beats the country of its users, and a client beside it has the answer of the country', async () => {
  const subject = clientAddress('FR', 0).replace(/\d+$/, '0');
  const input = compileInputOf(
    policyOf(
      `rules:
  - { countries: [FR], clusters: [{ name: cairo }] }
  - { networks: [${subject}/24], clusters: [{ name: essen }], failover: [delhi] }
default: { clusters: [{ name: amsterdam }] }`,
    ),
    { addresses },
  );
  const host = `office.${zone}`;
  const { records } = powerDnsDialect.compile({ ...input, hosts: [host], zone });
  const provider = powerDns({ url: server.apiUrl, apiKey: server.apiKey, clock: systemClock, random: Math.random });
  const state = await provider.read(zone);
  const wanted = { zone, hosts: [host], records };
  for (const batch of batchesOf(wanted, changesOf(wanted, state.records, powerDnsDialect), powerDnsDialect.limits))
    await provider.applyBatch(await provider.read(zone), batch, new Map());
  const answers = async (client: string | undefined) => (await resolveFor(dns, host, client)).join();
  await eventually(async () => {
    const got = [
      await answers(clientAddress('FR', 0)),
      await answers(clientAddress('FR', 1)),
      await answers(undefined),
    ];
    const right = [addressOf('delhi'), addressOf('cairo'), addressOf('amsterdam')];
    return got.join() === right.join() ? undefined : `answers ${got.join()}, wanted ${right.join()}`;
  });
});
