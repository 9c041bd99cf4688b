import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import { dnsOf, type Ran, runTideline } from '../../support/steering/command.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';
import { MigrationClients } from '../../support/steering/migration-clients.ts';
import { octodnsYaml, threeClusters, writeAsOctodns } from '../../support/steering/octodns.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { eventually, Vips } from '../../support/steering/world.ts';

/**
 * A host comes from octoDNS to Tideline, is changed, and goes back to octoDNS, by the commands that a person runs, while clients of four
 * countries resolve it and make requests all the time. The records of octoDNS are written as its Route 53 provider writes them. The tests build on each other.
 */
const zone = 'video.example';
const host = `www.${zone}`;
const vips = new Vips();
const { paris = '', newyork = '', cloud = '' } = vips.addresses;
const record = threeClusters({ paris, newyork, cloud });

let emulator: Emulator;
let client: Route53Client;
let folder: string;
/** The folder of the spec, in which the other files are not. */
let spec: string;
let zoneId: string;
let clients: MigrationClients;

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator();
  client = clientOf(emulator);
  zoneId = (await createZone(client, zone)).replace('/hostedzone/', '');
  folder = await mkdtemp(join(tmpdir(), 'tideline-migration-'));
  spec = join(folder, 'platform');
  await cp('examples/hybrid', spec, { recursive: true });
  await rm(join(spec, 'traffic.yaml'));
  await writeAsOctodns(client, { zone, zoneId, name: 'www', record });
  await eventually(async () => {
    const [address] = await resolveFor(emulator.dns, host, clientAddress('FR', 0));
    return address === paris ? undefined : `France has ${address}`;
  });
  clients = new MigrationClients({ dns: emulator.dns, host, addresses: vips.addresses });
});

afterAll(async () => {
  await clients?.end();
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
  await rm(folder, { recursive: true, force: true });
});

const tideline = (...words: readonly string[]): Promise<Ran> =>
  runTideline({ TIDELINE_NAME_SERVERS: dnsOf(emulator), TIDELINE_HISTORY: join(folder, 'history.jsonl') }, words);
const on = () => [spec, '--provider', 'route53', '--route53-endpoint', emulator.apiUrl];
const approvals = ['--approve-share', '1', '--approve-failover', '1'];

/** Shows the plan of a command, then carries it out. */
async function carryOut(words: readonly string[], ...more: readonly string[]): Promise<string> {
  const plan = await tideline('steering', ...words, ...on());
  const checksum = /^plan ([0-9a-f]{16})$/m.exec(plan.out)?.[1];
  expect([checksum === undefined ? plan.err + plan.out : '', plan.code]).toEqual(['', 0]);
  const act = words[0] === 'plan' ? ['apply', ...words.slice(1)] : words;
  const done = await tideline('steering', ...act, ...on(), '--plan', checksum ?? '', ...approvals, ...more);
  expect([done.err.includes('refused') ? done.err : '', done.code]).toEqual(['', 0]);
  return plan.out;
}

const clustersNow = () => clients.clustersNow();

const byOctodns = { FR: ['paris'], US: ['newyork'], JP: ['cloud'], GB: ['cloud'] };

test('octoDNS answers at first', async () => {
  expect(await clustersNow()).toEqual(byOctodns);
});

test('its YAML and what it wrote become the same policy', { timeout: 60_000 }, async () => {
  const yaml = join(folder, `${zone}.yaml`);
  await writeFile(yaml, stringify({ www: octodnsYaml(record) }));
  const [fromYaml, live] = [join(folder, 'yaml.out'), join(folder, 'live.out')];
  const written = await tideline('steering', 'import', yaml, 'examples/hybrid', '--out', fromYaml);
  expect([written.err, written.code]).toEqual(['', 0]);
  const endpoint = ['--route53-endpoint', emulator.apiUrl];
  const read = await tideline(
    'steering',
    'import',
    '--route53-zone',
    zone,
    ...endpoint,
    'examples/hybrid',
    '--out',
    live,
  );
  expect(read.out).toMatch(/^www\.video\.example becomes policy www$/m);
  expect(read.out).toMatch(/^_octodns-paris-pool\.www\.video\.example stays: A: a name for other records/m);
  const policy = parse(await readFile(live, 'utf8')) as { spec: object };
  expect(policy).toMatchObject({
    kind: 'TrafficPolicy',
    spec: {
      hosts: [host],
      ttlSeconds: 30,
      rules: [
        { countries: ['BE', 'FR'], clusters: [{ name: 'paris' }], failover: ['cloud'] },
        { continents: ['NA', 'SA'], clusters: [{ name: 'newyork' }], failover: ['cloud'] },
      ],
      default: { clusters: [{ name: 'cloud' }] },
    },
  });
  // The YAML has no fallback of a pool: only the records show that octoDNS puts the default behind it.
  expect(parse(await readFile(fromYaml, 'utf8'))).toMatchObject({
    spec: { hosts: [host], default: { clusters: [{ name: 'cloud' }] } },
  });
  // A person names the policy as its health endpoint is named.
  await writeFile(join(spec, 'traffic.yaml'), stringify({ ...policy, metadata: { name: 'video' } }));
  expect((await tideline('check', spec)).code).toBe(0);
});

test('the adoption, a change and the release move only who is meant to move', { timeout: 240_000 }, async () => {
  expect(await carryOut(['adopt', host], '--keep', join(folder, 'kept'))).toMatch(/^plan /m);
  expect(await clustersNow()).toEqual(byOctodns);
  const file = join(spec, 'traffic.yaml');
  const policy = parse(await readFile(file, 'utf8')) as { spec: { rules: object[] } };
  policy.spec.rules.push({ countries: ['GB'], clusters: [{ name: 'paris' }], failover: ['cloud'] });
  await writeFile(file, stringify(policy));
  await carryOut(['plan']);
  expect(await clustersNow()).toEqual({ ...byOctodns, GB: ['paris'] });
  await carryOut(['release', host]);
  expect(await clustersNow()).toEqual({ ...byOctodns, GB: ['paris'] });
});

test('octoDNS takes the host back, by the YAML that is exported', { timeout: 60_000 }, async () => {
  const out = join(folder, 'exported.yaml.out');
  expect((await tideline('steering', 'export', spec, '--out', out)).code).toBe(0);
  const { www } = parse(await readFile(out, 'utf8')) as {
    readonly www: { readonly dynamic: { readonly rules: object[] } };
  };
  expect(www.dynamic.rules.length).toBeGreaterThan(2);
  const rules = [{ geos: ['EU-GB'], pool: 'paris' }, ...record.rules];
  await writeAsOctodns(client, { zone, zoneId, name: 'www', record: { ...record, rules } });
  expect(await clustersNow()).toEqual({ ...byOctodns, GB: ['paris'] });
});

test('no request failed on the whole way', async () => {
  await clients.end();
  expect(clients.failures).toEqual([]);
  expect(clients.requests).toBeGreaterThan(300);
});
