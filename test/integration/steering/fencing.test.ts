import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateHostedZoneCommand } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../../../lab/emulators/route53/emulator.ts';
import { countryOf } from '../../../src/geo/lookup.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty, planZone } from '../../../src/planes/steering/plan/plan.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { examplePlatform, withDefault } from '../../support/steering/world.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const timing = {
  clock: systemClock,
  random: Math.random,
  firstMs: 50,
  ceilingMs: 500,
  limitMs: 20_000,
  pollMs: 50,
  inSyncLimitMs: 10_000,
};
let emulator: Emulator;
let lossy: Server;
let losing = 0;
let losingDeletions = 0;

/**
 * `lossy` stands between the tests and the emulator: it passes everything on, but loses the answers to the next `losing`
 * changes of records and `losingDeletions` deletions.
 */
beforeAll(async () => {
  emulator = await startEmulator({
    api: { host: '127.0.0.1', port: 0 },
    dns: { host: '127.0.0.1', port: 0 },
    timeCompression: 50,
    insyncDelayMs: 300,
    rate: 20,
    burst: 20,
    checkers: 1,
    allowPrivateEndpoints: true,
    countryOf,
    clock: systemClock,
    log: silentLog,
  });
  lossy = createServer((incoming, outgoing) => {
    const { method = 'GET', headers, url = '/' } = incoming;
    const onward = request(new URL(url, emulator.apiUrl), { method, headers }, (answer) => {
      const losesChange = method === 'POST' && url.includes('/rrset') && losing > 0;
      const losesDeletion = method === 'DELETE' && losingDeletions > 0;
      if (losesChange || losesDeletion) {
        if (losesChange) losing -= 1;
        else losingDeletions -= 1;
        answer.resume().once('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => lossy.listen(0, '127.0.0.1', resolve));
  const client = route53Client({ endpoint: emulator.apiUrl, credentials });
  await client.send(new CreateHostedZoneCommand({ Name: 'video.example', CallerReference: 'test' }));
  client.destroy();
});

afterAll(async () => {
  lossy?.closeAllConnections();
  lossy?.close();
  await emulator?.stop();
});

function writer(): ZoneProvider {
  const endpoint = `http://127.0.0.1:${(lossy.address() as AddressInfo).port}`;
  return route53(route53Client({ endpoint, credentials }), timing);
}

const plan = (platform: Awaited<ReturnType<typeof examplePlatform>>, provider: ZoneProvider) =>
  planZone(platform, provider, 'video.example', 0);

test('of five writers at the same moment exactly one wins, and the others are refused with StaleGeneration', async () => {
  const platform = await examplePlatform();
  const writers = Array.from({ length: 5 }, writer);
  const plans = await Promise.all(
    writers.map((provider, index) => plan(withDefault(platform, index % 2 === 0 ? 'paris' : 'newyork'), provider)),
  );
  const results = await Promise.allSettled(
    plans.map(async (made, index) => {
      const provider = writers[index];
      if (provider !== undefined) await applyZone(made, provider);
    }),
  );
  const refusals = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  expect(refusals).toHaveLength(4);
  for (const refusal of refusals) expect(refusal).toContain('(StaleGeneration)');
  expect((await plan(platform, writer())).changes.registryBefore.generation).toBe(1);
});

test('a batch whose answer was lost is not done twice and not taken for a failure', async () => {
  const platform = await examplePlatform();
  const provider = writer();
  const made = await plan(platform, provider);
  losing = 1;
  await applyZone(made, provider);
  expect(losing).toBe(0);
  const after = await plan(platform, provider);
  expect(after.changes.registryBefore.generation).toBe(2);
  expect(isEmpty(after)).toBe(true);
});

test('a writer that slept before its last step deletes nothing that a newer plan needs', async () => {
  const platform = await examplePlatform();
  const [slow, quick] = [writer(), writer()];
  const sleeping = await plan(withHealthPort(withDefault(platform, 'newyork'), 8080), slow);
  let wake = (): void => {};
  let asleep = (): void => {};
  const reached = new Promise<void>((resolve) => {
    asleep = resolve;
  });
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const sleeper: ZoneProvider = {
    ...slow,
    async deleteHealthChecks(...all) {
      asleep();
      await woken;
      await slow.deleteHealthChecks(...all);
    },
  };
  const late = applyZone(sleeping, sleeper);
  await reached;
  // The newer plan has just created its health checks; no record uses them yet.
  const newer = await plan(withHealthPort(platform, 9090), quick);
  const generation = newer.changes.registryBefore.generation + 1;
  const made = await quick.createHealthChecks(newer.state, newer.intent.healthChecks, generation);
  wake();
  await late;
  const held = (await quick.read('video.example')).healthChecks;
  expect(newer.createHealthChecks).not.toEqual([]);
  for (const { key } of newer.createHealthChecks) expect(held.get(key)).toBe(made.get(key));
  losingDeletions = 1;
  await applyZone(newer, quick);
  expect(losingDeletions).toBe(0);
  expect(isEmpty(await plan(withHealthPort(platform, 9090), quick))).toBe(true);
});

/** The same platform with its clusters probed at another port, which needs other health checks. */
function withHealthPort(platform: Platform, port: number): Platform {
  const clusters = [...platform.clusters].map(([name, cluster]) => {
    const healthCheck = { ...cluster.spec.healthCheck, port };
    return [name, { ...cluster, spec: { ...cluster.spec, healthCheck } }] as const;
  });
  return { ...platform, clusters: new Map(clusters) };
}
