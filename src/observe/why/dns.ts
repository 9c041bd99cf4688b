import {
  answersFor,
  answersNow,
  formatTiers,
  type Preference,
  preferenceOf,
  preferencesWithin,
} from '../../answers/answers.ts';
import { formatShares } from '../../answers/distribution.ts';
import { clusterByAddress } from '../../model/platform/entries.ts';
import { failbackOf } from '../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { fails, type Hop, holds, unknown } from './chain.ts';
import { shortOfAddresses, unhealthyClusters } from './entry.ts';
import type { DnsPart, Evidence } from './evidence.ts';

/** The way from a policy to the clusters that users of one country get. `country` is a code; absent: nobody knows where they are. */
export interface DnsQuestion {
  readonly policy: TrafficPolicy;
  readonly host: string;
  readonly country?: string;
}

interface Judged {
  readonly hops: readonly Hop[];
  /** Where users are led, as far as a name server answered. */
  readonly outcome: string;
  /** The clusters that answer now, as far as that is known; else those that the spec wants. */
  readonly clusters: readonly string[];
  /** The clusters that the spec wants while all are healthy. */
  readonly wanted: readonly string[];
}

/** What the spec wants for a country, and what each name server answers. */
export function dnsHops(platform: Platform, evidence: Evidence, { policy, host, country }: DnsQuestion): Judged {
  const { name } = policy.metadata;
  const all = answersNow(platform, policy, evidence.snapshot.takenAtMs);
  const { tiers, rule, never } = preferenceOf(all, country);
  const unhealthy = unhealthyClusters(evidence, name);
  const wanted = answersFor(tiers, new Set());
  const short = shortOfAddresses(platform, evidence, name);
  const expected = answersFor(tiers, unhealthy, short.inAll);
  const who = country ?? 'users of unknown location';
  const kept = never.length === 0 ? '' : `, never ${never.join(', ')}`;
  const spec = holds('spec', host, `for ${who}: policy ${name}, ${rule}: ${formatTiers(tiers)}${kept}`);
  const parts = evidence.dns.filter((part) => part.host === host && part.country === country);
  const clusterOf = clusterByAddress(platform);
  // In which state of a country the address is by which the name servers were asked is not known: any of theirs is right.
  const preferences = preferencesWithin(all, country);
  // A cluster that is short in one family only is left there alone.
  const within = [short.inAll, ...(short.inSome.size > short.inAll.size ? [short.inSome] : [])].flatMap((left) =>
    preferences.map((one) => answersFor(one.tiers, unhealthy, left)),
  );
  const right = new Set(within.flatMap((shares) => [...shares.keys()]));
  const expectedText = [...new Set(within.map(formatShares))].join(', or for some of its states ');
  const whileHeld = answersWhileHeld(policy, preferences, unhealthy);
  const answers = parts.map((part) =>
    answerHop(part, { expected: right, expectedText, whileHeld, clusterOf, unhealthy }),
  );
  const seen = parts.flatMap((part) =>
    'addresses' in part ? part.addresses.flatMap((one) => clusterOf.get(one) ?? []) : [],
  );
  const none = answers.length === 0 ? [unknown('DNS answer', host, 'was asked of no name server')] : [];
  const users = country === undefined ? who : `users in ${who}`;
  return {
    outcome: `${host}: ${outcomeOf(users, seen, parts, evidence.supposed.length > 0)}`,
    hops: [spec, ...answers, ...none, ...recordHops(evidence, host, answers)],
    clusters: seen.length > 0 ? [...new Set(seen)] : [...expected.keys()],
    wanted: [...wanted.keys()],
  };
}

/**
 * The clusters that are right answers besides, while the zone holds back one that was down (`spec.failback`) or several: only the zone tells
 * whether it does.
 */
function answersWhileHeld(
  policy: TrafficPolicy,
  preferences: readonly Preference[],
  unhealthy: ReadonlySet<string>,
): ReadonlySet<string> {
  if (failbackOf(policy) === undefined) return new Set();
  return new Set(
    preferences.flatMap(({ tiers }) => {
      const first = [...answersFor(tiers, unhealthy).keys()];
      const held = [first, ...first.map((cluster) => [cluster])];
      return held.flatMap((some) => [...answersFor(tiers, new Set([...unhealthy, ...some])).keys()]);
    }),
  );
}

/** Where users are led. That no name server was heard says nothing about it. */
function outcomeOf(users: string, seen: readonly string[], parts: readonly DnsPart[], supposed: boolean): string {
  if (!parts.some((part) => 'addresses' in part))
    return `where ${users} are led is not known, no name server was heard`;
  const clusters = seen.length > 0 ? [...new Set(seen)].join(', ') : 'no cluster that is known here';
  return `${users} ${supposed ? 'would be' : 'are'} led to ${clusters}`;
}

/**
 * The records that decide. The zone itself is not read here, which needs the credentials of its provider: a right answer shows that
 * these are what it has.
 */
function recordHops({ records }: Evidence, host: string, answers: readonly Hop[]): readonly Hop[] {
  const path = records.find((one) => one.host === host)?.records ?? [];
  if (path.length === 0) return [];
  const what = `is answered, while all is healthy, by ${path.join('; ')}`;
  const right = answers.length > 0 && answers.every(({ verdict }) => verdict === 'holds');
  return [
    right
      ? holds('record path', host, what)
      : unknown(
          'record path',
          host,
          `should be answered by ${path.join('; ')}; tideline steering plan compares the zone`,
        ),
  ];
}

function answerHop(
  part: DnsPart,
  seen: {
    readonly expected: ReadonlySet<string>;
    readonly expectedText: string;
    /** Right as well, when the zone holds clusters back. */
    readonly whileHeld: ReadonlySet<string>;
    readonly clusterOf: ReadonlyMap<string, string>;
    readonly unhealthy: ReadonlySet<string>;
  },
): Hop {
  const { server, host } = part;
  if ('problem' in part) return unknown('DNS answer', host, `is not known of ${server}: ${part.problem}`);
  const asked = part.subnet === undefined ? '' : ` (asked for ${part.subnet})`;
  if (part.addresses.length === 0)
    return fails('DNS answer', host, 'AnswerEmpty', `has no address at ${server}: ${part.rcode}${asked}`);
  const foreign = part.addresses.filter((address) => !seen.clusterOf.has(address));
  if (foreign.length > 0)
    return fails(
      'DNS answer',
      host,
      'AnswerForeign',
      `is ${foreign.join(', ')} at ${server}, which is the entry of no cluster${asked}`,
    );
  const clusters = [...new Set(part.addresses.map((address) => seen.clusterOf.get(address) ?? address))];
  const what = `is ${clusters.join(', ')} (${part.addresses.join(', ')}) at ${server}${asked}`;
  if (clusters.every((cluster) => seen.expected.has(cluster))) {
    const because =
      seen.unhealthy.size === 0
        ? ''
        : `, the next choice while ${[...seen.unhealthy].join(', ')} ${seen.unhealthy.size === 1 ? 'is' : 'are'} not healthy`;
    return holds('DNS answer', host, `${what}${because}`);
  }
  if (clusters.every((cluster) => seen.expected.has(cluster) || seen.whileHeld.has(cluster)))
    return unknown(
      'DNS answer',
      host,
      `${what}, where the spec wants ${seen.expectedText} unless the zone holds back a cluster that was down (spec.failback): tideline steering explain reads the zone`,
    );
  return fails(
    'DNS answer',
    host,
    'AnswerDiffers',
    `${what}; as health is seen from here the spec wants ${seen.expectedText}`,
  );
}
