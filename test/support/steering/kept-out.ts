import fc from 'fast-check';
import { answersFor, answersOf, preferenceOf } from '../../../src/answers/answers.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import { clusterByAddress } from '../../../src/model/platform/entries.ts';
import type { TrafficPolicy } from '../../../src/model/spec/kinds.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import type { Reading } from '../../../src/planes/steering/dialects/dialect.ts';
import { countriesWithPrefixes } from '../geo.ts';
import { policySpecOf } from './arbitrary.ts';

type Answers = Pick<TrafficPolicy['spec'], 'rules' | 'default' | 'never'>;

/** Random answers of the example's clusters, of which some users are kept from some. */
export function answersWithNever(count: number, seed: number): readonly Answers[] {
  const kept = policySpecOf(['paris', 'newyork', 'cloud']).filter(
    ({ default: { clusters }, never }) => never.length > 0 && clusters.some(({ weight }) => weight > 0),
  );
  return fc.sample(kept, { numRuns: count, seed });
}

/** The platform whose policy `video` has other answers. */
export function withAnswers(platform: Platform, answers: Answers): Platform {
  const video = platform.policies.get('video');
  if (video === undefined) return platform;
  const changed = { ...video, spec: { ...video.spec, ...answers } };
  return { ...platform, policies: new Map(platform.policies).set('video', changed) };
}

export interface Asked {
  readonly platform: Platform;
  /** The records of the zone, as the dialect reads them. */
  readonly reading: Reading;
  readonly failed: readonly string[];
  /** The address that the name server answers to a client. */
  readonly ask: (client: string) => Promise<string>;
}

/** The clusters that users got although they never reach them, and the first country of which policy, records and server disagree. */
export async function compareThreeWays({ platform, reading, failed, ask }: Asked): Promise<{
  readonly forbidden: readonly string[];
  readonly differs: string | undefined;
}> {
  const policy = platform.policies.get('video');
  const [host] = policy?.spec.hosts ?? [];
  if (policy === undefined || host === undefined) throw new Error('no policy');
  const clusterOf = clusterByAddress(platform);
  const answers = answersOf(policy, new Set());
  const checks = reading.checks.filter(({ address }) => failed.includes(clusterOf.get(address) ?? ''));
  const view = reading.view(host, 'A', checks);
  const forbidden: string[] = [];
  const differing: string[] = [];
  for (const country of countriesWithPrefixes()) {
    const { tiers, never } = preferenceOf(answers, country);
    const wanted = answersFor(tiers, new Set(failed));
    const read = new Set([...view.answer(country).keys()].map((address) => clusterOf.get(address) ?? address));
    const got = clusterOf.get(await ask(clientAddress(country, 0))) ?? 'no cluster';
    for (const one of [got, ...read]) if (never.includes(one)) forbidden.push(`${country} ${one}`);
    const isSame = wanted.has(got) && read.size === wanted.size && [...read].every((one) => wanted.has(one));
    if (!isSame)
      differing.push(`${country}: policy ${[...wanted.keys()].join()}, records ${[...read].join()}, server ${got}`);
  }
  return { forbidden, differs: differing[0] };
}
