import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import type { SteeringAgent } from '../../../src/planes/steering/agent.ts';
import { readOnlyRoute53Client, route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53Reader } from '../../../src/planes/steering/providers/route53/read.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { loadPlatformOrThrow } from '../../../src/platform/load.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { Registry } from '../../../src/runtime/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { steeringAgent } from '../../support/steering/agent.ts';
import { runTideline } from '../../support/steering/command.ts';
import { clientOf, createZone, credentials, testEmulator, timing } from '../../support/steering/emulator.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { Vips } from '../../support/steering/world.ts';

/** Holds and returns as users see them, by DNS, against the emulator of Route 53 with its own health checkers. */
const zone = 'video.example';
const vips = new Vips();
let emulator: Emulator;
let client: Route53Client;
let folder: string;
let agents: SteeringAgent[] = [];

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ timeCompression: 500, insyncDelayMs: 10 });
  client = clientOf(emulator);
  await createZone(client, zone);
  folder = await mkdtemp(join(tmpdir(), 'tideline-failback-'));
});

afterEach(async () => {
  vips.fail();
  await stopAgents();
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
  await rm(folder, { recursive: true, force: true });
});

async function stopAgents(): Promise<void> {
  await Promise.all(agents.map((agent) => agent.stop()));
  agents = [];
}

/** The example with this rule, as files. */
async function written(rule: string): Promise<Platform> {
  await cp('examples/hybrid', folder, { recursive: true });
  const file = join(folder, 'traffic.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('  ttlSeconds: 30\n', `  ttlSeconds: 30\n  failback: ${rule}\n`));
  return loadPlatformOrThrow([folder]);
}

/** A minute of a hold passes in a second, so it is short enough to be noted once: notes count as applies. Of one test's applies the next one knows nothing. */
let laterMs = 0;
const clock: Clock = {
  ...systemClock,
  now: () => Date.now() + laterMs,
  monotonic: () => systemClock.monotonic() * 60,
};
const fast = { ...timing, firstMs: 5, ceilingMs: 50, limitMs: 3000, statusMs: 0, blindSyncMs: 20 };

let registry = new Registry();

function started(platform: Platform): SteeringAgent {
  registry = new Registry();
  const options = { endpoint: emulator.apiUrl, credentials };
  const agent = steeringAgent({
    platform: () => platform,
    hands: { mode: 'automatic', write: async (_, gate) => route53(route53Client({ ...options, gate }), fast) },
    read: async (_, gate) => route53Reader(readOnlyRoute53Client({ ...options, gate }), fast),
    providers: 'route53',
    everyMs: 200,
    clock,
    registry,
  });
  agents.push(agent);
  agent.start();
  return agent;
}

const answered = (country: string) => resolveFor(emulator.dns, 'www.video.example', clientAddress(country, 1));
/** The values of the metrics that the alert about a long hold compares. */
async function heldMetrics(): Promise<Readonly<Record<string, number>>> {
  const lines = (await registry.metrics()).matchAll(/^(tideline_steering_held_\w+)\{([^}]*)\} (\S+)$/gm);
  return Object.fromEntries(
    [...lines].map(([, name = '', labels = '', value]) => [`${name} ${labels}`, Number(value)]),
  );
}
const holdsOf = (agent: SteeringAgent) => agent.status().zones[0]?.holds ?? [];

function comes(what: string, agent: SteeringAgent, look: () => boolean | Promise<boolean>): Promise<unknown> {
  const show = (): string => JSON.stringify(agent.status()).slice(0, 3000);
  return eventually(what, look, { timeoutMs: 60_000, everyMs: 20, show });
}

test('users return when the cluster has been healthy for as long as the policy says, also to the next agent', {
  timeout: 200_000,
}, async () => {
  const platform = await written('{ mode: heldDown, holdMinutes: 8 }');
  const first = started(platform);
  await comes('the zone is as wanted', first, () => first.status().zones[0]?.state === 'inForce');
  expect(await answered('FR')).toEqual([vips.addresses.paris]);
  vips.fail('paris');
  await comes('paris is held', first, () => holdsOf(first).length === 1);
  expect(holdsOf(first)).toMatchObject([{ policy: 'video', cluster: 'paris', by: 'agent@test', mode: 'heldDown' }]);
  expect(await answered('FR')).toEqual([vips.addresses.cloud]);
  await stopAgents();
  vips.fail();
  const next = started(platform);
  await comes('paris is seen healthy', next, () => (holdsOf(next)[0]?.healthySeconds ?? 0) > 60);
  expect(await answered('FR')).toEqual([vips.addresses.cloud]);
  await comes(
    'the hold is over',
    next,
    () => next.status().zones[0]?.state === 'inForce' && holdsOf(next).length === 0,
  );
  expect(await answered('FR')).toEqual([vips.addresses.paris]);
});

test('a person ends a hold by a plan of its own', { timeout: 200_000 }, async () => {
  laterMs += 3_600_000;
  const platform = await written('{ mode: byHand }');
  const agent = started(platform);
  await comes('the zone is as wanted', agent, () => agent.status().zones[0]?.state === 'inForce');
  vips.fail('paris');
  await comes('paris is held', agent, () => holdsOf(agent).length === 1);
  laterMs += 7200_000;
  const labels = 'provider="route53",zone="video.example",policy="video",target_cluster="paris",mode="byHand"';
  const metrics = await heldMetrics();
  expect(metrics[`tideline_steering_held_seconds ${labels}`]).toBeGreaterThanOrEqual(7200);
  expect(metrics[`tideline_steering_held_expected_seconds ${labels}`]).toBe(0);
  vips.fail();
  await stopAgents();
  const words = ['steering', 'failback', 'www.video.example', 'paris', folder, '--provider', 'route53'];
  const run = (...more: readonly string[]) =>
    runTideline({}, [...words, '--route53-endpoint', emulator.apiUrl, ...more]);
  const { out, code } = await run();
  expect([code, out]).toEqual([0, expect.stringMatching(/users return to paris of video/)]);
  const checksum = /plan ([0-9a-f]{16})$/m.exec(out)?.[1] ?? '';
  expect(await answered('FR')).toEqual([vips.addresses.cloud]);
  const agreed = ['--plan', checksum, '--approve-share', '1', '--approve-failover', '1', '--no-ask'];
  expect(await run(...agreed)).toMatchObject({ code: 0 });
  expect(await answered('FR')).toEqual([vips.addresses.paris]);
  const next = started(platform);
  await comes('the zone was read', next, () => next.status().zones[0]?.state === 'inForce');
  expect(await heldMetrics()).toEqual({});
  expect(await run()).toMatchObject({ code: 1, err: expect.stringMatching(/nothing is \(NotHeld\)/) });
});
