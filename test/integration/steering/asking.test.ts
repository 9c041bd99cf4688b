import { createSocket } from 'node:dgram';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { decode, encode } from 'dns-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { dnsOf, type Ran, runTideline } from '../../support/steering/command.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';

/** What the commands say of a zone beside their plan: what name servers answer, where the parent leads, what the zone holds. */
let emulator: Emulator;
let client: Route53Client;
let folder: string;
/** The checksum of the plan that is in force. */
let lastSum = '';

const on = () => [folder, '--provider', 'route53', '--route53-endpoint', emulator.apiUrl];
const tideline = (...args: readonly string[]): Promise<Ran> => tidelineWith({}, ...args);
const tidelineWith = (environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ran> =>
  runTideline({ TIDELINE_NAME_SERVERS: dnsOf(emulator), ...environment }, args);

beforeAll(async () => {
  emulator = await testEmulator({ insyncDelayMs: 100, lateDns: [{ host: '127.0.0.1', port: 0, lagMs: 5000 }] });
  client = clientOf(emulator);
  await createZone(client, 'video.example');
  folder = await mkdtemp(join(tmpdir(), 'tideline-asking-'));
  await cp('examples/hybrid', folder, { recursive: true });
  const plan = await tideline('plan', ...on());
  lastSum = /^plan ([0-9a-f]{16})$/m.exec(plan.out)?.[1] ?? 'none';
  expect((await tideline('apply', ...on(), '--plan', lastSum)).code).toBe(0);
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('whether the parent leads to the zone is said, or that nobody could be asked', async () => {
  const { out } = await tideline('plan', ...on());
  expect(out).toMatch(
    /^whether the parent of video\.example leads to route53 was not asked: no name server of its parent is known/,
  );
  const json = await tideline('plan', ...on(), '-o', 'json');
  expect(JSON.parse(json.out)).toMatchObject({
    delegations: [{ own: [expect.stringMatching(/^ns-/), {}, {}, {}], parent: { problem: expect.any(String) } }],
  });
});

test('apply names the name server that is silent or answers otherwise, says what the plan says, and exits with 4', async () => {
  const old = createSocket('udp4').on('message', (message, from) => {
    const { id = 0, questions = [] } = decode(message);
    const answers = questions.map(({ name }) => ({ type: 'A' as const, name, data: '192.0.2.10' }));
    old.send(encode({ type: 'response', id, questions, answers }), from.port, from.address);
  });
  const silent = createSocket('udp4');
  await Promise.all([old, silent].map((one) => new Promise<void>((done) => one.bind(0, '127.0.0.1', done))));
  try {
    const [oldPort, silentPort] = [old.address().port, silent.address().port];
    const { port } = emulator.dns;
    const TIDELINE_NAME_SERVERS = [oldPort, silentPort, port].map((one) => `127.0.0.1:${one}`).join(',');
    const words = ['apply', ...on(), '--plan', lastSum, '--ask-seconds', '1'];
    const { code, out } = await tidelineWith({ TIDELINE_NAME_SERVERS }, ...words);
    expect([code, out]).toEqual([4, expect.stringContaining(': 1 of 3 name servers answer as planned')]);
    expect(out).toMatch(
      new RegExp(
        `^ {2}! 127\\.0\\.0\\.1 port ${oldPort}: answers AD for www\\.video\\.example A with paris \\(192\\.0\\.2\\.10\\); the plan says cloud \\(203`,
        'm',
      ),
    );
    expect(out).toMatch(new RegExp(`^ {2}! 127\\.0\\.0\\.1 port ${silentPort}: does not answer within`, 'm'));
    const json = await tidelineWith({ TIDELINE_NAME_SERVERS }, ...words, '--output', 'json');
    expect([json.code, JSON.parse(json.out)]).toMatchObject([
      4,
      { asked: [{ nameServers: [{}, { right: 0 }, { wrong: [] }] }] },
    ]);
    expect((await tidelineWith({ TIDELINE_NAME_SERVERS }, ...words, '--no-ask')).code).toBe(0);
  } finally {
    old.close();
    silent.close();
  }
});

test('without a name server that has an address, apply says that none could be asked', async () => {
  const words = ['apply', ...on(), '--plan', lastSum];
  const { code, out } = await tidelineWith({ TIDELINE_NAME_SERVERS: '' }, ...words);
  expect([code, out]).toEqual([
    4,
    expect.stringMatching(/no name server could be asked .*: ns-.* has no address here/),
  ]);
});

test('explain reads the zone and asks the name servers, and says where they differ from the policy', async () => {
  const words = ['explain', 'www.video.example', 'FR', ...on()];
  const { code, out } = await tideline(...words);
  expect(code).toBe(0);
  expect(out).toMatch(/as the zone video\.example of route53 holds it now \(generation \d+\):\n/);
  expect(out).toMatch(/health now: .*paris \(192\.0\.2\.10\).* (is|are) down, say the provider's checks/);
  expect(out).not.toContain('OTHERWISE');
  expect(out).toMatch(/^ {2}127\.0\.0\.1 port \d+ answers paris \(192\.0\.2\.10\)$/m);
  const file = join(folder, 'traffic.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('clusters: [{ name: paris }]', 'clusters: [{ name: newyork }]'));
  const other = await tideline(...words);
  await writeFile(file, text);
  expect(other.out).toMatch(/^ {4}A: paris\n {6}OTHERWISE than the policy, which wants newyork;/m);
  const offline = await tideline(...words, '--offline');
  expect(offline.out).not.toMatch(/as the zone|answers paris/);
  const supposed = await tideline(...words, '--if', 'Cluster/paris=down', '-o', 'json');
  expect(JSON.parse(supposed.out)).toMatchObject({ zones: [{ families: [{ healthy: 'paris', now: 'cloud' }] }] });
  const unread = await tidelineWith(
    { POWERDNS_API_URL: 'http://127.0.0.1:9', POWERDNS_API_KEY: 'x' },
    ...words.slice(0, 4),
    '--provider',
    'powerdns',
  );
  expect([unread.code, unread.out]).toEqual([0, expect.stringContaining('of powerdns was not read: PowerDNS at http')]);
});

test('apply asks a name server that is late again, until it answers as planned', async () => {
  const file = join(folder, 'traffic.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('- countries: [GB]', '- countries: [GB, IM]'));
  const [late] = emulator.lateDns;
  const TIDELINE_NAME_SERVERS = `${dnsOf(emulator)},${late?.host}:${late?.port}`;
  const plan = await tideline('plan', ...on());
  const sum = /^plan ([0-9a-f]{16})$/m.exec(plan.out)?.[1] ?? 'none';
  const approved = ['--approve-share', '1', '--approve-failover', '1', '--approve-down', 'paris', 'newyork', 'cloud'];
  const { code, out } = await tidelineWith({ TIDELINE_NAME_SERVERS }, 'apply', ...on(), '--plan', sum, ...approved);
  expect([code, out]).toEqual([0, expect.stringMatching(/: 2 of 2 name servers answer as planned, .*\bIM\b/)]);
});
