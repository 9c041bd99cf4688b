import { movedBetween, parseShares } from '../../../answers/distribution.ts';
import { identityOf, type RecordSet } from '../../../answers/record.ts';
import { type CountryWeights, weightsAmong } from '../../../model/country-weights.ts';
import { countryOfPlace } from '../../../model/geo/states.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Intent } from '../compile/intent.ts';
import type { Changes } from '../records/changes.ts';
import { findJournal, isJournal, journalRecord, type Move, readJournal, signature } from '../records/journal.ts';
import type { FamilyImpact, HostImpact } from './impact.ts';

/**
 * What was moved of a host's traffic within the window of its policy's guard. Compared is where users are answered: those who were moved
 * and moved back count for nothing, those who were moved twice count once, whoever moved them.
 */
export interface Window {
  readonly minutes: number;
  /** The applies within the window, the earliest first. */
  readonly applies: readonly PastApply[];
  /** Share of the traffic that is answered otherwise now than before these applies, and that would be after the plan. */
  readonly displaced: { readonly before: number; readonly after: number };
}

interface PastApply {
  /** When, as an ISO 8601 text. */
  readonly at: string;
  readonly by: string;
  readonly movedShare: number;
}

/** The windows of those hosts that have one. */
export function windowsOf(
  { policies }: Intent,
  impacts: readonly HostImpact[],
  records: readonly RecordSet[],
  nowMs: number,
  weights: CountryWeights,
): ReadonlyMap<string, Window> {
  return new Map(
    impacts.flatMap((impact) => {
      const policy = policies.find((one) => one.policy.spec.hosts.includes(impact.host))?.policy;
      const window = windowOf(policy, impact, records, nowMs, weights);
      return window === undefined ? [] : [[impact.host, window] as const];
    }),
  );
}

/** The window of a host; undefined when nothing was moved in it, or the host has no policy or no answer yet. */
function windowOf(
  policy: TrafficPolicy | undefined,
  { families }: HostImpact,
  records: readonly RecordSet[],
  nowMs: number,
  weights: CountryWeights,
): Window | undefined {
  if (policy === undefined) return undefined;
  const moves = movesWithin(policy, records, nowMs);
  const isNew = families.every(({ groups }) => groups.every(({ before }) => before === 'nothing'));
  if (moves.length === 0 || isNew) return undefined;
  const worst = (side: 'before' | 'after'): number =>
    Math.max(0, ...families.map((family) => displacedOf(family, moves, side, weights)));
  return {
    minutes: policy.spec.guard.windowMinutes,
    applies: appliesOf(moves),
    displaced: { before: worst('before'), after: worst('after') },
  };
}

/** Who applies a plan, when and why. */
export interface Author {
  readonly by: string;
  readonly nowMs: number;
  readonly reason?: string;
}

/**
 * These changes, and those of the records about what was moved. They are none of the plan's own: they depend on who applies it and when,
 * and make no plan by themselves.
 */
export function withJournals(
  { policies, wanted: { zone } }: Intent,
  changes: Changes,
  impacts: readonly HostImpact[],
  { records, by, nowMs }: Author & { readonly records: readonly RecordSet[] },
): Changes {
  if (changes.create.length + changes.delete.length === 0) return changes;
  const swaps = policies.flatMap(({ policy }): readonly RecordSet[] => {
    const past = movesWithin(policy, records, nowMs);
    // Applies stand in their order, also of one second and of machines whose clocks differ.
    const fresh = movesOf(policy, impacts, { by, nowMs: Math.max(nowMs, (past.at(-1)?.atMs ?? 0) + 1000) });
    if (fresh.length === 0) return [];
    return [journalRecord(zone, policy.metadata.name, [...past, ...fresh])];
  });
  const known = new Set(policies.map(({ policy }) => findJournal(zone, policy.metadata.name, records)));
  const replaced = new Set(swaps.map(identityOf));
  const gone = records.filter(
    (record) =>
      isJournal(zone, record.name) &&
      (replaced.has(identityOf(record)) || (!known.has(record) && isForgotten(readJournal(record), nowMs))),
  );
  return { ...changes, create: [...changes.create, ...swaps], delete: [...changes.delete, ...gone] };
}

/** No window is longer than this. */
const dayMs = 24 * 3_600_000;

const isForgotten = (moves: readonly Move[], nowMs: number): boolean => moves.every(({ atMs }) => atMs < nowMs - dayMs);

function movesWithin({ metadata, spec }: TrafficPolicy, records: readonly RecordSet[], nowMs: number): readonly Move[] {
  const fromMs = nowMs - spec.guard.windowMinutes * 60_000;
  const journal = readJournal(findJournal(spec.dns.zone, metadata.name, records));
  return journal.filter(({ atMs }) => atMs > fromMs);
}

/** What a plan moves of a policy: of its host of which most moves. */
function movesOf({ spec }: TrafficPolicy, impacts: readonly HostImpact[], author: Author): readonly Move[] {
  const [most] = impacts
    .filter(({ host, movedShare }) => spec.hosts.includes(host) && movedShare > 0)
    .toSorted((a, b) => b.movedShare - a.movedShare);
  if (most === undefined || spec.guard.windowMinutes === 0) return [];
  const head = { atMs: author.nowMs, by: signature(author.by), share: most.movedShare };
  return most.families.flatMap(({ type, groups }) =>
    groups
      .filter(({ movedShare }) => movedShare > 0)
      .map(({ before, countries }): Move => ({ ...head, type, countries, from: before })),
  );
}

function appliesOf(moves: readonly Move[]): readonly PastApply[] {
  const one = new Map(moves.map((move) => [`${move.atMs} ${move.by}`, move]));
  return [...one.values()].map(({ atMs, by, share }) => ({
    at: new Date(atMs).toISOString(),
    by,
    movedShare: share,
  }));
}

/** The share that is answered otherwise than before the earliest of these moves. */
function displacedOf(
  { type, groups }: FamilyImpact,
  moves: readonly Move[],
  side: 'before' | 'after',
  weights: CountryWeights,
): number {
  const earliest = new Map<string, Move>();
  for (const move of moves.filter((one) => one.type === type))
    for (const code of move.countries) if (!earliest.has(code)) earliest.set(code, move);
  const weightOf = weightsAmong(
    weights,
    groups.flatMap(({ countries }) => countries),
  );
  let displaced = 0;
  for (const group of groups) {
    if (group.before === 'nothing') continue;
    for (const code of group.countries) {
      // A state that nobody told apart before was moved with its country.
      const move = earliest.get(code) ?? earliest.get(countryOfPlace(code));
      const from = move === undefined ? group.before : move.from;
      displaced += differenceOf(from, group[side]) * weightOf(code);
    }
  }
  return displaced;
}

function differenceOf(from: string | undefined, now: string): number {
  if (from === now) return 0;
  if (from === undefined || now === 'nothing') return 1;
  return movedBetween(parseShares(from), parseShares(now));
}
