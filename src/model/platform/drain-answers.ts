import type { Platform } from '../spec/platform.ts';
import type { DrainedView, ZoneView } from '../steering-status.ts';
import type { LeftTogether } from './drain-left.ts';

/** How much DNS still leads to what a Drain takes out of service, in all zones together. */
export interface DrainAnswers extends Pick<DrainedView, 'share' | 'byFamily'> {
  /** When the last answer with it ends; absent while something still leads there. */
  readonly emptyAtMs?: number;
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
 * What is left together with what DNS answers: nothing that DNS still leads to, or led to until a moment ago, is empty. Where nobody says what
 * DNS answers, the servers alone are judged.
 */
export function leftWithAnswers(
  together: LeftTogether,
  answers: DrainAnswers | undefined,
  nowMs: number,
): LeftTogether {
  const text = answers === undefined ? undefined : answersText(answers, nowMs);
  if (text === undefined) return together;
  const phase = together.phase === 'empty' ? 'draining' : together.phase;
  return { ...together, phase, left: [...together.left, text] };
}

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
