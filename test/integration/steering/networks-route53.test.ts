import {
  ChangeCidrCollectionCommand,
  CreateCidrCollectionCommand,
  DeleteCidrCollectionCommand,
  ListCidrBlocksCommand,
  ListCidrCollectionsCommand,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty, planStep, type ZonePlan } from '../../../src/planes/steering/plan/plan.ts';
import { renderPlans } from '../../../src/planes/steering/plan/text.ts';
import type { ZoneReader } from '../../../src/planes/steering/providers/provider.ts';
import type { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { examplePlatform, withNetworks } from '../../support/steering/world.ts';

/** Networks of clients at Route 53: collections are made, used, retired and deleted, and never changed. */
const zone = 'video.example';
const host = 'www.video.example';
const [office, wider] = ['198.51.100.0/24', '198.51.100.0/22'];
const at = { paris: '192.0.2.10', newyork: '198.51.100.10', cloud: '203.0.113.10' };
let emulator: Emulator;
let client: ReturnType<typeof route53Client>;
let base: Platform;
let now = 0;

beforeAll(async () => {
  emulator = await testEmulator({ insyncDelayMs: 0, checkers: 0 });
  client = clientOf(emulator);
  await createZone(client, zone);
  base = await examplePlatform();
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
});

const provider = () => route53(client, timing);
/** Plans do not ask for the present health, which nobody checks here. */
function reader(): ZoneReader {
  const whole = provider();
  return { name: whole.name, read: (...asked) => whole.read(...asked) };
}
const plan = (platform: Platform): Promise<ZonePlan> => planZone(platform, reader(), zone, now);
async function apply(platform: Platform): Promise<ZonePlan> {
  const made = await plan(platform);
  await applyZone(made, { ...provider(), awaitHealth: async () => {} });
  return made;
}
const answer = async (client: string): Promise<string> => (await resolveFor(emulator.dns, host, client)).join();
async function collections(): Promise<readonly string[]> {
  const { CidrCollections = [] } = await client.send(new ListCidrCollectionsCommand({}));
  const blocks = CidrCollections.map(async ({ Id: CollectionId }) => {
    const { CidrBlocks = [] } = await client.send(new ListCidrBlocksCommand({ CollectionId }));
    return CidrBlocks.map(({ CidrBlock }) => CidrBlock).join(' ');
  });
  return (await Promise.all(blocks)).toSorted();
}
const hours = (count: number): void => {
  now += count * 3_600_000;
};

test('a policy with networks is planned, shown, written and answered, and then nothing is left to do', async () => {
  await apply(base);
  const [inFrance, inOffice] = [clientAddress('FR', 0), '198.51.100.77'];
  const before = await answer(inFrance);
  const made = await apply(withNetworks(base, 'newyork', office));
  expect(renderPlans([made]).join('\n')).toMatch(
    /collections of networks:\n {4}\+ networks-[0-9a-z]{13} 198\.51\.100\.0\/24\n/,
  );
  expect(await answer(inOffice)).toBe(at.newyork);
  expect(await answer(inFrance)).toBe(before);
  expect(await collections()).toEqual([office]);
  expect(isEmpty(await plan(withNetworks(base, 'newyork', office)))).toBe(true);
});

test('another network is another collection; the one before stays for an hour and is deleted then', async () => {
  const next = withNetworks(base, 'newyork', wider);
  await apply(next);
  expect(await answer('198.51.102.1')).toBe(at.newyork);
  expect(await collections()).toEqual([wider, office]);
  expect(isEmpty(await plan(next))).toBe(true);
  hours(2);
  const later = await apply(next);
  expect(renderPlans([later]).join('\n')).toContain('which an earlier apply retired');
  expect(await collections()).toEqual([wider]);
  hours(2);
  expect(isEmpty(await plan(next))).toBe(true);
});

test('a collection that somebody edited is drift, and users are led by a new one', async () => {
  const { CidrCollections = [] } = await client.send(new ListCidrCollectionsCommand({}));
  const Id = CidrCollections[0]?.Id;
  const { CidrBlocks = [] } = await client.send(new ListCidrBlocksCommand({ CollectionId: Id }));
  const LocationName = CidrBlocks[0]?.LocationName;
  await client.send(
    new ChangeCidrCollectionCommand({ Id, Changes: [{ LocationName, Action: 'PUT', CidrList: ['203.0.113.0/24'] }] }),
  );
  expect(await answer('203.0.113.9')).toBe(at.newyork);
  const made = await apply(withNetworks(base, 'newyork', wider));
  expect(made.notices.map(({ reason }) => reason)).toContain('Drift');
  expect(await answer('203.0.113.9')).not.toBe(at.newyork);
  expect(await answer('198.51.102.1')).toBe(at.newyork);
  hours(2);
  await apply(withNetworks(base, 'newyork', wider));
  expect(await collections()).toEqual([wider]);
});

test('a writer that was stopped after it made a collection leaves one that the next fills', async () => {
  const next = withNetworks(base, 'newyork', office, '203.0.113.0/24');
  const made = await plan(next);
  const cut = clientOf(emulator);
  cut.middlewareStack.add(
    (following, { commandName }) =>
      (args) => {
        if (commandName === 'ChangeCidrCollectionCommand') throw new Error('stopped');
        return following(args);
      },
    { step: 'initialize' },
  );
  await expect(
    applyZone(made, { ...route53(cut, { ...timing, limitMs: 100 }), awaitHealth: async () => {} }),
  ).rejects.toThrow();
  cut.destroy();
  expect(await collections()).toEqual(['', wider]);
  await apply(next);
  expect(await collections()).toEqual([wider, `${office} 203.0.113.0/24`]);
  expect(isEmpty(await plan(next))).toBe(true);
});

test('without room for a collection unused ones of ours go first, and else the plan says so and changes nothing', async () => {
  const ids = await Promise.all(
    ['a', 'b', 'c'].map(async (Name) => {
      const { Collection } = await client.send(new CreateCidrCollectionCommand({ Name, CallerReference: Name }));
      return Collection?.Id;
    }),
  );
  const next = withNetworks(base, 'cloud', wider, '203.0.113.0/24');
  // The one before is retired already, and its hour is not over.
  const full = await plan(next);
  expect(full.notices.map(({ reason }) => reason)).toContain('CollectionQuota');
  await expect(applyZone(full, provider())).rejects.toThrow('CollectionQuota');
  expect(await answer('203.0.113.9')).toBe(at.newyork);
  hours(2);
  await apply(next);
  expect(await answer('203.0.113.9')).toBe(at.cloud);
  for (const Id of ids) await client.send(new DeleteCidrCollectionCommand({ Id }));
});

test('a host that is released has plain records of countries', async () => {
  const released = await planStep(base, reader(), { zone, purpose: { kind: 'release', host } }, now);
  expect(released.notices.map(({ reason }) => reason)).toContain('NetworksLost');
});

test('a policy that names networks no more leaves no collection behind', async () => {
  await apply(base);
  hours(2);
  await apply(base);
  hours(2);
  expect(isEmpty(await plan(base))).toBe(true);
  expect(await collections()).toEqual([]);
});
