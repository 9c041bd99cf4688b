import { continentOf } from '../../../../src/model/geo/countries.ts';
import { stateOf } from '../../../../src/model/geo/states.ts';
import { isWithin } from './names.ts';
import { type Change, locationKey, type RecordKey, type RecordSet, sameKey, sameRecord } from './record.ts';
import type { RecordDraft, RecordTable } from './table.ts';
import { parseValue } from './values.ts';

/** Route 53's quotas, as documented; see README.md. */
const limits = {
  elementsPerBatch: 1000,
  valueCharactersPerBatch: 32_000,
  valuesPerRecord: 400,
  recordsPerGroup: 100,
  /**
   * The most groups on a path from a name to its values: the name's own, the group that its alias leads to, the group that this
   * one leads to.
   */
  aliasLevels: 3,
} as const;

export interface BatchContext {
  /** Canonical name of the zone. */
  readonly zone: string;
  readonly zoneId: string;
  readonly healthCheckExists: (id: string) => boolean;
  /** Whether a CIDR collection has a location with blocks, or is asked for `*`. */
  readonly cidrLocationExists: (collectionId: string, location: string) => boolean;
  /** How many records the zone may have. */
  readonly recordQuota: number;
  /** Whether a batch may leave an alias without its target: Route 53's documentation does not say. */
  readonly danglingAliases: 'refused' | 'left';
}

export type BatchResult =
  | { readonly ok: true; readonly table: RecordTable }
  | { readonly ok: false; readonly messages: readonly string[] };

/**
 * Applies a batch to a copy of the zone: all of it or nothing. Changes happen in the order given, and each rule is
 * checked at that point, so an alias must come after its target (dnscontrol #937 shows that the real one does the same);
 * what only the end can show (aliases without target, alias depth, quotas) is checked at the end.
 */
export function applyBatch(current: RecordTable, changes: readonly Change[], context: BatchContext): BatchResult {
  const sizes = batchSizeProblems(changes);
  if (sizes.length > 0) return { ok: false, messages: sizes };
  const draft = current.copy();
  const messages: string[] = [];
  for (const change of changes) {
    const problems = applyChange(draft, change, context);
    messages.push(...problems);
  }
  if (messages.length === 0) messages.push(...finalProblems(draft, changes, context));
  return messages.length === 0 ? { ok: true, table: draft } : { ok: false, messages };
}

/**
 * Checks the batch's size: each value and each alias counts one element, each character of a value one; all count twice in an
 * UPSERT.
 */
function batchSizeProblems(changes: readonly Change[]): readonly string[] {
  let elements = 0;
  let characters = 0;
  for (const { action, record } of changes) {
    const factor = action === 'UPSERT' ? 2 : 1;
    elements += factor * (record.alias === undefined ? record.values.length : 1);
    characters += factor * record.values.reduce((sum, value) => sum + value.length, 0);
  }
  const problems: string[] = [];
  if (elements > limits.elementsPerBatch)
    problems.push(`Number of records limit of ${limits.elementsPerBatch} exceeded: ${elements}`);
  if (characters > limits.valueCharactersPerBatch)
    problems.push(`Number of characters in values limit of ${limits.valueCharactersPerBatch} exceeded: ${characters}`);
  return problems;
}

function describe(key: RecordKey): string {
  const identifier = key.setIdentifier === undefined ? '' : `, set-identifier='${key.setIdentifier}'`;
  return `[name='${key.name}', type='${key.type}'${identifier}]`;
}

function applyChange(draft: RecordDraft, change: Change, context: BatchContext): readonly string[] {
  const { action, record } = change;
  const existing = draft.find(record);
  if (action === 'DELETE') {
    const problem = deletionProblem(existing, record, context);
    if (problem === undefined) draft.remove(record);
    return problem === undefined ? [] : [problem];
  }
  if (action === 'CREATE' && existing !== undefined)
    return [`Tried to create resource record set ${describe(record)} but it already exists`];
  const problems = [...shapeProblems(record, context), ...neighbourProblems(draft, record, context)];
  if (problems.length === 0) draft.put(record);
  return problems;
}

function deletionProblem(existing: RecordSet | undefined, given: RecordSet, context: BatchContext): string | undefined {
  const what = `Tried to delete resource record set ${describe(given)}`;
  if (existing === undefined) return `${what} but it was not found`;
  if (!sameRecord(existing, given)) return `${what} but the values provided do not match the current values`;
  if (given.name !== context.zone) return undefined;
  if (given.type === 'SOA') return 'A HostedZone must contain exactly one SOA record.';
  if (given.type === 'NS') return 'A HostedZone must contain at least one NS record for the zone itself.';
  return undefined;
}

/** The problems of the record taken alone. */
function shapeProblems(record: RecordSet, context: BatchContext): readonly string[] {
  const { name, type } = record;
  const problems: string[] = [];
  if (!isWithin(name, context.zone))
    problems.push(`RRSet with DNS name ${name} is not permitted in zone ${context.zone}`);
  if (type === 'CNAME' && name === context.zone)
    problems.push(`RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${context.zone}`);
  if (type === 'SOA' && name !== context.zone)
    problems.push(`RRSet of type SOA with DNS name ${name} is not permitted as only the zone itself has one`);
  if ((type === 'SOA' || type === 'NS') && record.routing.kind !== 'simple')
    problems.push(`RRSet of type ${type} with DNS name ${name} cannot have a routing policy`);
  if (record.values.length > limits.valuesPerRecord)
    problems.push(`RRSet with DNS name ${name}, type ${type} has more than ${limits.valuesPerRecord} values`);
  if ((type === 'CNAME' || type === 'SOA') && record.values.length > 1)
    problems.push(`RRSet of type ${type} with DNS name ${name} can have only one value`);
  if (record.routing.kind === 'multivalue' && (record.alias !== undefined || record.values.length > 1))
    problems.push(`RRSet with DNS name ${name}, type ${type}: a multivalue answer has one value and is no alias`);
  problems.push(...valueProblems(record));
  if (record.routing.kind === 'cidr') {
    const { collectionId, location } = record.routing;
    if (!context.cidrLocationExists(collectionId, location))
      problems.push(
        `No CIDR location ${location} exists in the CIDR collection ${collectionId} (RRSet ${describe(record)})`,
      );
  }
  if (record.healthCheckId !== undefined && !context.healthCheckExists(record.healthCheckId))
    problems.push(`No health check exists with ID: ${record.healthCheckId} (RRSet ${describe(record)})`);
  return problems;
}

function valueProblems(record: RecordSet): readonly string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const value of record.values) {
    const parsed = parseValue(record.type, value);
    if ('problem' in parsed) {
      problems.push(parsed.problem);
      continue;
    }
    const same = JSON.stringify(parsed.data);
    if (seen.has(same)) problems.push(`Duplicate Resource Record: '${value}'`);
    seen.add(same);
  }
  return problems;
}

/** The problems of the record beside the records that the zone holds at this point of the batch. */
function neighbourProblems(draft: RecordDraft, record: RecordSet, context: BatchContext): readonly string[] {
  const { name, type } = record;
  const problems: string[] = [];
  const others = draft.atName(name).filter((other) => !sameKey(other, record));
  if (others.some((other) => other.type !== type && (other.type === 'CNAME' || type === 'CNAME')))
    problems.push(
      `RRSet of type ${type} with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${context.zone}`,
    );
  problems.push(
    ...groupProblems(
      record,
      others.filter((other) => other.type === type),
    ),
  );
  if (record.alias !== undefined) {
    const target = `Tried to create an alias that targets ${record.alias.name}, type ${type} in zone ${record.alias.hostedZoneId}`;
    if (record.alias.hostedZoneId !== context.zoneId)
      problems.push(`${target}, but only targets in the same hosted zone are emulated`);
    else if (!isWithin(record.alias.name, context.zone))
      problems.push(`${target}, but the alias target name does not lie within the target zone`);
    else if (type === 'NS' || type === 'SOA') problems.push(`${target}, but an alias cannot be of type ${type}`);
    else if (draft.group(record.alias.name, type).length === 0)
      problems.push(`${target}, but that target was not found`);
  }
  return problems;
}

function groupProblems(record: RecordSet, others: readonly RecordSet[]): readonly string[] {
  const { routing } = record;
  const what = `RRSet with DNS name ${record.name}, type ${record.type}, SetIdentifier ${record.setIdentifier ?? '-'}`;
  const different = others.find((other) => other.routing.kind !== routing.kind);
  if (different !== undefined)
    return [
      `${what}, cannot be created as a ${different.routing.kind} set exists with the same name and type (this one is ${routing.kind})`,
    ];
  if (routing.kind === 'simple') return [];
  if (others.length + 1 > limits.recordsPerGroup)
    return [
      `${what} exceeds the limit of ${limits.recordsPerGroup} ${routing.kind} records with the same name and type`,
    ];
  const clash = others.map((other) => clashOf(routing, other)).find((text) => text !== undefined);
  return clash === undefined ? [] : [`${what} ${clash}`];
}

/** Why a record of this routing cannot stand beside another of its group, as the rest of a sentence. */
function clashOf(routing: RecordSet['routing'], other: RecordSet): string | undefined {
  const named = `as SetIdentifier ${other.setIdentifier ?? '-'}`;
  if (routing.kind === 'geolocation' && other.routing.kind === 'geolocation') {
    const location = locationKey(routing.location);
    return location === locationKey(other.routing.location)
      ? `has the same geolocation (${location}) ${named}`
      : undefined;
  }
  if (routing.kind === 'cidr' && other.routing.kind === 'cidr') {
    if (routing.collectionId !== other.routing.collectionId)
      return 'cannot be created as a set of another CIDR collection exists with the same name and type';
    return routing.location === other.routing.location
      ? `has the same CIDR location (${routing.location}) ${named}`
      : undefined;
  }
  if (routing.kind === 'latency' && other.routing.kind === 'latency' && routing.region === other.routing.region)
    return `cannot be created as a latency set for the region ${routing.region} exists with the same name and type`;
  if (routing.kind === 'failover' && other.routing.kind === 'failover' && routing.role === other.routing.role)
    return `cannot be created as a ${routing.role} failover set exists with the same name and type`;
  return undefined;
}

/** The problems that show only when the whole batch is done. */
function finalProblems(draft: RecordDraft, changes: readonly Change[], context: BatchContext): readonly string[] {
  const all = draft.all();
  const depthOf = depthCounter(draft);
  const problems: string[] = [];
  if (all.length > context.recordQuota)
    problems.push(`The zone has reached its limit of ${context.recordQuota} records`);
  const deleted = new Set(changes.filter((change) => change.action === 'DELETE').map((change) => change.record.name));
  for (const record of all) {
    if (record.alias === undefined) continue;
    if (draft.group(record.alias.name, record.type).length === 0) {
      if (context.danglingAliases === 'left') continue;
      const why = deleted.has(record.alias.name) ? 'which this batch deletes' : 'which does not exist';
      problems.push(`The alias ${describe(record)} would target ${record.alias.name}, ${why}`);
    } else if (depthOf(record, limits.aliasLevels) > limits.aliasLevels) {
      problems.push(
        `The alias ${describe(record)} leads through more than ${limits.aliasLevels} levels (or in a circle) in zone ${context.zone}`,
      );
    }
  }
  return problems;
}

/**
 * Counts the levels from a record down to values, and stops just above `bound`, so that circles end. Each group is visited once
 * for each bound.
 */
function depthCounter(table: RecordTable): (record: RecordSet, bound: number) => number {
  const known = new Map<string, number>();
  const depthOf = (record: RecordSet, bound: number): number => {
    if (record.alias === undefined || bound === 0) return 1;
    const key = `${record.alias.name} ${record.type} ${bound}`;
    const below =
      known.get(key) ??
      Math.max(0, ...table.group(record.alias.name, record.type).map((target) => depthOf(target, bound - 1)));
    known.set(key, below);
    return 1 + below;
  };
  return depthOf;
}

/** True when Route 53 takes the code in a GeoLocation: its own list of countries, or `*`. */
export function isKnownCountry(code: string): boolean {
  return code === '*' || continentOf(code) !== undefined;
}

/** True when Route 53 takes the code as a SubdivisionCode of the country: states of the US, and the District of Columbia. */
export function isKnownSubdivision(country: string, code: string): boolean {
  return stateOf(`${country}-${code}`) !== undefined;
}
