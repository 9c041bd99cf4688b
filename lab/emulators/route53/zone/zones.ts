import type { Clock, Timer } from '../../../../src/runtime/clock.ts';
import { ApiError, invalidInput } from '../reasons.ts';
import type { BatchContext } from './batch.ts';
import { parentOf } from './names.ts';
import type { RecordSet } from './record.ts';
import { RecordDraft, type RecordTable } from './table.ts';

export interface HostedZone {
  readonly id: string;
  /** The canonical name (names.ts). */
  readonly name: string;
  readonly callerReference: string;
  readonly comment: string | undefined;
  /** The records that the API shows, with the changes that are still PENDING. */
  readonly table: RecordTable;
  /** The records that DNS answers from; changes arrive here when they are INSYNC. */
  readonly published: RecordTable;
}

export interface ChangeInfo {
  readonly id: string;
  readonly status: 'PENDING' | 'INSYNC';
  /** When the change was submitted, milliseconds since the epoch. */
  readonly submittedAt: number;
  readonly comment: string | undefined;
}

export interface ZonesOptions {
  readonly clock: Clock;
  /** The time from the answer to a change until the change is INSYNC. */
  readonly insyncDelayMs: number;
  /** How far behind INSYNC the slowest name server answers; so long former records are kept. */
  readonly longestLagMs?: number;
  /** Makes a new id with the given first letter, such as Z or C. */
  readonly newId: (letter: string) => string;
  readonly onInsync?: (zone: string, changeId: string) => void;
  /** How many records a zone may have. */
  readonly recordQuota: number;
  /** How many zones the account may have. */
  readonly zoneQuota: number;
  readonly danglingAliases: BatchContext['danglingAliases'];
}

export const nameServers = [1, 2, 3, 4].map((number) => `ns-${number}.route53-emulator.example.`);

/** This many changes are remembered; older ones are forgotten. */
const changesKept = 10_000;

/** The account's hosted zones and changes. */
export class Zones {
  readonly #options: ZonesOptions;
  readonly #byId = new Map<string, HostedZone>();
  readonly #byName = new Map<string, string>();
  readonly #references = new Set<string>();
  readonly #changes = new Map<string, ChangeInfo>();
  /** The change that is PENDING in each zone, by zone id. */
  readonly #inFlight = new Map<string, string>();
  readonly #timers = new Set<Timer>();
  /** What each zone published and when, the newest last; by zone id. */
  readonly #published = new Map<string, readonly { readonly atMs: number; readonly table: RecordTable }[]>();

  constructor(options: ZonesOptions) {
    this.#options = options;
  }

  get recordQuota(): number {
    return this.#options.recordQuota;
  }

  get zoneQuota(): number {
    return this.#options.zoneQuota;
  }

  get danglingAliases(): BatchContext['danglingAliases'] {
    return this.#options.danglingAliases;
  }

  create(
    name: string,
    callerReference: string,
    comment?: string,
  ): { readonly zone: HostedZone; readonly change: ChangeInfo } {
    if (this.#references.has(callerReference))
      throw new ApiError('HostedZoneAlreadyExists', `A hosted zone was already created with ${callerReference}.`);
    if (this.#byName.has(name)) throw invalidInput(`a second hosted zone of the same name is not emulated: ${name}`);
    if (this.#byId.size >= this.zoneQuota)
      throw new ApiError('TooManyHostedZones', `The account has reached its limit of ${this.zoneQuota} hosted zones.`);
    const table = new RecordDraft();
    for (const record of apexRecords(name)) table.put(record);
    const id = this.#options.newId('Z');
    const zone: HostedZone = { id, name, callerReference, comment, table, published: table };
    this.#byId.set(id, zone);
    this.#publish(zone);
    this.#byName.set(name, id);
    this.#references.add(callerReference);
    return { zone, change: this.#newChange(undefined, undefined) };
  }

  require(id: string): HostedZone {
    const zone = this.#byId.get(id);
    if (zone === undefined) throw new ApiError('NoSuchHostedZone', `No hosted zone found with ID: ${id}`);
    return zone;
  }

  list(): readonly HostedZone[] {
    return [...this.#byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The zone that a name is in, the one with the longest matching name, as a name server answers it that is `lagMs` behind. */
  zoneOf(name: string, lagMs = 0): HostedZone | undefined {
    for (let at: string | undefined = name; at !== undefined; at = parentOf(at)) {
      const zone = this.#byId.get(this.#byName.get(at) ?? '');
      if (zone !== undefined) return lagMs === 0 ? zone : { ...zone, published: this.#publishedBefore(zone, lagMs) };
    }
    return undefined;
  }

  #publishedBefore({ id, published }: HostedZone, lagMs: number): RecordTable {
    const untilMs = this.#options.clock.monotonic() - lagMs;
    const past = this.#published.get(id) ?? [];
    return (past.findLast(({ atMs }) => atMs <= untilMs) ?? past[0])?.table ?? published;
  }

  /** Remembers what a zone publishes from now on, and forgets what even the slowest name server has left behind. */
  #publish({ id, table }: HostedZone): void {
    const { clock, longestLagMs = 0 } = this.#options;
    const past = this.#published.get(id) ?? [];
    const oldest = past.findLastIndex(({ atMs }) => atMs <= clock.monotonic() - longestLagMs);
    this.#published.set(id, [...past.slice(Math.max(0, oldest)), { atMs: clock.monotonic(), table }]);
  }

  /** Throws while the previous change of the zone is PENDING. */
  requireIdle(id: string): void {
    if (this.#inFlight.has(id))
      throw new ApiError(
        'PriorRequestNotComplete',
        `The request was rejected because a change of ${id} is still PENDING.`,
      );
  }

  /** Takes a zone's new records; DNS sees them when the change is INSYNC. */
  commit(id: string, table: RecordTable, comment: string | undefined): ChangeInfo {
    const zone = this.require(id);
    this.#byId.set(id, { ...zone, table });
    return this.#newChange(id, comment);
  }

  requireChange(id: string): ChangeInfo {
    const change = this.#changes.get(id);
    if (change === undefined) throw new ApiError('NoSuchChange', `Could not find resource with ID: ${id}`);
    return change;
  }

  /** The change that is PENDING in a zone. */
  pendingChange(id: string): string | undefined {
    return this.#inFlight.get(id);
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #newChange(zoneId: string | undefined, comment: string | undefined): ChangeInfo {
    const { clock, newId, insyncDelayMs } = this.#options;
    const change: ChangeInfo = { id: newId('C'), status: 'PENDING', submittedAt: clock.now(), comment };
    this.#changes.set(change.id, change);
    const oldest = this.#changes.keys().next().value;
    if (this.#changes.size > changesKept && oldest !== undefined) this.#changes.delete(oldest);
    if (zoneId !== undefined) this.#inFlight.set(zoneId, change.id);
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      this.#complete(zoneId, change);
    }, insyncDelayMs);
    this.#timers.add(timer);
    return change;
  }

  #complete(zoneId: string | undefined, change: ChangeInfo): void {
    this.#changes.set(change.id, { ...change, status: 'INSYNC' });
    const zone = zoneId === undefined ? undefined : this.#byId.get(zoneId);
    if (zone === undefined) return;
    this.#inFlight.delete(zone.id);
    this.#byId.set(zone.id, { ...zone, published: zone.table });
    this.#publish(zone);
    this.#options.onInsync?.(zone.name, change.id);
  }
}

/** A new zone's NS and SOA, with Route 53's TTLs and numbers. */
function apexRecords(name: string): readonly RecordSet[] {
  const common = { name, setIdentifier: undefined, routing: { kind: 'simple' }, alias: undefined } as const;
  const soa = `${nameServers[0] ?? ''} awsdns-hostmaster.route53-emulator.example. 1 7200 900 1209600 86400`;
  return [
    { ...common, type: 'NS', ttl: 172_800, values: nameServers, healthCheckId: undefined },
    { ...common, type: 'SOA', ttl: 900, values: [soa], healthCheckId: undefined },
  ];
}
