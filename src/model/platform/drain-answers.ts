import type { Drain, TrafficPolicy } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';
import type { DrainedView, ZoneView } from '../steering-status.ts';
import type { LeftTogether } from './drain-left.ts';
import { clustersOfDrain } from './drains.ts';
import { clustersOfPolicy } from './policies.ts';

/** How much DNS still leads to what a Drain takes out of service, in all zones together. */
export interface DrainAnswers extends Pick<DrainedView, 'share' | 'byFamily'> {
  /** When the last answer with it ends; absent while something still leads there. */
  readonly emptyAtMs?: number;
}

/** The policies that may lead users to what a Drain takes out of service; without one DNS is not concerned. */
export function policiesOfDrain(platform: Platform, drain: Drain, nowMs: number): readonly TrafficPolicy[] {
  const clusters = clustersOfDrain(platform, drain, nowMs);
  if (clusters.length === 0) return [];
  return [...platform.policies.values()].filter((policy) =>
    clustersOfPolicy(policy).some((name) => clusters.includes(name)),
  );
}

/**
 * What is known of DNS for a Drain: how much leads there, or, where policies name what is drained and not every zone of them says it, that it is
 * `unknown`; undefined where DNS is not concerned.
 */
export type DnsOfDrain = DrainAnswers | 'unknown' | undefined;

/** What zones say of a Drain; something that still leads there is known also while another zone says nothing. */
export function dnsOfDrain(
  drain: Drain,
  policies: readonly TrafficPolicy[],
  zones: readonly Pick<ZoneView, 'provider' | 'zone' | 'drains'>[],
): DnsOfDrain {
  const { name } = drain.metadata;
  const answers = answersOfDrain(name, zones);
  if (answers !== undefined && answers.share > 0) return answers;
  const says = (provider: string, zone: string): boolean =>
    zones.some((one) => one.provider === provider && one.zone === zone && one.drains?.some((of) => of.drain === name));
  const isKnown = policies.every(({ spec: { dns } }) => dns.providers.every((provider) => says(provider, dns.zone)));
  return isKnown ? answers : 'unknown';
}

/** What the zones together answer: of the zone that leads most there. */
export function answersOfDrain(name: string, zones: readonly Pick<ZoneView, 'drains'>[]): DrainAnswers | undefined {
  const views = zones.flatMap(({ drains = [] }) => drains.filter(({ drain }) => drain === name));
  if (views.length === 0) return undefined;
  const most = (family: keyof DrainedView['byFamily']) => {
    const shares = views.flatMap(({ byFamily }) => byFamily[family] ?? []);
    return shares.length === 0 ? {} : { [family]: Math.max(...shares) };
  };
  const share = Math.max(...views.map((view) => view.share));
  const ends = views.flatMap(({ emptyAtMs }) => emptyAtMs ?? []);
  const byFamily = { ...most('ipv4'), ...most('ipv6') };
  return { share, byFamily, ...(share > 0 ? {} : { emptyAtMs: Math.max(...ends) }) };
}

/** Whether every zone that a policy of the platform names was looked at: of the others nobody knows what they answer. */
export function areAllLookedAt({ policies }: Platform, zones: readonly ZoneView[]): boolean {
  return [...policies.values()].every(({ spec: { dns } }) =>
    dns.providers.every((provider) =>
      zones.some((one) => one.provider === provider && one.zone === dns.zone && one.drains !== undefined),
    ),
  );
}

/**
 * What is left together with what DNS answers: nothing that DNS still leads to, led to until a moment ago, or may lead to, is empty. VIPs that the
 * last blades keep are left for nobody once DNS leads nobody there any more. Where DNS is not concerned, the servers alone are judged.
 */
export function leftWithAnswers(together: LeftTogether, dns: DnsOfDrain, nowMs: number): LeftTogether {
  if (dns === undefined) return together;
  const text = dns === 'unknown' ? dnsUnknown : answersText(dns, nowMs);
  const { phase: ofServers, onlyKept } = together;
  if (text === undefined) return onlyKept === true ? { ...together, phase: 'empty' } : together;
  const left = [...together.left, text];
  if (ofServers !== 'empty' && onlyKept !== true) return { ...together, left };
  return { ...together, phase: dns === 'unknown' ? 'unknown' : 'draining', left };
}

export const dnsUnknown = 'DNS: unknown';

/** A clause about what DNS still leads there; undefined where it is nothing, and no resolver may hold an answer of before. */
export function answersText({ share, byFamily, emptyAtMs }: DrainAnswers, nowMs: number): string | undefined {
  if (share > 0) return `DNS still leads ${percent(share)} of the users of a host there${familyText(byFamily)}`;
  if (emptyAtMs === undefined || emptyAtMs <= nowMs) return undefined;
  const end = new Date(emptyAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return `DNS leads nobody there any more; resolvers may hold answers of before until ${end}`;
}

/** Said only where the families differ. */
function familyText({ ipv4, ipv6 }: DrainedView['byFamily']): string {
  if (ipv4 === undefined || ipv6 === undefined || ipv4 === ipv6) return '';
  return ` (IPv4 ${percent(ipv4)}, IPv6 ${percent(ipv6)})`;
}

const percent = (share: number): string => `${Math.round(share * 1e4) / 100} %`;
