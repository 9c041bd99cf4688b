import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import { SteeringError } from '../reasons.ts';
import { contentName } from './hash.ts';
import { parseRetired, type Retired, retiredValues } from './retired.ts';

/**
 * Which hosts of a zone are ours, and how often we wrote the zone. The generation record, a TXT record set at
 * `_tideline.<zone>`, says which hosts we own, how often we wrote, and a digest of what we wrote last. Every batch swaps it, so
 * a writer that read an older generation fails. Names below it are ours; so are the answers of the hosts that it lists.
 */
export interface Registry {
  readonly generation: number;
  /** `digestOf` the owned records after the last batch of a plan; `unfinished` between two batches. */
  readonly digest: string;
  /** The hosts that we own, sorted. */
  readonly hosts: readonly string[];
  /** The health checks that no record uses any more and that are to be deleted. */
  readonly retired: readonly Retired[];
}

/** The registry of a zone that we never wrote. */
export const emptyRegistry: Registry = { generation: 0, digest: 'none', hosts: [], retired: [] };

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

/**
 * True for records that plans make: those below the registry but for notes, and answers (records of `answerTypes`) of hosts that it lists.
 */
export function isOwned(
  record: RecordSet,
  zone: string,
  registry: Registry,
  answerTypes: ReadonlySet<string>,
): boolean {
  const isAnswer = answerTypes.has(record.type) && registry.hosts.includes(record.name);
  return isAnswer || (isBelowRegistry(zone, record.name) && !isNote(zone, record.name));
}

/**
 * True for the names of our notes, which say what was applied: they are no part of what a plan wants, of the digest or of drift. Their
 * first label starts with an underscore.
 */
export function isNote(zone: string, name: string): boolean {
  return name.startsWith('_') && isBelowRegistry(zone, name);
}

/** The zone's generation record as it stands; undefined before the first write. */
export function findRegistry(zone: string, records: readonly RecordSet[]): RecordSet | undefined {
  return records.find(({ name, type }) => name === registryName(zone) && type === 'TXT');
}

/** What a generation record says; throws UnreadableRegistry when it is not in our form. */
export function readRegistry(record: RecordSet): Registry {
  const registry = parseRegistry(record);
  if (registry !== undefined) return registry;
  throw new SteeringError(
    'UnreadableRegistry',
    `${record.name} ${record.type} is not a generation record; make it anew with \`tideline steering restore FOLDER\``,
  );
}

export function registryRecord(zone: string, registry: Registry): RecordSet {
  const head = `${headStart}${registry.generation} digest=${registry.digest}"`;
  const hosts = [...registry.hosts].sort().map((host) => `"host=${host}"`);
  const values = [head, ...hosts, ...retiredValues(registry.retired)];
  return { name: registryName(zone), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

const headStart = '"tideline v=1 generation=';

/** The generation that the next batch writes. */
export function nextGeneration(registry: Registry): number {
  return registry.generation + 1;
}

/** What the registry says after the last batch of a plan, which wrote these records for these hosts. */
export function finishedRegistry(
  generation: number,
  records: readonly RecordSet[],
  hosts: readonly string[],
  retired: readonly Retired[] = [],
): Registry {
  return { generation, digest: digestOf(records), hosts: [...hosts].sort(), retired };
}

/** What the registry says between two batches of a plan. */
export function unfinishedRegistry(
  generation: number,
  hosts: readonly string[],
  retired: readonly Retired[] = [],
): Registry {
  return { generation, digest: unfinished, hosts: [...hosts].sort(), retired };
}

/** True when both list the same hosts and the same records were written under them. */
export function sameContent(a: Registry, b: Registry): boolean {
  return a.digest === b.digest && a.hosts.join() === b.hosts.join();
}

/** True when the owned records are not those that the registry's generation wrote. */
export function isDrifted(registry: Registry, owned: readonly RecordSet[]): boolean {
  if (registry.generation === 0 || registry.digest === unfinished) return false;
  return registry.digest !== digestOf(owned);
}

/**
 * Throws TooManyRecords when the generation record, one value for its head and one for each host, exceeds the provider's limit
 * `values`.
 */
export function refuseTooManyHosts(zone: string, hosts: number, values: number): void {
  if (hosts < values) return;
  throw new SteeringError(
    'TooManyRecords',
    `the zone ${zone} has ${hosts} hosts, its generation record holds ${values - 1}`,
  );
}

/** What a generation record says; undefined when it is not in our form. */
export function parseRegistry(record: RecordSet): Registry | undefined {
  if (record.target.kind !== 'values') return undefined;
  const texts = record.target.values.map((value) => value.replaceAll('"', ''));
  const heads = texts.flatMap((text) => /^tideline v=1 generation=(\d+) digest=([a-z0-9]+)$/.exec(text) ?? []);
  const [, generation, digest] = heads;
  if (heads.length !== 3 || generation === undefined || digest === undefined) return undefined;
  const hosts = texts.flatMap((text) => /^host=(\S+)$/.exec(text)?.[1] ?? []);
  const retired = texts.flatMap((text) => {
    const members = parseRetired(text);
    return members === undefined ? [] : [members];
  });
  if (hosts.length + retired.length !== texts.length - 1) return undefined;
  return { generation: Number(generation), digest, hosts: hosts.sort(), retired: retired.flat() };
}

/** What is left of a damaged generation record; undefined when nothing in it is of ours. */
export function remainsOf({ target }: RecordSet): Pick<Registry, 'generation' | 'hosts'> | undefined {
  const texts = target.kind === 'values' ? target.values.map((value) => value.replaceAll('"', '')) : [];
  const generations = texts.flatMap((text) => /^tideline v=\d+ generation=(\d{1,15})\b/.exec(text)?.[1] ?? []);
  const hosts = texts.flatMap((text) => /^host=(\S+)$/.exec(text)?.[1] ?? []);
  if (generations.length + hosts.length === 0) return undefined;
  return { generation: Math.max(0, ...generations.map(Number)), hosts: [...new Set(hosts)].sort() };
}

function digestOf(records: readonly RecordSet[]): string {
  return contentName(records.map(formatRecord).sort().join('\n'));
}
