import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answersFor, answersOf, preferenceOf } from '../../../src/answers/answers.ts';
import { failureSets } from '../../../src/answers/failures.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { askHealth } from '../../../src/observe/ask-health.ts';
import { dialects } from '../../../src/planes/steering/dialects/table.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty, type Purpose, planStep, type ZonePlan } from '../../../src/planes/steering/plan/plan.ts';
import type { Probe } from '../../../src/planes/steering/plan/present.ts';
import { applyRestores, planRestores } from '../../../src/planes/steering/plan/restore.ts';
import { planRollback } from '../../../src/planes/steering/plan/rollback.ts';
import { renderPlans } from '../../../src/planes/steering/plan/text.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { historyOf } from '../../../src/planes/steering/records/history.ts';
import { findRegistry } from '../../../src/planes/steering/records/registry.ts';
import { countriesWithPrefixes } from '../geo.ts';
import { answersWithNever, compareThreeWays, withAnswers } from './kept-out.ts';
import { planZone } from './plans.ts';
import { type NameServer, resolveFor } from './resolve.ts';
import { eventually, examplePlatform, Vips, withCheck, withDefault, withFailover, withHost } from './world.ts';

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

/** One look at an entry, as the commands look. */
const probe: Probe = async (check) => {
  const seen = await askHealth({ ...check, host: check.hosts[0] ?? '', cluster: '', policy: '' }, 1000);
  return 'healthy' in seen && seen.healthy ? 'healthy' : 'answered' in seen && seen.answered ? 'unhealthy' : 'silent';
};

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

    const plan = (spec: Platform) => planZone(spec, subject.provider, zone, now, { probe });
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

    test('a host is held back while a record of somebody else is on it, and that record stays', async () => {
      await subject.putAddress(host, '192.0.2.77');
      const held = await plan(platform);
      expect(held.heldBack.map(({ host: name, reason }) => [name, reason])).toEqual([[host, 'UnownedRecord']]);
      expect(isEmpty(held)).toBe(true);
      await applyZone(held, subject.provider);
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

    test('a resolver that tells nothing of its clients is answered as users of unknown location are', async () => {
      await eventually(async () => {
        const [address] = await resolveFor(subject.dns, host, undefined);
        return address === vips.addresses['cloud'] ? undefined : `it is answered ${address}`;
      });
    });

    test(
      'a host of others is adopted and released again, and is answered all the time',
      async () => {
        const legacy = 'legacy.video.example';
        const more = withHost(platform, legacy);
        await subject.putAddress(legacy, '192.0.2.10');
        await answers(legacy, '192.0.2.10');
        const seen = new Set<string>();
        let done = false;
        const watch = (async () => {
          while (!done) seen.add(String(await resolveFor(subject.dns, legacy, clientAddress('FR', 0)).catch(String)));
        })();
        const take = async (purpose: Purpose): Promise<void> => {
          const made = await planStep(more, subject.provider, { zone, purpose }, now, { probe });
          expect([made.batches.length, made.impacts.map(({ host: name }) => name)]).toEqual([1, [legacy]]);
          await applyZone(made, subject.provider);
        };
        try {
          await take({ kind: 'adopt', host: legacy });
          expect((await plan(more)).changes.registryBefore.hosts).toContain(legacy);
          await eventually(async () => {
            const got = await resolveFor(subject.dns, legacy, clientAddress('JP', 0));
            return got.toString() === '203.0.113.10' ? undefined : `JP gets ${got.toString()}`;
          });
          await take({ kind: 'release', host: legacy });
        } finally {
          done = true;
          await watch;
        }
        expect(seen).toEqual(new Set(['192.0.2.10']));
        expect((await plan(more)).heldBack.map(({ host: name }) => name)).toEqual([legacy]);
        expect((await resolveFor(subject.dns, legacy, clientAddress('JP', 0))).join()).toBe('203.0.113.10');
        expect(isEmpty(await plan(platform))).toBe(true);
      },
      longMs,
    );

    test(
      'a wildcard host answers for the names below it that have no records of their own',
      async () => {
        const wildcard = '*.tv.video.example';
        await subject.putAddress('own.tv.video.example', '192.0.2.78');
        const made = await plan(withHost(platform, wildcard));
        expect(made.notices.map(({ message }) => message).join()).toContain(`${wildcard}: own.tv.video.example exist`);
        await applyZone(made, subject.provider);
        expect(isEmpty(await plan(withHost(platform, wildcard)))).toBe(true);
        for (const name of ['a.tv.video.example', 'b.c.tv.video.example', wildcard]) {
          await eventually(async () => {
            const got = await resolveFor(subject.dns, name, clientAddress('FR', 0)).catch(String);
            return got.toString() === vips.addresses['paris'] ? undefined : `${name} answers ${got.toString()}`;
          });
        }
        await answers('own.tv.video.example', '192.0.2.78');
        await apply(platform);
        expect(isEmpty(await plan(platform))).toBe(true);
        await subject.removeAddress('own.tv.video.example', '192.0.2.78');
      },
      longMs,
    );

    test(
      'a lost generation record is made anew, by one batch that writes nothing else',
      async () => {
        const held = await subject.provider.read(zone);
        const registry = findRegistry(zone, held.records);
        if (registry === undefined) throw new Error('no generation record');
        const lose = { changes: [{ action: 'DELETE', record: registry }], before: registry, after: registry } as const;
        await subject.provider.applyBatch(held, lose, new Map());
        await expect(plan(platform)).rejects.toThrow(
          /is gone, though hosts of ours are left; .*\(UnreadableRegistry\)/,
        );
        const [made] = await planRestores(
          [{ provider: subject.provider.name, zone }],
          async () => subject.provider,
          now,
        );
        expect(made?.restoration.recognised.map(({ host: name }) => name)).toContain(host);
        await applyRestores(made === undefined ? [] : [made], async () => subject.provider, { by: 'anna', nowMs: now });
        const after = await plan(platform);
        expect([after.heldBack, after.changes.create]).toEqual([[], []]);
        await applyZone(after, subject.provider);
        await eventually(() => wrongCountry(platform, []));
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
      'a plan counts what moves in the present health, not only while everything is healthy',
      async () => {
        vips.fail('paris');
        const withoutCloud = withFailover(platform, 'newyork');
        const health = (found: ZonePlan) => found.health.map(({ cluster, healthy }) => `${cluster} ${healthy}`);
        let found = await plan(withoutCloud);
        await eventually(async () => {
          found = await plan(withoutCloud);
          return health(found).includes('paris false') ? undefined : `health is ${health(found).join(', ')}`;
        }, longMs);
        expect(health(found)).toEqual(['cloud true', 'newyork true', 'paris false']);
        const [impact] = found.impacts;
        expect([impact?.movedShare, impact?.movedNow]).toEqual([0, expect.closeTo(5 / 246, 9)]);
        expect(impact?.families[0]?.now?.groups[0]).toMatchObject({ before: 'cloud', after: 'newyork' });
        expect(renderPlans([found]).join('\n')).toMatch(/2% of the traffic moves now, 0% while everything is healthy/);
        vips.fail();
      },
      longMs,
    );

    test(
      'a check by HTTPS finds its text in the answer, whatever the certificate; a cluster that answers without the text is down',
      async () => {
        await vips.startTls();
        const checked = withCheck(platform, { protocol: 'HTTPS', port: 443, searchString: vips.text });
        await apply(checked);
        expect(isEmpty(await plan(checked))).toBe(true);
        await eventually(() => wrongCountry(checked, []), longMs);
        expect([...vips.names]).toEqual([host]);
        vips.answerOddly('paris');
        await eventually(() => wrongCountry(checked, ['paris']), longMs);
        const found = await plan(withFailover(checked, 'newyork'));
        expect(found.health).toContainEqual(expect.objectContaining({ cluster: 'paris', healthy: false }));
        vips.answerOddly();
        await eventually(() => wrongCountry(checked, []), longMs);
        const other = withCheck(checked, { searchString: vips.text.slice(1) });
        await apply(other);
        expect(isEmpty(await plan(other))).toBe(true);
        await apply(platform);
        await eventually(() => wrongCountry(platform, []), longMs);
      },
      5 * longMs,
    );

    test(
      'a plan made before somebody else wrote is refused and changes nothing',
      async () => {
        const mine = withDefault(platform, 'newyork');
        const theirs = withDefault(platform, 'paris');
        const stale = await plan(mine);
        await apply(theirs);
        await expect(applyZone(stale, subject.provider)).rejects.toThrow(
          /was changed since it was read: \S+ did `apply` with plan .*; plan again.*\(StaleGeneration\)/,
        );
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
        // What the tests before this one moved counts as well.
        expect(back.overGuard.map((over) => [over.kind, over.host])).toContainEqual(['moves', host]);
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

    test(
      'random policies that keep users from clusters: policy, records and server agree in every failure, and nobody is led where they never go',
      async () => {
        const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
        const ask = async (client: string) => `${(await resolveFor(subject.dns, host, client))[0]}`;
        for (const answers of answersWithNever(2, seed)) {
          const spec = withAnswers(platform, answers);
          vips.fail();
          await apply(spec);
          const reading = dialects[subject.provider.name].interpret((await subject.provider.read(zone)).records);
          const clusters = Object.keys(vips.addresses);
          for (const failed of failureSets(clusters)) {
            vips.fail(...failed);
            const seen: string[] = [];
            await eventually(async () => {
              const found = await compareThreeWays({ platform: spec, reading, failed: [...failed], ask });
              seen.push(...found.forbidden);
              return found.differs === undefined
                ? undefined
                : `seed ${seed}, ${[...failed].join()} failed: ${found.differs}`;
            }, longMs);
            expect(seen, `seed ${seed}`).toEqual([]);
          }
        }
        vips.fail();
        await apply(platform);
      },
      5 * longMs,
    );

    test(
      'after a rollback every country is answered as after the earlier apply, and the history says who asked for it',
      async () => {
        const moved = withDefault(platform, 'newyork');
        await apply(moved);
        await eventually(() => wrongCountry(moved, []));
        const told = async () => historyOf(zone, (await subject.provider.read(zone)).records).applies;
        const [, earlier] = await told();
        const asked = { probe, by: 'ben', reason: 'newyork is full' };
        const to = { zone, apply: earlier?.plan ?? '' };
        const back = await planRollback(moved, subject.provider, to, now, asked);
        await applyZone(back, subject.provider);
        await eventually(() => wrongCountry(platform, []));
        expect(isEmpty(await plan(platform))).toBe(true);
        const [last] = await told();
        expect(last).toMatchObject({ task: `rollback:${earlier?.generation}`, by: 'ben', reason: 'newyork is full' });
        expect([last?.inputs, last?.records]).toEqual([earlier?.inputs, earlier?.records]);
      },
      longMs,
    );
  });
}
