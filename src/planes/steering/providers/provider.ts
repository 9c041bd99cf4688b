import type { RecordSet } from '../../../answers/record.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { HealthCheck } from '../compile/entries.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { Batch } from '../records/batches.ts';

/** A zone as the provider holds it now. Health checks of records are given by key when they are ours. */
export interface ZoneState {
  readonly zone: string;
  /** The provider's own identifier of the zone. */
  readonly zoneId: string;
  readonly records: readonly RecordSet[];
  /** Our health checks of this zone: the provider's identifier by key. */
  readonly healthChecks: ReadonlyMap<string, string>;
  /** Identifiers of health checks that are ours but of no use: settings changed by somebody, or duplicates. */
  readonly strayHealthChecks: readonly string[];
}

/** Can only look. What `plan` and `explain` are given: its transport refuses every request that could write. */
export interface ZoneReader {
  readonly name: ProviderName;
  /** Throws ZoneMissing, ProviderRefused or ProviderUnreachable. */
  read(zone: string): Promise<ZoneState>;
}

/**
 * Can write, in the order of these methods. Every write of records is one atomic batch that swaps the generation record;
 * a batch made from an older generation is refused with StaleGeneration and changes nothing.
 */
export interface ZoneProvider extends ZoneReader {
  /** Creates what is missing; safe to repeat. Resolves with the identifier by key of these checks. */
  createHealthChecks(
    state: ZoneState,
    checks: readonly HealthCheck[],
    generation: number,
  ): Promise<ReadonlyMap<string, string>>;
  /** Resolves when every name server of the provider answers with it. `healthCheckIds` by key, old and new. */
  applyBatch(state: ZoneState, batch: Batch, healthCheckIds: ReadonlyMap<string, string>): Promise<void>;
  /**
   * Deletes these checks of ours, by identifier, unless a record uses one. Deletes none when `registry` is no longer the
   * generation record of the zone (undefined: there was none): they belong to a newer plan then.
   */
  deleteHealthChecks(state: ZoneState, ids: readonly string[], registry: RecordSet | undefined): Promise<void>;
}

/** How a command reaches a provider. What it needs is said as data, so that a command reads it for all of them alike. */
export interface ProviderAccess {
  /** Environment variables; secrets come from there only. */
  readonly variables: { readonly required: readonly string[]; readonly optional: readonly string[] };
  /** The option that names the address of its API. */
  readonly url: { readonly flags: string; readonly description: string; readonly preset?: string };
  /** A reader whose transport cannot write. */
  reader(reach: Reach): Promise<ZoneReader>;
  provider(reach: Reach): Promise<ZoneProvider>;
}

export interface Reach {
  /** Absent: the provider's own address. */
  readonly url?: string;
  /** By name; every required one is there. */
  readonly variables: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
}
