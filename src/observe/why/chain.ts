import { type WhyReason, whyReasons } from './reasons.ts';

/** How far a hop can be trusted: what could not be asked is `unknown`, never `holds`. */
export type Verdict = 'holds' | 'fails' | 'unknown';

/** One link of the way from a user to a pod. Each is judged by itself, so that the first one that fails is the cause. */
export interface Hop {
  readonly hop: HopName;
  /** The object that it is about: `cluster paris`, `paris-blade-1`. */
  readonly subject: string;
  readonly verdict: Verdict;
  /** A clause that goes on after the subject. */
  readonly what: string;
  readonly reason?: WhyReason;
  readonly fix?: string;
  /** True of a hop that fails because a later one does: the health of an entry stands for all that is behind it. */
  readonly follows?: true;
}

export type HopName =
  | 'spec'
  | 'DNS answer'
  | 'record path'
  | 'health'
  | 'VIP'
  | 'announced by'
  | 'blade'
  | 'cluster'
  | 'nginx'
  | 'rule'
  | 'certificate'
  | 'Service'
  | 'endpoints'
  | 'pod'
  | 'worker'
  | 'block'
  | 'kernel'
  | 'session';

/** The answer to one question. */
export interface Chain {
  readonly question: string;
  /** What was supposed with --if. */
  readonly supposed: readonly string[];
  /** Where users are led now, or would be; for a host and a country. */
  readonly outcome: readonly string[];
  /** `fails` if a hop fails, else `unknown` if one is not known. */
  readonly verdict: Verdict;
  /** The first hop that does not hold: the first that fails, else the first that is not known. */
  readonly broken?: Hop;
  readonly hops: readonly Hop[];
}

export function holds(hop: HopName, subject: string, what: string): Hop {
  return { hop, subject, verdict: 'holds', what };
}

export function unknown(hop: HopName, subject: string, what: string): Hop {
  return { hop, subject, verdict: 'unknown', what };
}

export function fails(
  hop: HopName,
  subject: string,
  reason: WhyReason,
  what: string,
  fix: string = whyReasons[reason].fix,
): Hop {
  return { hop, subject, verdict: 'fails', what, reason, fix };
}

/** What follows from the hops: the first that does not hold, and how much of the whole is known. */
export function verdictOf(hops: readonly Hop[]): Pick<Chain, 'verdict' | 'broken' | 'hops'> {
  const broken =
    hops.find(({ verdict, follows }) => verdict === 'fails' && follows !== true) ??
    hops.find(({ verdict }) => verdict === 'unknown');
  return { verdict: broken?.verdict ?? 'holds', ...(broken === undefined ? {} : { broken }), hops };
}

/** The hops up to the first that does not hold: what is behind it cannot be judged by itself. */
export function upToFirstFault(hops: readonly Hop[]): readonly Hop[] {
  const at = hops.findIndex(({ verdict }) => verdict !== 'holds');
  return at < 0 ? hops : hops.slice(0, at + 1);
}

/** The hops with those of these names marked as consequences, if a hop with another name fails. */
export function markConsequences(hops: readonly Hop[], names: ReadonlySet<HopName>): readonly Hop[] {
  if (!hops.some(({ hop, verdict }) => verdict === 'fails' && !names.has(hop))) return hops;
  return hops.map((hop) => (hop.verdict === 'fails' && names.has(hop.hop) ? { ...hop, follows: true } : hop));
}
