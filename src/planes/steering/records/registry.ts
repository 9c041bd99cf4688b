import { contentName } from './hash.ts';
import { formatRecord, type RecordSet } from './record.ts';
import { registryName } from './tree.ts';

/**
 * The generation record of a zone, a TXT record set at `_tideline.<zone>`: which hosts we own, how often we wrote, and a
 * digest of what we wrote last. Every batch swaps it, so a writer that read an older generation fails.
 */
export interface Registry {
  readonly generation: number;
  /** `digestOf` the owned records after the last batch of a plan; `unfinished` between batches. */
  readonly digest: string;
  readonly hosts: readonly string[];
}

export const emptyRegistry: Registry = { generation: 0, digest: 'none', hosts: [] };

const ttlSeconds = 60;

export function registryRecord(zone: string, registry: Registry): RecordSet {
  const head = `"tideline v=1 generation=${registry.generation} digest=${registry.digest}"`;
  const values = [head, ...[...registry.hosts].sort().map((host) => `"host=${host}"`)];
  return { name: registryName(zone), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

/** Undefined when the record is not in our form. */
export function parseRegistry(record: RecordSet): Registry | undefined {
  if (record.target.kind !== 'values') return undefined;
  const texts = record.target.values.map((value) => value.replaceAll('"', ''));
  const heads = texts.flatMap((text) => /^tideline v=1 generation=(\d+) digest=([a-z0-9]+)$/.exec(text) ?? []);
  const [, generation, digest] = heads;
  if (heads.length !== 3 || generation === undefined || digest === undefined) return undefined;
  const hosts = texts.flatMap((text) => /^host=(\S+)$/.exec(text)?.[1] ?? []);
  if (hosts.length !== texts.length - 1) return undefined;
  return { generation: Number(generation), digest, hosts: hosts.sort() };
}

export function digestOf(records: readonly RecordSet[]): string {
  return contentName(records.map(formatRecord).sort().join('\n'));
}
