import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import type { Cluster } from '../../../src/model/spec/kinds.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createZone, testEmulator } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { examplePlatform, withDefault, withNetworks } from '../../support/steering/world.ts';

/**
 * One writer is stopped before each of its requests in turn; meanwhile others write and their deletions come due; then it goes
 * on. No check that a record uses is ever deleted. The endpoints do not answer, so that new checks soon know it.
 */
const zone = 'video.example';
let emulator: Emulator;
let gate: Server;
/**
 * The gate lets as many requests of the slow writer pass; the next one waits until `open` is called. A question that is asked again
 * at once, as for a status, does not count.
 */
let passing = Number.POSITIVE_INFINITY;
let before = '';
let open = (): void => {};
let reached = (): void => {};

beforeAll(async () => {
  emulator = await testEmulator({ timeCompression: 1000, insyncDelayMs: 5 });
  gate = createServer((incoming, outgoing) => {
    const { method = 'GET', headers, url = '/' } = incoming;
    const pass = (): void => {
      const onward = request(new URL(url, emulator.apiUrl), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    };
    const isSlow = headers.authorization?.includes('Credential=slow/') === true;
    if (!isSlow) return pass();
    const kind = `${method} ${url.replace(/\/[A-Za-z0-9-]{20,}/, '').replace(/\?.*/, '')}`;
    const isRepeated = method === 'GET' && kind === before;
    before = kind;
    if (!isRepeated) passing -= 1;
    if (isRepeated || passing !== -1) return pass();
    open = pass;
    reached();
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  const client = clientOf('test');
  await createZone(client, zone);
  client.destroy();
});

afterAll(async () => {
  gate?.closeAllConnections();
  gate?.close();
  await emulator?.stop();
});

const clientOf = (accessKeyId: string) =>
  route53Client({
    endpoint: `http://127.0.0.1:${(gate.address() as AddressInfo).port}`,
    credentials: { accessKeyId, secretAccessKey: 'test' },
  });

const writerOf = (accessKeyId: string) =>
  route53(clientOf(accessKeyId), {
    clock: systemClock,
    random: Math.random,
    firstMs: 5,
    ceilingMs: 50,
    limitMs: 20_000,
    pollMs: 25,
    statusMs: 0,
    inSyncLimitMs: 10_000,
    blindSyncMs: 10,
  });

let now = 0;

/** Plans a spec two hours after the last plan, when the grace of all that was retired before is over. */
async function planLater(spec: Platform, accessKeyId: string) {
  now += 7_200_000;
  const writer = writerOf(accessKeyId);
  // The plan does not ask for the present health, which Route 53 tells slowly.
  return { writer, made: await planZone(spec, { name: writer.name, read: (...of) => writer.read(...of) }, zone, now) };
}

async function apply(spec: Platform): Promise<void> {
  const { writer, made } = await planLater(spec, 'quick');
  await applyZone(made, writer);
}

async function statusOf(part: 'deletedButUsed' | 'cidrCollections'): Promise<unknown> {
  const status = await fetch(`${emulator.apiUrl}/emulator/status`);
  return ((await status.json()) as Record<typeof part, unknown>)[part];
}

/** Records that name a check which does not exist. */
const deletedButUsed = (): Promise<unknown> => statusOf('deletedButUsed');
/** The collections of the account, when all that was retired was deleted. */
const collectionsLeft = (): Promise<unknown> => statusOf('cidrCollections');

/** The same platform with these clusters probed in another way. */
function withCheck(
  platform: Platform,
  change: Partial<Cluster['spec']['healthCheck']>,
  names: readonly string[] = [...platform.clusters.keys()],
): Platform {
  const clusters = [...platform.clusters].map(([name, cluster]) => {
    const healthCheck = { ...cluster.spec.healthCheck, ...(names.includes(name) ? change : {}) };
    return [name, { ...cluster, spec: { ...cluster.spec, healthCheck } }] as const;
  });
  return { ...platform, clusters: new Map(clusters) };
}

/** Applies a spec with a writer that is stopped before its request with this index; resolves with whether it came that far. */
async function applyStopped(spec: Platform, index: number, meanwhile: () => Promise<void>): Promise<boolean> {
  const { writer, made } = await planLater(spec, 'slow');
  const stopped = new Promise<'stopped'>((resolve) => {
    reached = () => resolve('stopped');
  });
  passing = index;
  before = '';
  const work = applyZone(made, writer).then(
    () => 'done',
    (error: unknown) => String(error),
  );
  const first = await Promise.race([work, stopped]);
  if (first === 'stopped') {
    await meanwhile();
    open();
  }
  passing = Number.POSITIVE_INFINITY;
  expect(await work).toMatch(/^done$|\(StaleGeneration\)$/);
  return first === 'stopped';
}

test('a writer that is stopped before any of its requests, while others write, deletes no check in use', async () => {
  const base = await examplePlatform();
  const another = withCheck(withDefault(base, 'newyork'), { intervalSeconds: 30 }, ['paris']);
  const slow = withNetworks(withCheck(another, { failureThreshold: 5 }, ['cloud']), 'cloud', '198.51.100.0/24');
  await apply(withCheck(base, { protocol: 'HTTPS' }));
  await apply(base);
  let index = 0;
  const others = async (): Promise<void> => {
    await apply(withNetworks(withCheck(base, { protocol: 'HTTPS' }), 'paris', '198.51.0.0/16'));
    await apply(base);
  };
  while (await applyStopped(slow, index, others)) {
    expect([index, await deletedButUsed()]).toEqual([index, []]);
    index += 1;
  }
  expect(index).toBeGreaterThan(10);
  await apply(base);
  expect(await deletedButUsed()).toEqual([]);
  await apply(base);
  expect(await collectionsLeft()).toEqual([]);
}, 300_000);
