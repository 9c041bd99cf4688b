import type { RecordSet } from '../../../answers/record.ts';
import type { Change } from './change.ts';
import { contentName } from './hash.ts';

/**
 * Which hosts of a zone are ours: each has a TXT record at `_host-<hash of the host>._tideline.<zone>` whose value is the host. It is
 * created and deleted in the batch that swaps the answers of the host, so that a zone may have more hosts than one record can list.
 */
export interface HostRecords {
  readonly byHost: ReadonlyMap<string, RecordSet>;
  /** Records at such names whose value is not the host of that name: they say nothing. */
  readonly unreadable: readonly RecordSet[];
}

export const noHostRecords: HostRecords = { byHost: new Map(), unreadable: [] };

const label = '_host-';
const ttlSeconds = 60;

/** True for the name of a host record, whatever its value. */
export function isHostRecord(zone: string, name: string): boolean {
  return name.startsWith(label) && name.endsWith(`._tideline.${zone}`);
}

export function hostRecord(zone: string, host: string): RecordSet {
  const target = { kind: 'values', ttlSeconds, values: [`"${host}"`] } as const;
  return { name: nameOf(zone, host), type: 'TXT', target };
}

export function hostRecordsOf(zone: string, records: readonly RecordSet[]): HostRecords {
  const byHost = new Map<string, RecordSet>();
  const unreadable: RecordSet[] = [];
  for (const record of records) {
    if (record.type !== 'TXT' || !isHostRecord(zone, record.name)) continue;
    const host = hostOf(zone, record);
    if (host === undefined) unreadable.push(record);
    else byHost.set(host, record);
  }
  return { byHost, unreadable };
}

function hostOf(zone: string, { name, target }: RecordSet): string | undefined {
  const values = target.kind === 'values' ? target.values : [];
  const [host] = values.map((value) => value.replaceAll('"', ''));
  return values.length === 1 && host !== undefined && name === nameOf(zone, host) ? host : undefined;
}

/** What makes a host ours; a record at that name that says nothing makes way. */
export function listing(zone: string, host: string, { unreadable }: HostRecords): readonly Change[] {
  const record = hostRecord(zone, host);
  const others = unreadable.filter(({ name }) => name === record.name);
  return [...others.map((one): Change => ({ action: 'DELETE', record: one })), { action: 'CREATE', record }];
}

const nameOf = (zone: string, host: string): string => `${label}${contentName(host)}._tideline.${zone}`;
