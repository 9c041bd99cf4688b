import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import type { AgentHistory } from '../../../src/model/status.ts';
import type { SteeringStatus } from '../../../src/model/steering-status.ts';
import type { SteeringAgent } from '../../../src/planes/steering/agent.ts';
import { isEmpty } from '../../../src/planes/steering/plan/plan.ts';
import type { Gate } from '../../../src/planes/steering/providers/provider.ts';
import { readOnlyRoute53Client, route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53Reader } from '../../../src/planes/steering/providers/route53/read.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { promised } from '../../support/promised.ts';
import { steeringAgent, withDrainOf, withFreeze, withGuard } from '../../support/steering/agent.ts';
import { clientOf, createZone, credentials, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { examplePlatform, Vips, withCheck, withDefault } from '../../support/steering/world.ts';

/** The agent against the emulator's API, through a proxy that counts its requests and can cut them. */
const zone = 'video.example';
const host = 'www.video.example';
const vips = new Vips();
let emulator: Emulator;
let client: Route53Client;
let proxy: Server;
const methods: string[] = [];
/** Called with each request before it is passed on, and once its answer is there; it says whether the sender is cut off then. */
let cuts = (_when: 'sent' | 'answered'): boolean => false;
let agents: SteeringAgent[] = [];

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ timeCompression: 500, insyncDelayMs: 10 });
  client = clientOf(emulator);
  await createZone(client, zone);
  let before = '';
  proxy = createServer((incoming, outgoing) => {
    const { method = 'GET', headers, url = '/' } = incoming;
    methods.push(method);
    // A question that is asked again at once, as for a status, is no further step.
    const kind = `${method} ${url.replace(/\/[A-Za-z0-9-]{20,}/, '').replace(/\?.*/, '')}`;
    const isStep = method !== 'GET' || kind !== before;
    before = kind;
    if (isStep && cuts('sent')) return void incoming.socket.destroy();
    const onward = request(new URL(url, emulator.apiUrl), { method, headers }, (answer) => {
      if (isStep && cuts('answered')) return void incoming.socket.destroy();
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  cuts = () => false;
  await Promise.all(agents.map((agent) => agent.stop()));
  agents = [];
});

afterAll(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
});

/** Applies of one test must not count as many in ten minutes for the next. */
let laterMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + laterMs };
const fast = { ...timing, firstMs: 5, ceilingMs: 50, limitMs: 3000, statusMs: 0, blindSyncMs: 20 };
const endpoint = (): string => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

/** Starts an agent of this spec; `dead` cuts it off as if its process had ended. */
function started(spec: () => Platform, mode: 'observe' | 'automatic', dead = () => false): SteeringAgent {
  const living =
    (gate: Gate): Gate =>
    (what) => {
      if (dead()) throw new Error('killed');
      gate(what);
    };
  const options = (gate: Gate) => ({ endpoint: endpoint(), credentials, gate: living(gate) });
  const agent = steeringAgent({
    platform: spec,
    hands:
      mode === 'observe' ? { mode } : { mode, write: async (_, gate) => route53(route53Client(options(gate)), fast) },
    read: async (_, gate) => route53Reader(readOnlyRoute53Client(options(gate)), fast),
    providers: 'route53',
    everyMs: 300,
    clock,
  });
  agents.push(agent);
  agent.start();
  return agent;
}

const zoneOf = (agent: SteeringAgent) => agent.status().zones[0];

function comes(agent: SteeringAgent, state: string, applied = 0): Promise<unknown> {
  return eventually(
    `the zone is ${state}`,
    () => zoneOf(agent)?.state === state && agent.status().applied.length >= applied,
    { timeoutMs: 60_000, everyMs: 20, show: () => JSON.stringify({ ...agent.status(), applied: [] }).slice(0, 3000) },
  );
}

/** What the users of a country are answered. */
function answered(country: string): Promise<readonly string[]> {
  return resolveFor(emulator.dns, host, clientAddress(country, 1));
}

const reader = () => route53Reader(readOnlyRoute53Client({ endpoint: emulator.apiUrl, credentials }), fast);

test('an agent that observes sends nothing but questions, and knows what is to do', async () => {
  const spec = await examplePlatform();
  methods.length = 0;
  const agent = started(() => spec, 'observe');
  await comes(agent, 'planned');
  expect([methods.length > 0, new Set(methods)]).toEqual([true, new Set(['GET'])]);
});

test('a Drain moves users by itself, and its end brings them back by itself', { timeout: 120_000 }, async () => {
  const whole = withGuard(await examplePlatform(), 1);
  let spec = whole;
  const agent = started(() => spec, 'automatic');
  await comes(agent, 'inForce', 1);
  expect(await answered('FR')).toEqual([vips.addresses.paris]);
  spec = withDrainOf(whole, 'paris', clock.now() + 8000);
  agent.refresh();
  await comes(agent, 'inForce', 2);
  expect(await answered('FR')).not.toContain(vips.addresses.paris);
  await comes(agent, 'inForce', 3);
  expect(await answered('FR')).toEqual([vips.addresses.paris]);
  expect(clock.now()).toBeGreaterThan(Date.parse(spec.drains.get('paris-works')?.spec.expires ?? ''));
});

test('a Freeze stops it on its way within five seconds, and after the thaw it finishes', {
  timeout: 120_000,
}, async () => {
  laterMs += 3_600_000;
  const whole = withGuard(await examplePlatform(), 1);
  let spec = whole;
  const agent = started(() => spec, 'automatic');
  await comes(agent, 'inForce');
  const wanted = withCheck(withDefault(whole, 'newyork'), { intervalSeconds: 30 });
  let frozenAtMs = 0;
  cuts = (when) => {
    if (when === 'answered' && methods.at(-1) === 'POST' && frozenAtMs === 0) {
      frozenAtMs = performance.now();
      methods.length = 0;
      spec = withFreeze(wanted);
    }
    return false;
  };
  spec = wanted;
  agent.refresh();
  await eventually('it is frozen', () => zoneOf(agent)?.conditions[0]?.reason === 'Frozen', {
    timeoutMs: promised(5000),
    everyMs: 10,
  });
  expect([frozenAtMs > 0, methods.includes('POST')]).toEqual([true, false]);
  cuts = () => false;
  spec = wanted;
  agent.refresh();
  await comes(agent, 'inForce');
});

test('killed at each of its requests, the next one finishes, and every country is answered', {
  timeout: 600_000,
}, async () => {
  const base = withGuard(await examplePlatform(), 1);
  const wants = [withCheck(withDefault(base, 'cloud'), { intervalSeconds: 30 }), withDefault(base, 'newyork')];
  let killed = 0;
  for (let at = 1; ; at += 1) {
    laterMs += 7_200_000;
    const spec = wants[at % 2] ?? base;
    for (const when of ['sent', 'answered'] as const) {
      let left = at;
      let dead = false;
      cuts = (moment) => {
        if (dead) return true;
        if (moment !== when) return false;
        left -= 1;
        dead = left === 0;
        return dead;
      };
      const agent = started(
        () => spec,
        'automatic',
        () => dead,
      );
      await eventually('it is killed, or done', () => dead || zoneOf(agent)?.state === 'inForce', {
        timeoutMs: 60_000,
        everyMs: 5,
      });
      await agent.stop();
      cuts = () => false;
      if (dead) killed += 1;
      for (const country of ['FR', 'US', 'JP']) expect(await answered(country)).not.toEqual([]);
    }
    const next = started(() => spec, 'automatic');
    await comes(next, 'inForce');
    expect(isEmpty(await planZone(spec, reader(), zone, clock.now()))).toBe(true);
    await next.stop();
    if (killed < 2 * at - 1) break;
  }
  expect(killed).toBeGreaterThan(15);
});

test('as a program it follows a folder, writes its history, ends when it is asked to, and knows its zones at the next start', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-steering-'));
  await cp('examples/hybrid', join(folder, 'platform'), { recursive: true });
  const words = ['steering', 'agent', '--platform', join(folder, 'platform'), '--provider', 'route53', '--every', '5'];
  const rest = ['--mode', 'recommend', '--run-dir', join(folder, 'run'), '--metrics-address', '127.0.0.1:0'];
  const env = { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  let log = '';
  const start = () => {
    log = '';
    const program = spawn('bin/tideline', [...words, ...rest, '--route53-endpoint', emulator.apiUrl], { env });
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (chunk: Buffer) => {
        log += String(chunk);
      });
    return program;
  };
  let child = start();
  try {
    const patience = { timeoutMs: 60_000, everyMs: 50, show: () => log };
    const listens = () => eventually('it listens', () => /"endpoint":"(http:[^"]+)"/.exec(log)?.[1], patience);
    let url = await listens();
    const status = async () => (await (await fetch(`${url}/status`)).json()) as SteeringStatus;
    await eventually('it waits for a person', async () => (await status()).zones[0]?.state === 'waits', patience);
    expect(await status()).toMatchObject({ agent: 'steering', mode: 'recommend', platform: { phase: 'current' } });
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /tideline_steering_waiting\{[^}]*zone="video.example"[^}]*\} 1/,
    );
    const freeze = spawnSync('bin/tideline', ['freeze', join(folder, 'platform'), '--reason', 'x'], { env });
    expect(freeze.status).toBe(0);
    const isFrozen = async () => (await status()).zones[0]?.conditions[0]?.reason === 'Frozen';
    await eventually('it is frozen', isFrozen, { ...patience, timeoutMs: promised(5000) });
    const history = async () => {
      const { decisions } = (await (await fetch(`${url}/history?since=0`)).json()) as AgentHistory;
      return decisions.map(({ what }) => what);
    };
    await eventually('the history has the Freeze', async () => (await history()).includes('FreezeBegan'), patience);
    expect(await history()).toEqual(expect.arrayContaining(['AgentStarted', 'LeadBegan', 'DnsWaits']));
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await rm(join(folder, 'platform/traffic.yaml'));
    child = start();
    url = await listens();
    const isLoud = async () => (await status()).zones[0]?.conditions[0]?.reason === 'PolicyGone';
    await eventually('it says that the policies are gone', isLoud, patience);
  } finally {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
