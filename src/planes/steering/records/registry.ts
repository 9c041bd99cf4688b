import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import { SteeringError } from '../reasons.ts';
import { contentName } from './hash.ts';
import { type HostRecords, hostRecordsOf, isHostRecord, noHostRecords } from './host-records.ts';
import { parseRetired, type Retired, retiredValues } from './retired.ts';

/**
 * What the generation record says, a TXT record set at `_tideline.<zone>`: how often we wrote the zone, and a digest of what we wrote last.
 * Every batch swaps it, so a writer that read an older generation fails.
 */
export interface Head {
  readonly generation: number;
  /** `digestOf` the owned records after the last batch of a plan; `unfinished` between two batches. */
  readonly digest: string;
  /** The health checks that no record uses any more and that are to be deleted. */
  readonly retired: readonly Retired[];
}

/** What is ours in a zone: all names below the generation record, and the answers of `hosts`. */
export interface Registry extends Head {
  /** Hosts of ours that have no host record yet, sorted: a release that had none listed them in the generation record. */
  readonly listed: readonly string[];
  /** The hosts that we own, sorted: those with a host record, and those that the generation record lists. */
  readonly hosts: readonly string[];
  readonly hostRecords: HostRecords;
}

/** The registry of a zone that we never wrote. */
export const emptyRegistry: Registry = {
  generation: 0,
  digest: 'none',
  listed: [],
  retired: [],
  hosts: [],
  hostRecords: noHostRecords,
};

const unfinished = 'unfinished';
const ttlSeconds = 60;

/** The name of the zone's generation record. */
export function registryName(zone: string): string {
  return `_tideline.${zone}`;
}

/** A name of ours in the zone: `paris.video._tideline.video.example` of `paris`, `video`. */
export function ownedName(zone: string, ...labels: readonly string[]): string {
  return [...labels, registryName(zone)].join('.');
}

/** True for names below the registry, which are ours whatever the generation record says. */
export function isBelowRegistry(zone: string, name: string): boolean {
  return name.endsWith(`.${registryName(zone)}`);
}

/** What makes a record one that plans make: those below the registry but for notes and host records, and answers (records of `answerTypes`) of hosts. */
export function ownership(
  zone: string,
  { hosts }: Pick<Registry, 'hosts'>,
  answerTypes: ReadonlySet<string>,
): (record: RecordSet) => boolean {
  const ours = new Set(hosts);
  return ({ name, type }) =>
    (answerTypes.has(type) && ours.has(name)) ||
    (isBelowRegistry(zone, name) && !isNote(zone, name) && !isHostRecord(zone, name));
}

/**
 * True for the names of our notes, which say what was applied: they are no part of what a plan wants, of the digest or of drift. Their
 * first label starts with an underscore.
 */
export function isNote(zone: string, name: string): boolean {
  return name.startsWith('_') && isBelowRegistry(zone, name) && !isHostRecord(zone, name);
}

/** The zone's generation record as it stands; undefined before the first write. */
export function findRegistry(zone: string, records: readonly RecordSet[]): RecordSet | undefined {
  return records.find(({ name, type }) => name === registryName(zone) && type === 'TXT');
}

/**
 * What is ours in a zone; throws UnreadableRegistry when its generation record is not in our form, or is gone while host records are left.
 */
export function registryOf(zone: string, records: readonly RecordSet[]): Registry {
  const hostRecords = hostRecordsOf(zone, records);
  const record = findRegistry(zone, records);
  if (record === undefined && hostRecords.byHost.size === 0) return { ...emptyRegistry, hostRecords };
  const head = record === undefined ? undefined : parseHead(record);
  if (head !== undefined) return withHosts(head, hostRecords);
  const what = record === undefined ? 'is gone, though hosts of ours are left' : 'is not a generation record';
  throw new SteeringError(
    'UnreadableRegistry',
    `${registryName(zone)} TXT ${what}; make it anew with \`tideline steering restore FOLDER\``,
  );
}

function withHosts(head: Listing, hostRecords: HostRecords): Registry {
  const listed = head.listed.filter((host) => !hostRecords.byHost.has(host));
  return { ...head, listed, hosts: [...listed, ...hostRecords.byHost.keys()].sort(), hostRecords };
}

export function registryRecord(zone: string, { generation, digest, retired }: Head): RecordSet {
  const values = [`${headStart}${generation} digest=${digest}"`, ...retiredValues(retired)];
  return { name: registryName(zone), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

/** Version 1 had no host records: the generation record listed all hosts. A release that writes it does not read version 2. */
const headStart = '"tideline v=2 generation=';

/** The generation record between two batches that make it anew: in no form that a plan could start from, until the last is done. */
export function unrestoredRecord(zone: string, generation: number): RecordSet {
  return {
    name: registryName(zone),
    type: 'TXT',
    target: { kind: 'values', ttlSeconds, values: [`${headStart}${generation}"`] },
  };
}

/** The generation that the next batch writes. */
export function nextGeneration(registry: Pick<Head, 'generation'>): number {
  return registry.generation + 1;
}

/** What the generation record says after the last batch of a plan, which wrote these records. */
export function finishedHead(
  generation: number,
  records: readonly RecordSet[],
  retired: readonly Retired[] = [],
): Head {
  return { generation, digest: digestOf(records), retired };
}

/** What the generation record says between two batches of a plan. */
export function unfinishedHead(generation: number, retired: readonly Retired[] = []): Head {
  return { generation, digest: unfinished, retired };
}

/** True between two batches of a plan: nobody can tell then what should be there. */
export function isUnfinished({ digest }: Head): boolean {
  return digest === unfinished;
}

/** True when the owned records are not those that the registry's generation wrote. */
export function isDrifted(registry: Head, owned: readonly RecordSet[]): boolean {
  if (registry.generation === 0 || isUnfinished(registry)) return false;
  return registry.digest !== digestOf(owned);
}

/** What a generation record of version 1 says besides. */
export type Listing = Head & Pick<Registry, 'listed'>;

/** What a generation record says, of this version or of version 1; undefined when it is not in our form. */
export function parseHead(record: RecordSet): Listing | undefined {
  if (record.target.kind !== 'values') return undefined;
  const texts = record.target.values.map((value) => value.replaceAll('"', ''));
  const heads = texts.flatMap((text) => /^tideline v=[12] generation=(\d+) digest=([a-z0-9]+)$/.exec(text) ?? []);
  const [, generation, digest] = heads;
  if (heads.length !== 3 || generation === undefined || digest === undefined) return undefined;
  const listed = texts.flatMap((text) => /^host=(\S+)$/.exec(text)?.[1] ?? []);
  const retired = texts.flatMap((text) => {
    const members = parseRetired(text);
    return members === undefined ? [] : [members];
  });
  if (listed.length + retired.length !== texts.length - 1) return undefined;
  return { generation: Number(generation), digest, listed: listed.sort(), retired: retired.flat() };
}

/** What is left of a damaged generation record; undefined when nothing in it is of ours. */
export function remainsOf({ target }: RecordSet): Pick<Listing, 'generation' | 'listed'> | undefined {
  const texts = target.kind === 'values' ? target.values.map((value) => value.replaceAll('"', '')) : [];
  const generations = texts.flatMap((text) => /^tideline v=\d+ generation=(\d{1,15})\b/.exec(text)?.[1] ?? []);
  const hosts = texts.flatMap((text) => /^host=(\S+)$/.exec(text)?.[1] ?? []);
  if (generations.length + hosts.length === 0) return undefined;
  return { generation: Math.max(0, ...generations.map(Number)), listed: [...new Set(hosts)].sort() };
}

function digestOf(records: readonly RecordSet[]): string {
  return contentName(records.map(formatRecord).sort().join('\n'));
}
