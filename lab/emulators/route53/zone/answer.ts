import type { Continent } from '../../../../src/model/geo/countries.ts';
import { compareText } from '../../../../src/model/values.ts';
import type { RecordSet, RecordType } from './record.ts';
import type { RecordTable } from './table.ts';

/** The client's location, as far as the data knows it. */
export interface Place {
  readonly country: string | undefined;
  readonly continent: Continent | undefined;
  /** The part of the country, as Route 53 writes it: `CA`. */
  readonly subdivision?: string | undefined;
}

export interface AnswerContext {
  readonly table: RecordTable;
  readonly place: Place;
  /** The location of a CIDR collection that the client's network is in; undefined when it is in none. */
  readonly locationIn: (collectionId: string) => string | undefined;
  /** True when the check is healthy; README.md tells how a deleted one counts. */
  readonly isHealthy: (healthCheckId: string) => boolean;
  /** A random number in [0, 1). */
  readonly random: () => number;
}

export interface Resolution {
  /** The record whose values are the answer; undefined when no record is for this place (no `*`). */
  readonly leaf: RecordSet | undefined;
  /** False when the answer is given only because there is nothing better. */
  readonly healthy: boolean;
  /** True when a geolocation or CIDR group was on the way: the answer is good for this place only. */
  readonly byPlace: boolean;
}

/**
 * The answer of the records of a name and type, by Route 53's documented rules: the routing policy chooses among the healthy
 * records and follows aliases; from a branch that turns out unhealthy it goes on to the next one; when nothing is healthy, all
 * count as healthy. Undefined when there is no such record at all.
 */
export function resolve(name: string, type: RecordType, context: AnswerContext): Resolution | undefined {
  const group = context.table.group(name, type);
  const kind = group[0]?.routing.kind;
  switch (kind) {
    case undefined:
      return undefined;
    case 'simple':
      return simple(group, context);
    case 'weighted':
      return weighted(group, context);
    case 'failover':
      return failover(group, context);
    case 'geolocation':
      return geolocation(group, context);
    case 'latency':
      return latency(group, context);
    case 'multivalue':
      return multivalue(group, context);
    case 'cidr':
      return cidr(group, context);
  }
}

/** A record's own answer and health, its alias followed. */
function evaluate(record: RecordSet, context: AnswerContext): Resolution {
  const own = record.healthCheckId === undefined || context.isHealthy(record.healthCheckId);
  if (record.alias === undefined) return { leaf: record, healthy: own, byPlace: false };
  const target = resolve(record.alias.name, record.type, context);
  if (target === undefined) return { leaf: undefined, healthy: own, byPlace: false };
  return { ...target, healthy: own && (target.healthy || !record.alias.evaluateTargetHealth) };
}

function simple(group: readonly RecordSet[], context: AnswerContext): Resolution {
  const [record] = group;
  return record === undefined ? nothing : evaluate(record, context);
}

const nothing: Resolution = { leaf: undefined, healthy: true, byPlace: false };

interface Candidate {
  readonly weight: number;
  readonly resolution: Resolution;
}

/**
 * Chooses among records with non-zero weights; those with weight zero are used only when all others are unhealthy, and are then
 * equally likely.
 */
function weighted(group: readonly RecordSet[], context: AnswerContext): Resolution {
  const candidates = group.map((record): Candidate => {
    const weight = record.routing.kind === 'weighted' ? record.routing.weight : 0;
    return { weight, resolution: evaluate(record, context) };
  });
  const byPlace = candidates.some((candidate) => candidate.resolution.byPlace);
  const nonZero = candidates.filter((candidate) => candidate.weight > 0);
  const zero = candidates
    .filter((candidate) => candidate.weight === 0)
    .map((candidate) => ({ ...candidate, weight: 1 }));
  const healthy = (list: readonly Candidate[]) => list.filter((candidate) => candidate.resolution.healthy);
  const choices = [healthy(nonZero), healthy(zero), nonZero, zero];
  const chosen = draw(choices.find((list) => list.length > 0) ?? [], context.random());
  return { ...(chosen?.resolution ?? nothing), byPlace };
}

function draw(candidates: readonly Candidate[], random: number): Candidate | undefined {
  const total = candidates.reduce((sum, candidate) => sum + candidate.weight, 0);
  let left = random * total;
  for (const candidate of candidates) {
    left -= candidate.weight;
    if (left < 0) return candidate;
  }
  return candidates.at(-1);
}

/** The primary when healthy, else the secondary when healthy, else the primary. */
function failover(group: readonly RecordSet[], context: AnswerContext): Resolution {
  const role = (wanted: string) => {
    const record = group.find(({ routing }) => routing.kind === 'failover' && routing.role === wanted);
    return record === undefined ? undefined : evaluate(record, context);
  };
  const primary = role('PRIMARY');
  const secondary = role('SECONDARY');
  const byPlace = (primary?.byPlace ?? false) || (secondary?.byPlace ?? false);
  if (primary?.healthy === true) return { ...primary, byPlace };
  if (secondary?.healthy === true) return { ...secondary, byPlace };
  return { ...(primary ?? secondary ?? nothing), byPlace };
}

/** The first healthy region by name, because nobody knows the latencies here; when none is healthy, the first. */
function latency(group: readonly RecordSet[], context: AnswerContext): Resolution {
  const regionOf = ({ routing }: RecordSet): string => (routing.kind === 'latency' ? routing.region : '');
  const inOrder = group.toSorted((a, b) => compareText(regionOf(a), regionOf(b)));
  const all = inOrder.map((record) => evaluate(record, context));
  return { ...(all.find(({ healthy }) => healthy) ?? all[0] ?? nothing), byPlace: true };
}

/** So many records of a multivalue group are in one answer. */
const mostMultivalues = 8;

/** Up to eight healthy records together, from a random one on; when none is healthy, up to eight of all. */
function multivalue(group: readonly RecordSet[], context: AnswerContext): Resolution {
  const all = group.map((record) => evaluate(record, context));
  const healthy = all.filter((one) => one.healthy);
  const choices = healthy.length > 0 ? healthy : all;
  const first = Math.floor(context.random() * choices.length);
  const chosen = [...choices.slice(first), ...choices.slice(0, first)].slice(0, mostMultivalues);
  const [leaf] = chosen.flatMap((one) => one.leaf ?? []);
  if (leaf === undefined) return nothing;
  const values = chosen.flatMap((one) => one.leaf?.values ?? []);
  return { leaf: { ...leaf, values }, healthy: healthy.length > 0, byPlace: false };
}

/**
 * Chooses the smallest region that contains the place and is healthy: subdivision, country, continent, `*`; when none is healthy, the
 * smallest.
 */
function geolocation(group: readonly RecordSet[], context: AnswerContext): Resolution {
  const { country, continent, subdivision } = context.place;
  const matching = (matches: (location: { continent?: string; country?: string; subdivision?: string }) => boolean) =>
    group.filter(({ routing }) => routing.kind === 'geolocation' && matches(routing.location));
  const within = (part: string | undefined) =>
    country === undefined ? [] : matching((location) => location.country === country && location.subdivision === part);
  const chain = [
    ...(subdivision === undefined ? [] : within(subdivision)),
    ...within(undefined),
    ...matching((location) => continent !== undefined && location.continent === continent),
    ...matching((location) => location.country === '*'),
  ].map((record) => evaluate(record, context));
  return { ...(chain.find((candidate) => candidate.healthy) ?? chain[0] ?? nothing), byPlace: true };
}

/** The record of the client's location when it is healthy, else that of `*` when that is; when none is, the first. README.md names what is assumed here. */
function cidr(group: readonly RecordSet[], context: AnswerContext): Resolution {
  const at = (wanted: string | undefined): readonly Resolution[] =>
    group.flatMap((record) =>
      record.routing.kind === 'cidr' && record.routing.location === wanted ? [evaluate(record, context)] : [],
    );
  const [first] = group;
  const own = first?.routing.kind === 'cidr' ? context.locationIn(first.routing.collectionId) : undefined;
  const chain = [...at(own), ...at('*')];
  return { ...(chain.find(({ healthy }) => healthy) ?? chain[0] ?? nothing), byPlace: true };
}
