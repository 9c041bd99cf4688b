import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateHealthCheckCommand,
  CreateHostedZoneCommand,
  ListHealthChecksCommand,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../../../lab/emulators/route53/emulator.ts';
import { countryOf } from '../../../src/geo/lookup.ts';
import { compareText } from '../../../src/model/values.ts';
import { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { compileCache } from '../../support/compile-cache.ts';
import { eventually } from '../../support/steering/world.ts';

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
/** The access key that signed each request. */
const keys: string[] = [];

beforeAll(async () => {
  emulator = await startEmulator({
    api: { host: '127.0.0.1', port: 0 },
    dns: { host: '127.0.0.1', port: 0 },
    timeCompression: 50,
    insyncDelayMs: 100,
    rate: 0,
    burst: 50,
    checkers: 1,
    allowPrivateEndpoints: true,
    countryOf,
    clock: systemClock,
    log: silentLog,
  });
  client = route53Client({ endpoint: emulator.apiUrl, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  await client.send(new CreateHostedZoneCommand({ Name: 'video.example', CallerReference: 'test' }));
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
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
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

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function tideline(...args: readonly string[]): Promise<Result> {
  return tidelineWith({}, ...args);
}

function tidelineWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Result> {
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: compileCache,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    POWERDNS_API_KEY: '',
    ...environment,
  };
  return new Promise((resolve) => {
    const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...args];
    execFile(process.execPath, command, { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const endpoint = () => `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
const on = () => [folder, '--provider', 'route53', '--route53-endpoint', endpoint()];
const checksum = (text: string) => /^plan ([0-9a-f]{16})$/m.exec(text)?.[1] ?? 'none';

async function movePolicy(from: string, to: string): Promise<void> {
  const file = join(folder, 'traffic.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
}

test('plan only reads, apply does exactly that plan, the second plan is empty', async () => {
  const first = await tideline('plan', ...on());
  expect(first.err).toBe('');
  expect(first.out).toContain('nothing -> newyork: NA (all 41), SA (all 14)');
  expect(first.out).toContain('verified: video, 247 locations x 8 sets of failed clusters');
  expect(new Set(methods)).toEqual(new Set(['GET']));
  expect((await tideline('plan', ...on(), '--detailed-exitcode')).code).toBe(3);
  const applied = await tideline('apply', ...on(), '--plan', checksum(first.out));
  expect(applied).toEqual({ code: 0, out: 'route53 zone video.example: generation 1 answers\n', err: '' });
  const second = await tideline('plan', ...on());
  expect(second.out).toContain('as wanted\n\nnothing to do\n');
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
  expect(err).toMatch(/^Route 53 asks to come back later \(Rate exceeded\); trying again in \d+\.\d s$/m);
});

test('another checksum is refused, and so is a large move until a person approves it', async () => {
  await movePolicy('clusters: [{ name: cloud }]\n    failover: [paris, newyork]', 'clusters: [{ name: paris }]');
  const plan = await tideline('plan', ...on());
  expect(plan.err).toBe('');
  expect(plan.out).toContain('cloud -> paris: AN (all 3)');
  expect(plan.out).toMatch(/www\.video\.example moves 75\.\d% of the traffic, the guard allows 25% \(NeedsApproval\)/);
  const other = await tideline('apply', ...on(), '--plan', '0123456789abcdef');
  expect([other.code, other.err]).toEqual([1, expect.stringContaining('(PlanChanged)')]);
  const unapproved = await tideline('apply', ...on(), '--plan', checksum(plan.out));
  expect([unapproved.code, unapproved.err]).toEqual([1, expect.stringContaining('(NeedsApproval)')]);
  const approved = await tideline('apply', ...on(), '--plan', checksum(plan.out), '--approve-share', '0.8');
  expect(approved.out).toBe('route53 zone video.example: generation 2 answers\n');
});

test('health checks that nothing uses any more are deleted; those of others are not', async () => {
  const HealthCheckConfig = { Type: 'HTTP' as const, IPAddress: '192.0.2.99', Port: 80, ResourcePath: '/' };
  await client.send(new CreateHealthCheckCommand({ CallerReference: 'somebody else', HealthCheckConfig }));
  await movePolicy('- countries: [GB]', '- countries: [GB, IE]');
  const clusters = join(folder, 'clusters.yaml');
  await writeFile(clusters, (await readFile(clusters, 'utf8')).replaceAll('192.0.2.10 }', '192.0.2.11 }'));
  const plan = await tideline('plan', ...on(), '--output', 'json');
  const { checksum: sum, zones } = JSON.parse(plan.out) as {
    checksum: string;
    zones: { healthChecks: { create: unknown[]; delete: unknown[] } }[];
  };
  expect([zones[0]?.healthChecks.create.length, zones[0]?.healthChecks.delete.length]).toEqual([1, 1]);
  expect((await tideline('apply', ...on(), '--plan', sum, '--approve-share', '1')).err).toBe('');
  await eventually(async () => {
    const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
    const addresses = HealthChecks.map((check) => check.HealthCheckConfig?.IPAddress ?? '').toSorted(compareText);
    const wanted = ['192.0.2.11', '192.0.2.99', '198.51.100.10', '203.0.113.10'];
    return addresses.join() === wanted.join() ? undefined : addresses.join();
  });
});

test('when one zone fails, the output names what was done before it', async () => {
  const created = await client.send(new CreateHostedZoneCommand({ Name: 'zz.example', CallerReference: 'zz' }));
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
  refused = created.HostedZone?.Id?.replace('/hostedzone/', '') ?? 'none';
  const { code, out, err } = await tideline('apply', ...on(), '--plan', checksum(plan.out), '--approve-share', '1');
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
])('bad input: %s', async (_what, args, said) => {
  const { code, err } = await tideline(...args);
  expect(code).toBe(2);
  expect(err).toContain(said);
  expect(err).not.toMatch(/\n\s+at /);
});

test('explain prints the reason and the answer for every failure', async () => {
  const { out } = await tideline('explain', 'www.video.example', 'GB', 'examples/hybrid');
  expect(out).toContain('www.video.example for GB: newyork 30%, paris 70%');
  expect(out).toContain('because: policy video, rules[1] (country)');
  expect(out).toContain('without newyork and paris: cloud');
});
