import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import { compareText } from '../../../model/values.ts';
import { SteeringError } from '../reasons.ts';
import { contentName } from './hash.ts';

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
}

/** The registry of a zone that we never wrote. */
export const emptyRegistry: Registry = { generation: 0, digest: 'none', hosts: [] };

const unfinished = 'unfinished';
const ttlSeconds = 60;

/** The name of the zone's generation record. */
function registryName(zone: string): string {
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
 * True for records that we may change: those below the registry, and answers (records of `answerTypes`) of hosts that it lists.
 */
export function isOwned(
  record: RecordSet,
  zone: string,
  registry: Registry,
  answerTypes: ReadonlySet<string>,
): boolean {
  const isAnswer = answerTypes.has(record.type) && registry.hosts.includes(record.name);
  return isAnswer || isBelowRegistry(zone, record.name);
}

/** The zone's generation record as it stands; undefined before the first write. */
export function findRegistry(zone: string, records: readonly RecordSet[]): RecordSet | undefined {
  return records.find(({ name, type }) => name === registryName(zone) && type === 'TXT');
}

/** What a generation record says; throws UnreadableRegistry when it is not in our form. */
export function readRegistry(record: RecordSet): Registry {
  const registry = parseRegistry(record);
  if (registry !== undefined) return registry;
  throw new SteeringError('UnreadableRegistry', `${record.name} ${record.type} is not a generation record`);
}

export function registryRecord(zone: string, registry: Registry): RecordSet {
  const head = `${headStart}${registry.generation} digest=${registry.digest}"`;
  const values = [head, ...[...registry.hosts].sort().map((host) => `"host=${host}"`)];
  return { name: registryName(zone), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

const headStart = '"tideline v=1 generation=';

/**
 * Orders the values of the generation record as we write them (the head first, then by text), whatever order the provider
 * returns.
 */
export function compareRegistryValues(a: string, b: string): number {
  const rank = (text: string): number => (text.startsWith('"tideline ') ? 0 : 1);
  return rank(a) - rank(b) || compareText(a, b);
}

/** The generation that the next batch writes. */
export function nextGeneration(registry: Registry): number {
  return registry.generation + 1;
}

/** What the registry says after the last batch of a plan, which wrote these records for these hosts. */
export function finishedRegistry(
  generation: number,
  records: readonly RecordSet[],
  hosts: readonly string[],
): Registry {
  return { generation, digest: digestOf(records), hosts: [...hosts].sort() };
}

/** What the registry says between two batches of a plan. */
export function unfinishedRegistry(generation: number, hosts: readonly string[]): Registry {
  return { generation, digest: unfinished, hosts: [...hosts].sort() };
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

function parseRegistry(record: RecordSet): Registry | undefined {
  if (record.target.kind !== 'values') return undefined;
  const texts = record.target.values.map((value) => value.replaceAll('"', ''));
  const heads = texts.flatMap((text) => /^tideline v=1 generation=(\d+) digest=([a-z0-9]+)$/.exec(text) ?? []);
  const [, generation, digest] = heads;
  if (heads.length !== 3 || generation === undefined || digest === undefined) return undefined;
  const hosts = texts.flatMap((text) => /^host=(\S+)$/.exec(text)?.[1] ?? []);
  if (hosts.length !== texts.length - 1) return undefined;
  return { generation: Number(generation), digest, hosts: hosts.sort() };
}

function digestOf(records: readonly RecordSet[]): string {
  return contentName(records.map(formatRecord).sort().join('\n'));
}
