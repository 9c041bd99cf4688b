import type { RecordSet } from '../../../answers/record.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { HealthCheck } from '../compile/entries.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { Batch } from '../records/batches.ts';

/** A zone as the provider holds it now. Its records name health checks of ours by key. */
export interface ZoneState {
  readonly zone: string;
  /** The provider's own identifier of the zone. */
  readonly zoneId: string;
  readonly records: readonly RecordSet[];
  /** Our health checks of this zone: the provider's identifier, by key. */
  readonly healthChecks: ReadonlyMap<string, string>;
  /** Identifiers of health checks of ours that are useless: somebody changed their settings, or they are duplicates. */
  readonly strayHealthChecks: readonly string[];
}

/** Reads zones, for `plan` and `explain`: its transport refuses every request that could write. */
export interface ZoneReader {
  readonly name: ProviderName;
  /** Throws ZoneMissing, ProviderRefused or ProviderUnreachable. */
  read(zone: string): Promise<ZoneState>;
}

/**
 * Writes zones; the methods are called in their order here. Every write of records is one atomic batch that swaps the
 * generation record; a batch made from an older generation is refused with StaleGeneration and changes nothing.
 */
export interface ZoneProvider extends ZoneReader {
  /** Creates those of the checks that are missing; safe to repeat. Resolves with the identifiers of these checks, by key. */
  createHealthChecks(
    state: ZoneState,
    checks: readonly HealthCheck[],
    generation: number,
  ): Promise<ReadonlyMap<string, string>>;
  /**
   * Writes one batch; resolves when every name server of the provider answers with it. `healthCheckIds` has old and new ones,
   * by key.
   */
  applyBatch(state: ZoneState, batch: Batch, healthCheckIds: ReadonlyMap<string, string>): Promise<void>;
  /**
   * Deletes those of our checks `ids` that no record uses. Deletes none when `registry` is no longer the generation record of
   * the zone (undefined: there was none), because the checks may then belong to a newer plan.
   */
  deleteHealthChecks(state: ZoneState, ids: readonly string[], registry: RecordSet | undefined): Promise<void>;
}

/** How a command reaches a provider. Its needs are data, so that a command reads them for all providers alike. */
export interface ProviderAccess {
  /** The environment variables that it reads; secrets come from there only. */
  readonly variables: { readonly required: readonly string[]; readonly optional: readonly string[] };
  /** The command-line option for the address of its API. */
  readonly url: { readonly flags: string; readonly description: string; readonly preset?: string };
  /** A reader whose transport cannot write. */
  reader(connection: ConnectionOptions): Promise<ZoneReader>;
  provider(connection: ConnectionOptions): Promise<ZoneProvider>;
}

/** What a client of a provider is made with. */
export interface ConnectionOptions {
  /** Address of the API; absent for the provider's own. */
  readonly url?: string;
  /** Values of the environment variables by name; every required one is there. */
  readonly variables: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** Returns a random number in [0, 1). */
  readonly random: () => number;
  /** Is told, as one line for people, each time that a call is to be repeated, and why. */
  readonly onRetry?: (line: string) => void;
}
