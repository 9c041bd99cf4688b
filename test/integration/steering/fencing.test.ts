import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty } from '../../../src/planes/steering/plan/plan.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { clientOf, createZone, credentials, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { examplePlatform, withDefault } from '../../support/steering/world.ts';

let emulator: Emulator;
let lossy: Server;
let losing = 0;

/**
 * `lossy` stands between the tests and the emulator: it passes everything on, but loses the answers to the next `losing`
 * changes of records.
 */
beforeAll(async () => {
  emulator = await testEmulator({ insyncDelayMs: 300, rate: 20, burst: 20 });
  lossy = createServer((incoming, outgoing) => {
    const { method = 'GET', headers, url = '/' } = incoming;
    const onward = request(new URL(url, emulator.apiUrl), { method, headers }, (answer) => {
      if (method === 'POST' && url.includes('/rrset') && losing > 0) {
        losing -= 1;
        answer.resume().once('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => lossy.listen(0, '127.0.0.1', resolve));
  const client = clientOf(emulator);
  await createZone(client, 'video.example');
  client.destroy();
});

afterAll(async () => {
  lossy?.closeAllConnections();
  lossy?.close();
  await emulator?.stop();
});

function writer(change: Partial<typeof timing> = {}): ZoneProvider {
  const endpoint = `http://127.0.0.1:${(lossy.address() as AddressInfo).port}`;
  return route53(route53Client({ endpoint, credentials }), { ...timing, ...change });
}

const plan = (platform: Awaited<ReturnType<typeof examplePlatform>>, provider: ZoneProvider, by = 'anna') =>
  planZone(platform, provider, 'video.example', 0, { by });

test('of five writers at the same moment exactly one wins, and the others are refused with StaleGeneration', async () => {
  const platform = await examplePlatform();
  const writers = Array.from({ length: 5 }, writer);
  const plans = await Promise.all(
    writers.map((provider, index) =>
      plan(withDefault(platform, index % 2 === 0 ? 'paris' : 'newyork'), provider, `writer-${index}`),
    ),
  );
  const results = await Promise.allSettled(
    plans.map(async (made, index) => {
      const provider = writers[index];
      if (provider !== undefined) await applyZone(made, provider);
    }),
  );
  const refusals = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  expect(refusals).toHaveLength(4);
  const winner = results.findIndex(({ status }) => status === 'fulfilled');
  for (const refusal of refusals) {
    expect(refusal).toContain(`was changed since it was read: writer-${winner} did \`apply\``);
    expect(refusal).toContain('(StaleGeneration)');
  }
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

test('a batch of which no answer ever comes is in force all the same, and the apply says so', async () => {
  const platform = await examplePlatform();
  const spec = withDefault(platform, 'newyork');
  losing = Number.POSITIVE_INFINITY;
  const provider = writer({ limitMs: 400 });
  await applyZone(await plan(spec, provider), provider);
  losing = 0;
  const after = await plan(spec, provider);
  expect(after.changes.registryBefore.generation).toBe(3);
  expect(isEmpty(after)).toBe(true);
});
