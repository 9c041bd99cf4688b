import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PowerDns } from '../../../lab/daemons/powerdns.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import { type Ran, runTideline } from '../../support/steering/command.ts';
import { testPowerDns } from '../../support/steering/powerdns.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { eventually, Vips } from '../../support/steering/world.ts';

/** Two servers of PowerDNS on one database, which is native replication without its delay: commands write by the API of the first alone. */
const zone = 'video.example';
const host = `www.${zone}`;
const vips = new Vips();
const { paris = '', newyork = '', cloud = '' } = vips.addresses;
const [first, second] = [5303, 5304].map((port) => ({ host: '127.0.0.1', port })) as [NameServer, NameServer];
type NameServer = { readonly host: string; readonly port: number };
let folder: string;
let spec: string;
let writes: PowerDns;
let copy: PowerDns;

const startSecond = (): Promise<PowerDns> =>
  testPowerDns({
    directory: join(folder, 'second'),
    databaseOf: join(folder, 'first'),
    dns: second,
    apiPort: 8085,
    zones: [],
  });

beforeAll(async () => {
  await vips.start();
  folder = await mkdtemp(join(tmpdir(), 'tideline-powerdns-replicated-'));
  spec = join(folder, 'platform');
  await cp('examples/hybrid', spec, { recursive: true });
  writes = await testPowerDns({ directory: join(folder, 'first'), dns: first, apiPort: 8084, zones: [zone] });
  copy = await startSecond();
});

afterAll(async () => {
  await Promise.all([writes?.stop(), copy?.stop()]);
  await vips.stop();
  await rm(folder, { recursive: true, force: true });
});

const tideline = (...words: readonly string[]): Promise<Ran> => tidelineBy(writes, ...words);

/** Runs a command that reads and writes by the API of this server. */
const tidelineBy = ({ apiUrl, apiKey }: PowerDns, ...words: readonly string[]): Promise<Ran> => {
  const nameServers = [first, second].map(({ host: address, port }) => `${address}:${port}`).join(',');
  const environment = { POWERDNS_API_URL: apiUrl, POWERDNS_API_KEY: apiKey };
  return runTideline({ ...environment, TIDELINE_NAME_SERVERS: nameServers, TIDELINE_HISTORY: join(folder, 'h') }, [
    'steering',
    ...words,
    spec,
    '--provider',
    'powerdns',
  ]);
};

/** Plans and applies; resolves with the checksum of the plan and what the apply said. */
async function apply(...more: readonly string[]): Promise<readonly [plan: string, ran: Ran]> {
  const { out, err } = await tideline('plan');
  const plan = /^plan ([0-9a-f]{16})$/m.exec(out)?.[1];
  expect(plan === undefined ? out + err : '').toBe('');
  const words = ['--plan', plan ?? '', '--approve-share', '1', '--approve-failover', '1', ...more];
  return [plan ?? '', await tideline('apply', ...words)];
}

/** Waits until a name server answers clients of these countries so. */
const answers = (server: NameServer, wanted: Readonly<Record<string, string>>): Promise<void> =>
  eventually(async () => {
    for (const [country, address] of Object.entries(wanted)) {
      const [answer] = await resolveFor(server, host, clientAddress(country, 0));
      if (answer !== address) return `${server.port} answers ${country} with ${answer}`;
    }
    return undefined;
  });

test('what is written by the API of one server is answered by both, and the apply asks both', async () => {
  const [, { code, out }] = await apply();
  expect([code, out]).toEqual([0, expect.stringContaining(': 2 of 2 name servers answer as planned')]);
  for (const server of [first, second]) await answers(server, { FR: paris, JP: cloud });
});

test('a server that is down keeps no plan from being written, is named, and is right again as soon as it is back', {
  timeout: 120_000,
}, async () => {
  await copy.stop();
  const file = join(spec, 'traffic.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('clusters: [{ name: paris }]', 'clusters: [{ name: newyork }]'));
  const [plan, { code, out }] = await apply('--ask-seconds', '2');
  expect([code, out]).toEqual([4, expect.stringContaining(': 1 of 2 name servers answer as planned')]);
  expect(out).toMatch(/^ {2}! 127\.0\.0\.1 port 5304: (does not answer|cannot be asked)/m);
  await answers(first, { FR: newyork });
  copy = await startSecond();
  await answers(second, { FR: newyork, JP: cloud });
  const again = await tideline('apply', '--plan', plan);
  expect([again.code, again.out]).toEqual([0, expect.stringContaining(': 2 of 2 name servers answer as planned')]);
});

test('while the server of the API is down nothing can be planned by it, the other goes on answering, and is planned by its own API', async () => {
  await writes.stop();
  const { code, err } = await tideline('plan');
  expect([code, err]).toEqual([1, expect.stringMatching(/\(ProviderUnreachable\)/)]);
  await answers(second, { FR: newyork, JP: cloud });
  expect((await tidelineBy(copy, 'plan')).out).toMatch(/generation 2: as wanted$.*^nothing to do$/ms);
});
