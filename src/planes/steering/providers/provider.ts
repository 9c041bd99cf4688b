import type { RecordSet } from '../../../answers/record.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Collection } from '../compile/collections.ts';
import type { CountingCheck } from '../compile/counting.ts';
import type { HealthCheck } from '../compile/entries.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { Batch } from '../records/batches.ts';
import type { CheckUpdate, HeldCheck, UnprovenCheck } from '../records/checks.ts';
import type { HeldCollections } from '../records/collections.ts';
import type { Quotas } from '../records/quota.ts';

/** A zone as the provider holds it now. Its records name health checks of ours by key. */
export interface ZoneState {
  readonly zone: string;
  /** The provider's own identifier of the zone. */
  readonly zoneId: string;
  readonly records: readonly RecordSet[];
  /** Our health checks of this zone, by key. */
  readonly healthChecks: ReadonlyMap<string, HeldCheck>;
  /** The health checks of the account that are not ours in this zone, by the key that records name them with. Absent where there are none. */
  readonly otherHealthChecks?: ReadonlyMap<string, OtherCheck>;
  /** Identifiers of health checks of ours that have the key of another one. */
  readonly strayHealthChecks: readonly string[];
  /** Identifiers of health checks of ours that the generation record says are unused; they are in no other list. */
  readonly retiredHealthChecks: readonly string[];
  /** The collections of networks; absent where the provider has none, and where neither the zone nor who asked names networks. */
  readonly collections?: HeldCollections;
  /**
   * How far the clock of this machine is ahead of the provider's, in milliseconds; negative when it is behind. Absent when they agree to
   * some minutes, and where the provider does not tell its time.
   */
  readonly clockAheadMs?: number;
}

/** A health check of somebody else. */
export interface OtherCheck extends Pick<HeldCheck, 'id'> {
  readonly settings: Pick<HeldCheck['settings'], 'disabled' | 'inverted'>;
  /** False where the provider tells nobody what the check sees, as of one that is calculated from others. */
  readonly isTold: boolean;
  /** Of a check that is calculated from others: the keys of these, and how many of them must count as healthy. */
  readonly calculated?: { readonly children: readonly string[]; readonly threshold: number };
}

/** Reads zones, for `plan` and `explain`: its transport refuses every request that could write. */
/** What a zone uses of an account. */
export interface UsedOfAccount {
  readonly checks: readonly (HealthCheck | CountingCheck)[];
  /** Whether hosts are answered by networks, and not by countries alone. */
  readonly networks: boolean;
}

export interface ZoneReader {
  readonly name: ProviderName;
  /**
   * Throws ZoneMissing, ProviderRefused or ProviderUnreachable. Collections are told where the zone names networks; with `networks` in any
   * case.
   */
  read(zone: string, asked?: { readonly networks: boolean }): Promise<ZoneState>;
  /**
   * What the account and the zone may hold and hold, and what is used of it costs. Resolves with undefined when the provider does not
   * say; absent where there are no quotas.
   */
  readQuotas?(state: ZoneState, used: UsedOfAccount): Promise<Quotas | undefined>;
  /**
   * What the provider's checkers say now of the endpoints of checks with these keys, ours or others': true for healthy. It leaves out what
   * it cannot tell soon, and never rejects. Whether a check counts so is told by its settings, which may invert it. Absent when the API of the provider does not tell the health of anything.
   */
  readHealth?(state: ZoneState, keys: readonly string[]): Promise<ReadonlyMap<string, boolean>>;
}

/**
 * Writes zones; the methods are called in their order here. Every write of records is one atomic batch that swaps the
 * generation record; a batch made from an older generation is refused with StaleGeneration and changes nothing.
 */
export interface ZoneProvider extends ZoneReader {
  /** Creates those of the checks that are missing, a check that counts others after these; safe to repeat. Resolves with the identifiers of these checks, by key. */
  createHealthChecks(
    state: ZoneState,
    checks: readonly (HealthCheck | CountingCheck)[],
    generation: number,
  ): Promise<ReadonlyMap<string, string>>;
  /**
   * Makes and fills those of the collections that are missing; safe to repeat. Resolves with the identifiers of all, by key. Absent where the
   * provider has no collections.
   */
  createCollections?(
    state: ZoneState,
    collections: readonly Collection[],
    generation: number,
  ): Promise<ReadonlyMap<string, string>>;
  /**
   * Resolves when the provider knows whether the endpoints of these checks are healthy. Throws HealthUnknown when it does not
   * say so in time, and HealthDisagrees when a check fails while a check that it replaces succeeds.
   */
  awaitHealth(checks: readonly (UnprovenCheck & { readonly id: string })[]): Promise<void>;
  /**
   * Changes settings of checks in place. Throws StaleGeneration, and changes nothing more, when `registry` is no longer the
   * generation record of the zone, or somebody changed a check since it was read.
   */
  updateHealthChecks(state: ZoneState, updates: readonly CheckUpdate[], registry: RecordSet | undefined): Promise<void>;
  /**
   * Writes one batch; resolves when every name server of the provider answers with it. `ids` has those of old and new health checks and collections,
   * by key.
   */
  applyBatch(state: ZoneState, batch: Batch, ids: ReadonlyMap<string, string>): Promise<void>;
  /**
   * Deletes those of our checks `ids` that the generation record, read again, lists as retired and that no record uses. Called
   * before everything else, because new checks may need the room.
   */
  deleteHealthChecks(state: ZoneState, ids: readonly string[]): Promise<void>;
  /** The same of collections. */
  deleteCollections?(state: ZoneState, ids: readonly string[]): Promise<void>;
}

/** How a command reaches a provider. Its needs are data, so that a command reads them for all providers alike. */
export interface ProviderAccess {
  /** The environment variables that it reads; secrets come from there only. */
  readonly variables: { readonly required: readonly string[]; readonly optional: readonly string[] };
  /** The command-line option for the address of its API, and the environment variable that says the same where the client reads none. */
  readonly url: {
    readonly flags: string;
    readonly variable?: string;
    readonly description: string;
    readonly preset?: string;
  };
  /** A reader whose transport cannot write. */
  reader(connection: ConnectionOptions): Promise<ZoneReader>;
  provider(connection: ConnectionOptions): Promise<ZoneProvider>;
}

/** Asked before a request leaves this process: throws a SteeringError when it must not. */
export type Gate = (request: 'read' | 'write') => void;

/** What a client of a provider is made with. */
export interface ConnectionOptions {
  /** Address of the API; absent for the provider's own. */
  readonly url?: string;
  /** Values of the environment variables by name; every required one is there. */
  readonly variables: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** Returns a random number in [0, 1). */
  readonly random: () => number;
  /** Called before each request; it throws what forbids it. Absent where nothing does. */
  readonly gate?: Gate;
  /** For so long a call that fails is repeated; absent for as long as a plan waits. */
  readonly patienceMs?: number;
  /** Is told, as one line for people, each time that a call is to be repeated, and why. */
  readonly onRetry?: (line: string) => void;
  /** Is told, as one line for people, what a writer waits for and how far it is. */
  readonly onWait?: (line: string) => void;
}
