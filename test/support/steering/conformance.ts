import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answersFor, answersOf, preferenceOf } from '../../../src/answers/answers.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty, planZone } from '../../../src/planes/steering/plan/plan.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { countriesWithPrefixes } from '../geo.ts';
import { type NameServer, resolveFor } from './resolve.ts';
import { eventually, examplePlatform, Vips, withDefault } from './world.ts';

/** A provider with an empty zone video.example, its DNS server, and a way to write into the zone as somebody else would. */
export interface ProviderUnderTest {
  readonly provider: ZoneProvider;
  readonly dns: NameServer;
  /** Adds or replaces an A record of a name. */
  putAddress(name: string, address: string): Promise<void>;
  /** Removes the record that `putAddress` wrote. */
  removeAddress(name: string, address: string): Promise<void>;
  /** Changes one record of ours, as a person at the provider's console would. */
  disturb(): Promise<void>;
  stop(): Promise<void>;
}

const zone = 'video.example';
const host = 'www.video.example';
const longMs = 60_000;

/** Tests what every provider promises, through real DNS queries with a client subnet, for the example platform. */
export function describeProvider(name: string, start: () => Promise<ProviderUnderTest>): void {
  describe(`${name} provider`, () => {
    const vips = new Vips();
    let subject: ProviderUnderTest;
    let platform: Platform;
    const now = Date.now();

    beforeAll(async () => {
      await vips.start();
      subject = await start();
      platform = await examplePlatform();
    });
    afterAll(async () => {
      await subject?.stop();
      await vips.stop();
    });

    const plan = (spec: Platform) => planZone(spec, subject.provider, zone, now);
    const apply = async (spec: Platform): Promise<void> => applyZone(await plan(spec), subject.provider);
    const answers = (name: string, wanted: string): Promise<void> =>
      eventually(async () => {
        const got = await resolveFor(subject.dns, name, '192.0.2.1').catch(String);
        return got.toString() === wanted ? undefined : `${name} answers ${got.toString()}, wanted ${wanted}`;
      });
    const clusterServing = async (client: string): Promise<string> => {
      const [address, ...others] = await resolveFor(subject.dns, host, client);
      expect(others).toEqual([]);
      return Object.entries(vips.addresses).find(([, vip]) => vip === address)?.[0] ?? `${address}`;
    };

    /** The first country that is not served by a cluster of its policy while `failed` are down, as a sentence; else undefined. */
    const wrongCountry = async (spec: Platform, failed: readonly string[]): Promise<string | undefined> => {
      const policy = spec.policies.get('video');
      if (policy === undefined) return 'no policy';
      const answers = answersOf(policy, new Set());
      const countries = countriesWithPrefixes();
      if (countries.length === 0) return 'no country has a prefix to ask from';
      for (const country of countries) {
        const wanted = answersFor(preferenceOf(answers, country).tiers, new Set(failed));
        const got = await clusterServing(clientAddress(country, 0));
        if (!wanted.has(got)) return `${country} is served by ${got}, wanted ${[...wanted.keys()].join(' or ')}`;
      }
      return undefined;
    };

    test('a plan is refused while a record of somebody else is on our host, and that record stays', async () => {
      await subject.putAddress(host, '192.0.2.77');
      await expect(plan(platform)).rejects.toThrow('UnownedRecord');
      await answers(host, '192.0.2.77');
      await subject.removeAddress(host, '192.0.2.77');
    });

    test(
      'every country is answered as the policy says; the second plan is empty; records of others are untouched',
      async () => {
        await subject.putAddress('other.video.example', '192.0.2.78');
        const first = await plan(platform);
        expect(first.overGuard).toEqual([]);
        await applyZone(first, subject.provider);
        expect(isEmpty(await plan(platform))).toBe(true);
        await eventually(() => wrongCountry(platform, []));
        await answers('other.video.example', '192.0.2.78');
      },
      longMs,
    );

    test('a country with two clusters sees both, by weight', async () => {
      const seen: Record<string, number> = {};
      for (let n = 0; n < 300; n += 1) {
        const cluster = await clusterServing(clientAddress('GB', n));
        seen[cluster] = (seen[cluster] ?? 0) + 1;
      }
      expect(Object.keys(seen).sort()).toEqual(['newyork', 'paris']);
      expect((seen['paris'] ?? 0) / 300).toBeGreaterThan(0.5);
      expect((seen['paris'] ?? 0) / 300).toBeLessThan(0.9);
    });

    test.each([[['paris']], [['cloud']], [['paris', 'cloud']], [['paris', 'newyork', 'cloud']], [[]]])(
      'with %j failed the records alone give the next choice',
      async (failed) => {
        vips.fail(...failed);
        await eventually(() => wrongCountry(platform, failed), longMs);
      },
      longMs,
    );

    test(
      'a plan made before somebody else wrote is refused and changes nothing',
      async () => {
        const mine = withDefault(platform, 'newyork');
        const theirs = withDefault(platform, 'paris');
        const stale = await plan(mine);
        await apply(theirs);
        await expect(applyZone(stale, subject.provider)).rejects.toThrow('StaleGeneration');
        await eventually(() => wrongCountry(theirs, []));
        expect(isEmpty(await plan(theirs))).toBe(true);
      },
      longMs,
    );

    test(
      'a record of ours that somebody changed is named and put back',
      async () => {
        const wanted = withDefault(platform, 'paris');
        await subject.disturb();
        const repair = await plan(wanted);
        expect(repair.notices.map(({ reason }) => reason)).toContain('Drift');
        await applyZone(repair, subject.provider);
        expect(isEmpty(await plan(wanted))).toBe(true);
        await eventually(() => wrongCountry(wanted, []));
      },
      longMs,
    );

    test(
      'a change that moves much traffic is over the guard, and while it is applied every answer is the old or the new one',
      async () => {
        const back = await plan(platform);
        expect(back.overGuard.map((over) => over.host)).toEqual([host]);
        let done = false;
        const watch = (async () => {
          const seen = new Set<string>();
          while (!done) seen.add(await clusterServing(clientAddress('JP', 0)));
          return seen;
        })();
        await applyZone(back, subject.provider);
        done = true;
        for (const cluster of await watch) expect(['paris', 'cloud']).toContain(cluster);
        await eventually(() => wrongCountry(platform, []));
      },
      longMs,
    );
  });
}
