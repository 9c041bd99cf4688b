import { clientAddress } from '../../../src/geo/prefixes.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { type Resolver, startUsers } from '../../support/steering/users.ts';
import { eventually, examplePlatform, Vips, withDefault } from '../../support/steering/world.ts';
import { atMost, type Bench, figure } from '../support/row.ts';

/** Time is so many times as fast; the figures are those of the clock on the wall of a real platform. */
const compression = 10;
const rounds = 5;
const count = 600;
/** So many of the resolvers of a published measurement (PAM 2023) kept answers longer than they may. */
const overstaying = 0.0874;
/** How much longer they do, as others measured (2 % of users still led to the old site after a quarter of an hour) and cut at half an hour. */
const tail = { scaleSeconds: 60, exponent: 0.6, mostSeconds: 1800 };
const zone = 'video.example';

/**
 * A site dies: after which time the users behind 600 resolvers have another answer, as a distribution, beside the bound that the plan says. The resolvers
 * ask the emulator by DNS; its checkers watch a real endpoint. That some overstay is a model of published measurements.
 */
export const steeringRecovery: Bench = {
  name: 'steering-recovery',
  async run(reportProgress) {
    const vips = new Vips();
    await vips.start();
    const emulator = await testEmulator({ timeCompression: compression, checkers: 3 });
    const client = clientOf(emulator);
    try {
      await createZone(client, zone);
      const provider = route53(client, timing);
      const plan = await planZone(withDefault(await examplePlatform(), 'paris'), provider, zone, 0);
      await applyZone(plan, provider);
      const recovery = plan.recoveries.find(({ clusters }) => clusters.includes('paris'));
      if (recovery === undefined) throw new Error('the plan does not say how long users are led to paris');
      const { totalSeconds, ttlSeconds } = recovery;
      const resolvers = population();
      const users = startUsers(emulator.dns, 'www.video.example', resolvers, (ttlSeconds * 1000) / compression);
      const honest: number[] = [];
      const all: number[] = [];
      try {
        for (let round = 1; round <= rounds; round += 1) {
          reportProgress(`paris dies, ${round} of ${rounds}`);
          const paris = vips.addresses.paris ?? '';
          // Who overstays longest is still elsewhere when the next round begins, as on the network.
          await eventually(async () => {
            const there = users.answers().filter((address) => address === paris).length;
            return there >= (1 - overstaying) * count ? undefined : `${there} of ${count} are led to paris`;
          }, 60_000);
          vips.fail('paris');
          const limitMs = ((totalSeconds + 120) * 1000) / compression;
          const seconds = (await users.recoveries(paris, limitMs)).map((ms) => (ms * compression) / 1000);
          vips.fail();
          all.push(...seconds);
          honest.push(...seconds.filter((_, index) => resolvers[index]?.overstayMs === 0));
        }
      } finally {
        await users.stop();
      }
      const of = (share: number, some: readonly number[]): number =>
        some.toSorted((a, b) => a - b)[Math.ceil(share * some.length) - 1] ?? Number.NaN;
      const late = all.filter((seconds) => seconds > totalSeconds).length / all.length;
      return [
        ...[0.5, 0.9, 0.99].map((share) => ({
          what: `a site dies: ${share * 100} % of users with resolvers that keep to the TTL are led elsewhere within`,
          measured: figure(of(share, honest), 's'),
        })),
        atMost('the last of them', of(1, honest), totalSeconds, 's'),
        {
          what: `of all users, ${overstaying * 100} % behind resolvers that overstay, are led to it for longer`,
          measured: figure(late * 100, '%'),
        },
      ];
    } finally {
      client.destroy();
      await emulator.stop();
      await vips.stop();
    }
  },
};

/** Resolvers of France; every eighth sends no client subnet. Who overstays, and for how long, is the same in every run. */
function population(): readonly Resolver[] {
  const late = Math.round(count * overstaying);
  return Array.from({ length: count }, (_, index): Resolver => {
    const rank = (index * 7) % count;
    const overstayMs = rank < late ? overstaySeconds((rank + 0.5) / late) * (1000 / compression) : 0;
    return index % 8 === 0 ? { overstayMs } : { client: clientAddress('FR', index), overstayMs };
  });
}

/** The time that this share of those who overstay do not exceed. */
function overstaySeconds(share: number): number {
  const { scaleSeconds, exponent, mostSeconds } = tail;
  return Math.min(mostSeconds, scaleSeconds * ((1 - share) ** (-1 / exponent) - 1));
}
