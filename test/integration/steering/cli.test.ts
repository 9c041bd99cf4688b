import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  ListHealthChecksCommand,
  ListHostedZonesByNameCommand,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { compareText } from '../../../src/model/values.ts';
import { dnsOf, type Ran, runTideline } from '../../support/steering/command.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';

/** The commands run as a person runs them, against the emulator; each of their requests passes through a recorder. */
let emulator: Emulator;
let client: Route53Client;
let recorder: Server;
let folder: string;
const methods: string[] = [];
/** The recorder refuses changes of the zone with this identifier. */
let refused: string | undefined;
/** The recorder asks for as many requests to come back later. */
let throttled = 0;
/** The recorder's answers are dated so long ago. */
let behindMs = 0;
/** The access key that signed each request. */
const keys: string[] = [];

beforeAll(async () => {
  emulator = await testEmulator({ insyncDelayMs: 100 });
  client = clientOf(emulator);
  await createZone(client, 'video.example');
  recorder = createServer((incoming, outgoing) => {
    methods.push(incoming.method ?? '');
    keys.push(/Credential=([^/]+)/.exec(incoming.headers.authorization ?? '')?.[1] ?? '');
    if (throttled > 0) {
      throttled -= 1;
      outgoing.writeHead(400, { 'content-type': 'text/xml' }).end(slower);
      return;
    }
    const { method, headers, url } = incoming;
    if (method === 'POST' && refused !== undefined && url?.includes(refused) === true) {
      outgoing.writeHead(403, { 'content-type': 'text/xml' }).end(denied);
      return;
    }
    const onward = request(new URL(url ?? '/', emulator.apiUrl), { ...(method && { method }), headers }, (answer) => {
      const date = new Date(Date.now() - behindMs).toUTCString();
      outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...(behindMs !== 0 && { date }) });
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
  folder = await mkdtemp(join(tmpdir(), 'tideline-cli-'));
  await cp('examples/hybrid', folder, { recursive: true });
});

afterAll(async () => {
  recorder?.closeAllConnections();
  recorder?.close();
  client?.destroy();
  await emulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

const denied =
  '<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>';

const slower =
  '<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>';

function tideline(...args: readonly string[]): Promise<Ran> {
  return tidelineWith({}, ...args);
}

function tidelineWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ran> {
  return runTideline({ TIDELINE_NAME_SERVERS: dnsOf(emulator), ...environment }, args);
}

const endpoint = () => `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
const on = () => [folder, '--provider', 'route53', '--route53-endpoint', endpoint()];
const checksum = (text: string) => /^plan ([0-9a-f]{16})$/m.exec(text)?.[1] ?? 'none';

async function movePolicy(from: string, to: string): Promise<void> {
  const file = join(folder, 'traffic.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
}

test('plan only reads, apply does exactly that plan, the second plan is empty', async () => {
  const kept = join(folder, 'first.plan');
  const first = await tideline('plan', ...on(), '--out', kept);
  expect(first.err).toBe('');
  expect(first.out).toContain('nothing -> newyork: NA (all 41), SA (all 14)');
  expect(first.out).toContain('verified: video, 247 locations x 8 sets of failed clusters');
  expect(new Set(methods)).toEqual(new Set(['GET']));
  expect((await tideline('plan', ...on(), '--detailed-exitcode')).code).toBe(3);
  const applied = await tideline('apply', ...on(), '--plan', kept);
  const asked =
    'route53 zone video.example: 1 of 1 name servers answer as planned, asked for 1 host as clients in AD, AG, BE, GB\n';
  expect([applied.code, applied.err]).toEqual([0, '']);
  expect(applied.out).toMatch(
    new RegExp(`^route53 zone video\\.example: generation 1 answers\\n${asked}whether the parent`),
  );
  const again = await tideline('apply', ...on(), '--plan', checksum(first.out));
  expect([again.code, again.out]).toEqual([
    0,
    expect.stringContaining(`plan ${checksum(first.out)} is in force already`),
  ]);
  const second = await tideline('plan', ...on());
  expect(second.out).toMatch(/as wanted\n {2}health now: .* down, say the provider's checks\n\nnothing to do\n/);
  expect((await tideline('plan', ...on(), '--detailed-exitcode')).code).toBe(0);
});

test('credentials may come from a profile', async () => {
  const profiles = join(folder, 'aws-credentials');
  await writeFile(profiles, '[dns]\naws_access_key_id = profile\naws_secret_access_key = profile\n');
  const environment = { AWS_PROFILE: 'dns', AWS_SHARED_CREDENTIALS_FILE: profiles, AWS_ACCESS_KEY_ID: '' };
  const { code, out } = await tidelineWith(environment, 'plan', ...on());
  expect(code).toBe(0);
  expect(out).toContain('nothing to do');
  expect(keys.at(-1)).toBe('profile');
});

test('a plan tells on the way that Route 53 asks to come back later', async () => {
  throttled = 4;
  const { code, err } = await tideline('plan', ...on());
  expect(code).toBe(0);
  expect(err).toMatch(
    /^Route 53 asks to come back later \(Rate exceeded\); trying again in \d+\.\d s, for \d+ s at the most$/m,
  );
});

test('another checksum is refused, and so is a large move until a person approves it', async () => {
  await movePolicy('clusters: [{ name: cloud }]\n    failover: [paris, newyork]', 'clusters: [{ name: paris }]');
  const plan = await tideline('plan', ...on());
  expect(plan.err).toBe('');
  expect(plan.out).toContain('cloud -> paris: AN (all 3)');
  // No entry stands on this machine, and the emulated checkers have seen it.
  expect(plan.out).toMatch(/health now: cloud \(203\.0\.113\.10\), .* are down, say the provider's checks/);
  expect(plan.out).toMatch(/www\.video\.example moves 75\.\d% of the traffic, the guard allows 25% \(NeedsApproval\)/);
  const other = await tideline('apply', ...on(), '--plan', '0123456789abcdef');
  expect([other.code, other.err]).toEqual([1, expect.stringContaining('(PlanChanged)')]);
  const unapproved = await tideline('apply', ...on(), '--plan', checksum(plan.out));
  expect([unapproved.code, unapproved.err]).toEqual([1, expect.stringContaining('(NeedsApproval)')]);
  const options =
    /add (--approve-share 0\.\d+(?: --approve-failover [\d.]+)?)/.exec(unapproved.err)?.[1]?.split(' ') ?? [];
  const approved = await tideline('apply', ...on(), '--plan', checksum(plan.out), ...options);
  expect(approved.out).toMatch(
    /^route53 zone video\.example: generation 2 answers\n.*: 1 of 1 name servers answer as planned/,
  );
});

test('a frozen platform is planned, and written only despite the freeze', async () => {
  await movePolicy('- countries: [GB]', '- countries: [GB, IM]');
  expect((await tideline('freeze', folder, '--reason', 'routes flap', '--by', 'anna')).out).toMatch(
    /^FROZEN by anna since/,
  );
  const plan = await tideline('plan', ...on());
  expect(plan.out).toMatch(/^FROZEN by anna since \S+: routes flap\n {2}apply is refused/);
  const writes = methods.filter((method) => method !== 'GET').length;
  const refused = await tideline('apply', ...on(), '--plan', checksum(plan.out));
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('(Frozen)')]);
  expect(methods.filter((method) => method !== 'GET')).toHaveLength(writes);
  // What was moved a minute ago counts together with this.
  const share = ['--approve-share', '1'];
  const applied = await tideline('apply', ...on(), '--plan', checksum(plan.out), '--despite-freeze', ...share);
  expect([applied.code, applied.err]).toEqual([0, '']);
  expect((await tideline('thaw', folder)).out).toMatch(/^thawed; it was FROZEN by anna/);
  expect(await tideline('thaw', folder)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^no Freeze is in force/),
  });
  await movePolicy('- countries: [GB, IM]', '- countries: [GB]');
  const back = await tideline('plan', ...on());
  expect((await tideline('apply', ...on(), '--plan', checksum(back.out))).err).toBe('');
});

test('a machine whose clock is hours ahead of Route 53 plans, and writes nothing', async () => {
  await movePolicy('- countries: [GB]', '- countries: [GB, IM]');
  behindMs = 2 * 3_600_000;
  const writes = methods.filter((method) => method !== 'GET').length;
  const plan = await tideline('plan', ...on());
  expect([plan.code, plan.out]).toEqual([
    0,
    expect.stringMatching(/clock of this machine is 2 h ahead .*\(ClockWrong\)/),
  ]);
  const applied = await tideline('apply', ...on(), '--plan', checksum(plan.out), '--approve-share', '1');
  behindMs = 0;
  expect([applied.code, applied.err]).toEqual([
    1,
    expect.stringMatching(/2 h ahead of that of Route 53.*\(ClockWrong\)/),
  ]);
  expect(methods.filter((method) => method !== 'GET')).toHaveLength(writes);
  await movePolicy('- countries: [GB, IM]', '- countries: [GB]');
});

/** No cluster serves here, so whoever is taken from somebody else is led to what is down. */
const clusters = ['paris', 'newyork', 'cloud'];
const approveAll = ['--approve-share', '1', '--approve-failover', '1', '--approve-down', ...clusters];

test('a new health check takes over when its endpoint is known; the one that nothing uses any more is retired and stays', async () => {
  const HealthCheckConfig = { Type: 'HTTP' as const, IPAddress: '192.0.2.99', Port: 80, ResourcePath: '/' };
  await client.send(new CreateHealthCheckCommand({ CallerReference: 'somebody else', HealthCheckConfig }));
  await movePolicy('- countries: [GB]', '- countries: [GB, IE]');
  const clusters = join(folder, 'clusters.yaml');
  await writeFile(clusters, (await readFile(clusters, 'utf8')).replaceAll('192.0.2.10 }', '192.0.2.11 }'));
  const plan = await tideline('plan', ...on(), '--output', 'json');
  const { checksum: sum, zones } = JSON.parse(plan.out) as {
    checksum: string;
    zones: { healthChecks: { create: unknown[]; retire: unknown[]; delete: unknown[] } }[];
  };
  const { create, retire, delete: gone } = zones[0]?.healthChecks ?? {};
  expect([create?.length, retire?.length, gone?.length]).toEqual([1, 1, 0]);
  expect((await tideline('apply', ...on(), '--plan', sum, ...approveAll)).code).toBe(0);
  const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
  const addresses = HealthChecks.map((check) => check.HealthCheckConfig?.IPAddress ?? '').toSorted(compareText);
  expect(addresses).toEqual(['192.0.2.10', '192.0.2.11', '192.0.2.99', '198.51.100.10', '203.0.113.10']);
  expect((await tideline('plan', ...on())).out).toContain('nothing to do');
});

test('when one zone fails, the output names what was done before it', async () => {
  const zoneId = await createZone(client, 'zz.example');
  const second = {
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata: { name: 'zz' },
    spec: {
      hosts: ['www.zz.example'],
      dns: { zone: 'zz.example', providers: ['route53'] },
      default: { clusters: [{ name: 'cloud' }] },
    },
  };
  await writeFile(join(folder, 'zz.json'), JSON.stringify(second));
  await movePolicy('- countries: [GB, IE]', '- countries: [GB, IE, IS]');
  const plan = await tideline('plan', ...on());
  refused = zoneId.replace('/hostedzone/', '');
  const { code, out, err } = await tideline('apply', ...on(), '--plan', checksum(plan.out), ...approveAll);
  refused = undefined;
  expect(code).toBe(1);
  expect(out).toMatch(/^route53 zone video\.example: generation \d+ answers\n$/);
  expect(err).toMatch(/AccessDenied.*\(ProviderRefused\)/);
});

test.each([
  ['a country that does not exist', ['explain', 'www.video.example', 'QQ', 'examples/hybrid'], 'UnknownCountry'],
  ['a host of no policy', ['explain', 'x.example', 'FR', 'examples/hybrid'], 'NoPolicy'],
  ['no such file', ['plan', '/nowhere.yaml'], '/nowhere.yaml'],
  ['an endpoint that is no URL', ['plan', 'examples/hybrid', '--route53-endpoint', 'here'], 'http://host:port'],
  ['a share above one', ['apply', 'examples/hybrid', '--plan', '0123456789abcdef', '--approve-share', '2'], '0 to 1'],
  ['a checksum in a wrong form', ['apply', 'examples/hybrid', '--plan', 'yes'], '16 characters'],
  ['a file without a plan', ['apply', 'examples/hybrid', '--plan', 'package.json'], 'UnreadablePlan'],
])('bad input: %s', async (_what, args, said) => {
  const { code, err } = await tideline(...args);
  expect(code).toBe(2);
  expect(err).toContain(said);
  expect(err).not.toMatch(/\n\s+at /);
});

test('a record of somebody else holds back its host alone; plan and apply do the others, say so and exit with 1', async () => {
  const HostedZoneId = (await client.send(new ListHostedZonesByNameCommand({ DNSName: 'video.example.' })))
    .HostedZones?.[0]?.Id;
  const theirs = { Name: 'held.video.example', Type: 'CNAME' as const, TTL: 60, ResourceRecords: [{ Value: 'x.net' }] };
  const put = (Action: 'CREATE' | 'DELETE') =>
    client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId,
        ChangeBatch: { Changes: [{ Action, ResourceRecordSet: theirs }] },
      }),
    );
  await put('CREATE');
  const file = join(folder, 'traffic.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('hosts: [www.video.example]', 'hosts: [held.video.example, www.video.example]'));
  await movePolicy('- countries: [GB, IE, IS]', '- countries: [GB, IE, IS, IM]');
  const held = /held\.video\.example is held back and stays as it is: CNAME of it exists .*\(UnownedRecord\)/;
  const plan = await tideline('plan', ...on());
  expect([plan.code, plan.out]).toEqual([1, expect.stringMatching(held)]);
  const applied = await tideline('apply', ...on(), '--plan', checksum(plan.out), ...approveAll);
  expect([applied.code, applied.out]).toEqual([1, expect.stringMatching(held)]);
  expect(applied.out).toMatch(/^route53 zone video\.example: generation \d+ answers$/m);
  const again = await tideline('plan', ...on());
  expect([again.code, again.out]).toEqual([1, expect.stringContaining('the other hosts are as wanted')]);
  const keep = await mkdtemp(join(tmpdir(), 'tideline-replaced-'));
  const adopt = ['steering', 'adopt', 'held.video.example', ...on(), '--keep', keep];
  const adoption = await tideline(...adopt);
  expect(adoption.out).toMatch(
    /, adopt held\.video\.example\n[^]*: 100% of the traffic moves [^]*x\.net -> newyork: NA/,
  );
  const map = ['steering', 'map', 'held.video.example', ...on()];
  const changes = await tideline(...map, '--show', 'changes');
  expect([changes.err, changes.out]).toEqual(['', expect.stringContaining('what the adoption for route53 changes')]);
  expect(changes.out).toMatch(/x\.net -> newyork: \d+ of 246 countries/);
  expect((await tideline(...map, '--show', 'zone')).out).toContain('x.net: 246 of 246 countries');
  const unasked = await tideline(...adopt, '--plan', checksum(adoption.out), ...approveAll.slice(0, 4));
  expect([unasked.code, unasked.err]).toEqual([1, expect.stringContaining('add --approve-down newyork paris')]);
  const adopted = await tideline(...adopt, '--plan', checksum(adoption.out), ...approveAll);
  expect([adopted.code, adopted.err]).toEqual([0, expect.stringContaining('replaced are kept in')]);
  const [kept = ''] = await readdir(keep);
  expect((await tideline('plan', ...on())).out).toContain('nothing to do\n');
  const release = ['steering', 'release', 'held.video.example', ...on(), '--to', join(keep, kept)];
  const back = await tideline(...release);
  expect((await tideline(...release, '--plan', checksum(back.out), ...approveAll)).err).toBe('');
  await rm(keep, { recursive: true });
  await put('DELETE');
  await writeFile(file, text);
});

test('a host that no policy names any more is removed when a person names it', async () => {
  const file = join(folder, 'traffic.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('hosts: [www.video.example]', 'hosts: [www.video.example, old.video.example]'));
  const added = await tideline('plan', ...on());
  expect((await tideline('apply', ...on(), '--plan', checksum(added.out), ...approveAll)).err).toBe('');
  await writeFile(file, text);
  const plan = await tideline('plan', ...on());
  const words = ['apply', ...on(), '--plan', checksum(plan.out), ...approveAll] as const;
  const refused = await tideline(...words);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringMatching(
      /old\.video\.example loses its answer.*--approve-removal old\.video\.example \(NeedsApproval\)/,
    ),
  ]);
  expect((await tideline(...words, '--approve-removal', 'old.video.example')).code).toBe(0);
});

test('explain prints the reason and the answer for every failure', async () => {
  const { out } = await tideline('explain', 'www.video.example', 'GB', 'examples/hybrid');
  expect(out).toContain('www.video.example for GB: newyork 30%, paris 70%');
  expect(out).toContain('because: policy video, rules[1] (country)');
  expect(out).toContain('without newyork and paris: cloud');
  const supposing = ['explain', 'www.video.example', 'GB', 'examples/hybrid', '--if', 'Cluster/paris=down'];
  const supposed = await tideline(...supposing);
  expect(supposed.out).toContain('www.video.example for GB while paris is down, as supposed: newyork\n');
  const both = await tideline(...supposing, '--if', 'Cluster/newyork=down');
  expect(both.out).toMatch(/while newyork and paris are down, as supposed: cloud\n/);
  expect((await tideline(...supposing, '--if', 'Cluster/pariss=down')).code).toBe(2);
});
