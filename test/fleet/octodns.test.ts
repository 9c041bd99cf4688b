import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Emulator } from '../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../src/geo/prefixes.ts';
import { healthPathOf } from '../../src/model/contract.ts';
import { dnsOf, runTideline } from '../support/steering/command.ts';
import { clientOf, createZone, testEmulator } from '../support/steering/emulator.ts';
import { MigrationClients } from '../support/steering/migration-clients.ts';
import { octodnsYaml, threeClusters } from '../support/steering/octodns.ts';
import { installOctodns, octodnsConfig, octodnsEnvironment, octodnsSync } from '../support/steering/octodns-sync.ts';
import { resolveFor } from '../support/steering/resolve.ts';
import { eventually, Vips } from '../support/steering/world.ts';

/**
 * A host comes from octoDNS itself, as PyPI has it, to Tideline, by the commands that a person runs, while clients of four countries make requests all the time. It goes
 * back by the records that the adoption kept, which are octoDNS's own, and by its YAML with the change. Plain records octoDNS cannot read.
 */
const zone = 'video.example';
const host = `www.${zone}`;
const vips = new Vips();
const { paris = '', newyork = '', cloud = '' } = vips.addresses;
const record = threeClusters({ paris, newyork, cloud });
const healthcheck = { protocol: 'HTTP', port: 80, path: healthPathOf('video') };
const checked = { octodns: { healthcheck, route53: { healthcheck: { measure_latency: false } } } };
const yaml = (): string => join(folder, 'octodns', `${zone}.yaml`);
let emulator: Emulator;
let folder: string;
let spec: string;
let clients: MigrationClients;

/** octoDNS makes the zone what its YAML says. */
async function sync(): Promise<void> {
  const env = { ...process.env, ...octodnsEnvironment(emulator.apiUrl) };
  const config = join(folder, 'config.yaml');
  await promisify(execFile)(octodnsSync, ['--config-file', config, '--force', '--quiet', '--doit'], { env });
}

async function tideline(...words: readonly string[]): Promise<string> {
  const environment = { TIDELINE_NAME_SERVERS: dnsOf(emulator), TIDELINE_HISTORY: join(folder, 'history.jsonl') };
  const { code, out, err } = await runTideline(environment, ['steering', ...words]);
  expect([words[0], code, code === 0 ? '' : out + err]).toEqual([words[0], 0, '']);
  return out;
}

/** Shows the plan of a command, then carries it out. */
async function carryOut(words: readonly string[], ...more: readonly string[]): Promise<void> {
  const on = [spec, '--provider', 'route53', '--route53-endpoint', emulator.apiUrl];
  const [, plan = 'none'] = /^plan ([0-9a-f]{16})$/m.exec(await tideline(...words, ...on)) ?? [];
  const act = words[0] === 'plan' ? ['apply'] : words;
  await tideline(...act, ...on, '--plan', plan, '--approve-share', '1', '--approve-failover', '1', ...more);
}

beforeAll(async () => {
  await installOctodns();
  await vips.start();
  emulator = await testEmulator();
  const client = clientOf(emulator);
  await createZone(client, zone);
  client.destroy();
  folder = await mkdtemp(join(tmpdir(), 'tideline-octodns-'));
  spec = join(folder, 'platform');
  await cp('examples/hybrid', spec, { recursive: true });
  await rm(join(spec, 'traffic.yaml'));
  await mkdir(join(folder, 'octodns'));
  await writeFile(join(folder, 'config.yaml'), stringify(octodnsConfig(join(folder, 'octodns'), zone)));
  await writeFile(yaml(), stringify({ www: { ...octodnsYaml(record), ...checked } }));
  await sync();
  await eventually(async () => {
    const [address] = await resolveFor(emulator.dns, host, clientAddress('FR', 0));
    return address === paris ? undefined : `France has ${address}`;
  });
  clients = new MigrationClients({ dns: emulator.dns, host, addresses: vips.addresses });
});

afterAll(async () => {
  await clients?.end();
  await emulator?.stop();
  await vips.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a host comes from octoDNS, is changed, and goes back to it, and no request fails', async () => {
  const byOctodns = { FR: ['paris'], US: ['newyork'], JP: ['cloud'], GB: ['cloud'] };
  expect(await clients.clustersNow()).toEqual(byOctodns);
  const out = join(folder, 'live.out');
  const endpoint = ['--route53-endpoint', emulator.apiUrl];
  await tideline('import', '--route53-zone', zone, ...endpoint, 'examples/hybrid', '--out', out);
  const policy = parse(await readFile(out, 'utf8')) as { spec: { rules: object[] } };
  const file = join(spec, 'traffic.yaml');
  await writeFile(file, stringify({ ...policy, metadata: { name: 'video' } }));
  const kept = join(folder, 'kept');
  await carryOut(['adopt', host], '--keep', kept);
  expect(await clients.clustersNow()).toEqual(byOctodns);

  policy.spec.rules.push({ countries: ['GB'], clusters: [{ name: 'paris' }], failover: ['cloud'] });
  await writeFile(file, stringify({ ...policy, metadata: { name: 'video' } }));
  await carryOut(['plan']);
  const changed = { ...byOctodns, GB: ['paris'] };
  expect(await clients.clustersNow()).toEqual(changed);

  const [replaced = 'none'] = await readdir(kept);
  await carryOut(['release', host, '--to', join(kept, replaced)]);
  expect(await clients.clustersNow()).toEqual(byOctodns);
  const rules = record.rules.map((rule) => (rule.pool === 'paris' ? { ...rule, geos: [...rule.geos, 'EU-GB'] } : rule));
  await writeFile(yaml(), stringify({ www: { ...octodnsYaml({ ...record, rules }), ...checked } }));
  await sync();
  expect(await clients.clustersNow()).toEqual(changed);
  await clients.end();
  expect(clients.failures).toEqual([]);
  expect(clients.requests).toBeGreaterThan(200);
});
