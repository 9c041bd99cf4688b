import type { RecordSet } from '../../../answers/record.ts';
import { isNetwork } from '../../../model/geo/networks.ts';
import { compareText } from '../../../model/values.ts';
import { addressTypes } from '../compile/entries.ts';
import { ownedName } from './registry.ts';

/**
 * What applies moved lately, for each policy in a TXT record set of its own, `_moved.<policy>._tideline.<zone>`, so that whoever plans
 * next counts it, on any machine. It is swapped in the same atomic batches as everything else, before the hosts that it speaks of.
 */
export interface Move {
  /** Milliseconds since the epoch, whole seconds. */
  readonly atMs: number;
  /** Who applied it. */
  readonly by: string;
  /** Share, 0..1, of the traffic that the whole apply moved. */
  readonly share: number;
  /** `A` or `AAAA`. */
  readonly type: string;
  /** Codes of countries and states, and networks. */
  readonly countries: readonly string[];
  /** Their answer before, as `formatShares` writes it; absent when it was not kept: then it equals nothing that follows. */
  readonly from?: string;
}

const label = '_moved';
const ttlSeconds = 60;
/** A TXT string has 255 characters; the head of a value and the answer before need room beside the countries. */
const countriesInValue = 40;
const statesInValue = 16;
const networksInValue = 4;
/** Of one apply so many networks of a family are remembered: a record with more of them would have no room for countries. */
export const networksRemembered = 40;
const longestBefore = 80;
const longestName = 32;
/** A record of so many values can be deleted and created in one batch. */
const mostValues = 48;

/** True for the name of such a record. */
export function isJournal(zone: string, name: string): boolean {
  return name.startsWith(`${label}.`) && name.endsWith(`.${ownedName(zone)}`);
}

export function findJournal(zone: string, policy: string, records: readonly RecordSet[]): RecordSet | undefined {
  const name = ownedName(zone, label, policy);
  return records.find((record) => record.name === name && record.type === 'TXT');
}

/** What the record says, the earliest first; values in another form say nothing. */
export function readJournal(record: RecordSet | undefined): readonly Move[] {
  if (record?.target.kind !== 'values') return [];
  return record.target.values.flatMap(parse).sort((a, b) => a.atMs - b.atMs);
}

/** The record that says this. When it would be too large the earliest applies are joined: they then count longer, never less. */
export function journalRecord(zone: string, policy: string, moves: readonly Move[]): RecordSet {
  let kept = moves;
  while (valuesOf(kept).length > mostValues && timesOf(kept).length > 1) kept = joinEarliest(kept);
  if (valuesOf(kept).length > mostValues) kept = withoutBefore(kept);
  const target = { kind: 'values', ttlSeconds, values: valuesOf(kept) } as const;
  return { name: ownedName(zone, label, policy), type: 'TXT', target };
}

/** A name as the record holds it. */
export function signature(by: string): string {
  return by.replaceAll(/[^A-Za-z0-9._@+-]/g, '-').slice(0, longestName) || 'unknown';
}

const form = /^at=(\d+) by=(\S+) share=([\d.]+) (A|AAAA) ((?:[A-Z]{2}(?:-[A-Z]{2})?)+) from (.+)$/;
/** An older version takes such a value for none: for it networks count in their own plan only. */
const formOfNetworks = /^at=(\d+) by=(\S+) share=([\d.]+) (A|AAAA) networks ([0-9a-f.:/,]+) from (.+)$/;

function parse(value: string): readonly Move[] {
  const text = value.replaceAll('"', '');
  const [, at, by, share, type, codes, from] = form.exec(text) ?? formOfNetworks.exec(text) ?? [];
  if (at === undefined || by === undefined || type === undefined || codes === undefined) return [];
  const countries = isNetwork(codes) ? codes.split(',') : (codes.match(/[A-Z]{2}(?:-[A-Z]{2})?/g) ?? []);
  const before = from === undefined || from === '?' ? {} : { from };
  return [{ atMs: Number(at) * 1000, by, share: Number(share), type, countries, ...before }];
}

function valuesOf(moves: readonly Move[]): readonly string[] {
  return moves
    .flatMap((move) => {
      const head = `at=${Math.floor(move.atMs / 1000)} by=${signature(move.by)} share=${move.share.toFixed(4)} ${move.type}`;
      const from = move.from === undefined || move.from.length > longestBefore ? '?' : move.from;
      const networks = move.countries.filter(isNetwork).slice(0, networksRemembered);
      const codes = move.countries.filter((code) => !isNetwork(code));
      const [countries, states] = [false, true].map((wanted) => codes.filter((code) => code.includes('-') === wanted));
      return [
        ...[...chunks(countries ?? [], countriesInValue), ...chunks(states ?? [], statesInValue)].map((some) =>
          some.join(''),
        ),
        ...chunks(networks, networksInValue).map((some) => `networks ${some.join(',')}`),
      ].map((places) => `"${head} ${places} from ${from}"`);
    })
    .sort(compareText);
}

function chunks(list: readonly string[], size: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}

const timesOf = (moves: readonly Move[]): readonly number[] =>
  [...new Set(moves.map(({ atMs }) => atMs))].sort((a, b) => a - b);

/** The two earliest applies as one at the time of the later: each country keeps its earliest answer before. */
function joinEarliest(moves: readonly Move[]): readonly Move[] {
  const [first, second = first] = timesOf(moves);
  const early = moves.filter(({ atMs }) => atMs === first);
  const late = moves.filter(({ atMs }) => atMs === second);
  const share = Math.min(1, (early[0]?.share ?? 0) + (late[0]?.share ?? 0));
  const by = late[0]?.by ?? '';
  const atMs = second ?? 0;
  const seen = new Set(early.flatMap(({ type, countries }) => countries.map((code) => `${type} ${code}`)));
  const rest = late.map((move) => ({
    ...move,
    countries: move.countries.filter((code) => !seen.has(`${move.type} ${code}`)),
  }));
  const joined = [...early, ...rest.filter(({ countries }) => countries.length > 0)].map((move) => ({
    ...move,
    atMs,
    by,
    share,
  }));
  return [...joined, ...moves.filter((move) => move.atMs !== first && move.atMs !== second)];
}

function withoutBefore(moves: readonly Move[]): readonly Move[] {
  return addressTypes.flatMap((type): readonly Move[] => {
    const some = moves.filter((move) => move.type === type);
    const [head] = some;
    if (head === undefined) return [];
    const { from: _before, ...rest } = head;
    return [{ ...rest, countries: [...new Set(some.flatMap(({ countries }) => countries))].sort() }];
  });
}
