import { DeleteHealthCheckCommand, ListHealthChecksCommand } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty, type ZonePlan } from '../../../src/planes/steering/plan/plan.ts';
import type { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { sleep, systemClock } from '../../../src/runtime/clock.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { eventually, examplePlatform, Vips, withCheck } from '../../support/steering/world.ts';

/** A change of a health check while the cluster that it watches is down: France, which paris serves, is never answered with paris. */
const zone = 'video.example';
/** Twice the time in which the emulator, which compresses time, finds out that a new check fails. */
const twoThresholdsMs = 1600;
const vips = new Vips();
let emulator: Emulator;
let client: ReturnType<typeof route53Client>;
let platform: Platform;

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ checkers: 3 });
  client = clientOf(emulator);
  await createZone(client, zone);
  platform = await examplePlatform();
  await apply(await plan(platform));
  vips.fail('paris');
  await eventually(async () => ((await france()) === 'cloud' ? undefined : 'France still has paris'));
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
});

const provider = () => route53(client, timing);
const plan = (spec: Platform): Promise<ZonePlan> => planZone(spec, provider(), zone, 0);
const apply = (made: ZonePlan): Promise<void> => applyZone(made, provider());

/** The cluster that answers France. */
async function france(): Promise<string> {
  const [address] = await resolveFor(emulator.dns, 'www.video.example', clientAddress('FR', 0));
  return Object.entries(vips.addresses).find(([, vip]) => vip === address)?.[0] ?? `${address}`;
}

/** Applies a plan; resolves with every cluster that France saw meanwhile and for two failure thresholds afterwards. */
async function franceDuring(made: ZonePlan): Promise<readonly string[]> {
  let done = false;
  const seen = new Set<string>();
  const watch = (async () => {
    while (!done) seen.add(await france());
  })();
  await apply(made);
  await sleep(systemClock, twoThresholdsMs);
  done = true;
  await watch;
  return [...seen];
}

/** The same platform with another list of hosts. */
function withHosts(spec: Platform, hosts: readonly string[]): Platform {
  const video = spec.policies.get('video');
  if (video === undefined) return spec;
  return {
    ...spec,
    policies: new Map(spec.policies).set('video', { ...video, spec: { ...video.spec, hosts: [...hosts] } }),
  };
}

const idsNow = async (): Promise<readonly string[]> => {
  const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
  return HealthChecks.flatMap(({ Id }) => Id ?? []).toSorted();
};

test('a changed failure threshold changes the check in place: nobody sees the dead site', async () => {
  const before = await idsNow();
  const made = await plan(withCheck(platform, { failureThreshold: 4 }));
  expect(made.impacts.map(({ movedShare }) => movedShare)).toEqual([0]);
  expect(await franceDuring(made)).toEqual(['cloud']);
  expect(await idsNow()).toEqual(before);
  expect(isEmpty(await plan(withCheck(platform, { failureThreshold: 4 })))).toBe(true);
});

test('a host in front of the list replaces no check', async () => {
  const before = await idsNow();
  const spec = withHosts(withCheck(platform, { failureThreshold: 4 }), ['new.video.example', 'www.video.example']);
  expect(await franceDuring(await plan(spec))).toEqual(['cloud']);
  expect(await idsNow()).toEqual(before);
  await apply(await plan(withCheck(platform, { failureThreshold: 4 })));
});

test('another interval is another check, which takes over when the checkers know that the site is down', async () => {
  const made = await plan(withCheck(platform, { intervalSeconds: 30 }));
  expect(made.impacts.map(({ movedShare }) => movedShare)).toEqual([0]);
  expect(await franceDuring(made)).toEqual(['cloud']);
}, 60_000);

test('a check that fails where the one in use succeeds does not take over: the apply is refused, and no record changes', async () => {
  vips.fail();
  await eventually(async () => ((await france()) === 'paris' ? undefined : 'France does not have paris again'));
  const made = await plan(withCheck(platform, { protocol: 'HTTPS' }));
  await expect(apply(made)).rejects.toThrow(/HTTPS 192\.0\.2\.10 port 80 .*put spec\.healthCheck.*\(HealthDisagrees\)/);
  const { changes } = await plan(platform);
  expect(changes.registryBefore).toEqual(made.changes.registryBefore);
  expect(await france()).toBe('paris');
}, 60_000);

test('a check in use that somebody deleted at the provider is made anew while its site is down', async () => {
  const spec = withCheck(platform, { intervalSeconds: 30 });
  vips.fail('paris');
  await eventually(async () => ((await france()) === 'cloud' ? undefined : 'France still has paris'));
  const state = await provider().read(zone);
  const paris = (await plan(spec)).intent.healthChecks.find(({ address }) => address === vips.addresses.paris);
  const HealthCheckId = state.healthChecks.get(paris?.key ?? '')?.id;
  await client.send(new DeleteHealthCheckCommand({ HealthCheckId }));
  const made = await plan(spec);
  expect(made.notices).toContainEqual({
    reason: 'HealthCheckGone',
    message: expect.stringContaining(`use the health check ${HealthCheckId}, which this account does not have`),
  });
  await apply(made);
  await eventually(async () => ((await france()) === 'cloud' ? undefined : 'France has paris'));
  expect(isEmpty(await plan(spec))).toBe(true);
}, 60_000);
