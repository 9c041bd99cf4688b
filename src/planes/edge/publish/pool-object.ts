import { ApiError, type KubeClient } from '../../../kube/api/client.ts';
import { deepEqual } from '../../../kube/objects/equal.ts';
import type { ObjectReference } from '../../../kube/objects/reference.ts';
import type { KubeReason } from '../../../kube/reasons.ts';
import {
  holdsConditions,
  type NewCondition,
  type StatusCondition,
  withTransitionTimes,
} from '../../../kube/status/conditions.ts';
import { pathOf } from '../../../kube/status/object.ts';
import { apiVersion } from '../../../model/contract.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { differingField } from '../compile/pool-difference.ts';
import { type PoolView, poolStatus } from '../compile/pool-status.ts';
import type { WantedStatus } from '../compile/statuses.ts';

interface RawPool {
  readonly metadata: { readonly uid?: string; readonly generation?: number };
  readonly spec?: unknown;
  readonly status?: {
    readonly addresses?: readonly object[];
    readonly vipList?: string;
    readonly addressList?: string;
    readonly conditions?: readonly Partial<StatusCondition>[];
  };
}

/** The source of the platform follows the object; here it is looked at only for its status, by the leader. */
const readEveryMs = 20_000;

export interface PoolObjectOptions {
  readonly client: KubeClient;
  readonly pool: () => EdgePool;
  readonly clock: Clock;
  readonly log: Log;
}

/** The EdgePool object of the cluster and the status it should have. */
export class PoolObject {
  readonly #options: PoolObjectOptions;
  #raw: RawPool | undefined;
  #conditions: readonly StatusCondition[] | undefined;
  #readMs = -Infinity;
  #reading: Promise<void> | undefined;
  #forbidden = false;
  presence: 'unknown' | 'absent' | 'present' = 'unknown';
  /** The status that the object should have. Its identity changes only when its content does. */
  wanted: WantedStatus | undefined;

  constructor(options: PoolObjectOptions) {
    this.#options = options;
  }

  tick(view: PoolView): void {
    const now = this.#options.clock.monotonic();
    if (this.#reading === undefined && now - this.#readMs >= readEveryMs) {
      this.#readMs = now;
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
    }
    const wanted = this.#raw === undefined ? undefined : this.#wantedOf(this.#raw, view);
    if (!deepEqual(wanted, this.wanted)) this.wanted = wanted;
  }

  /** Forgets what was read, which may be outdated: another blade writes from now on. */
  forget(): void {
    this.#raw = undefined;
    this.#conditions = undefined;
    this.#readMs = -Infinity;
    this.wanted = undefined;
  }

  async idle(): Promise<void> {
    await this.#reading;
  }

  /**
   * Reads the object by an empty patch in dry-run mode, which answers with the whole object: the right to write the
   * status is enough, and no other right is needed.
   */
  async #read(): Promise<void> {
    const { client } = this.#options;
    try {
      this.#raw = await client.request<RawPool>({
        method: 'PATCH',
        path: `${pathOf(this.#name())}/status`,
        query: { dryRun: 'All' },
        contentType: 'application/merge-patch+json',
        body: {},
        timeoutMs: 5000,
      });
      this.presence = 'present';
      this.#forbidden = false;
    } catch (error) {
      this.#logForbidden(error);
      // A missing definition and a missing object answer the same; any other failure is tried again.
      if (!(error instanceof ApiError) || error.status !== 404) return;
      this.presence = 'absent';
      this.#raw = undefined;
      this.#conditions = undefined;
    }
  }

  /** Logs a forbidden read once, until a read is allowed again. */
  #logForbidden(error: unknown): void {
    if (this.#forbidden || !(error instanceof ApiError) || error.status !== 403) return;
    this.#forbidden = true;
    const reason = 'WriteForbidden' satisfies KubeReason;
    this.#options.log.warn(
      { reason, object: `EdgePool/${this.#name().name}`, error: error.message },
      'the API refuses our status',
    );
  }

  #name(uid?: string): ObjectReference {
    const { name } = this.#options.pool().metadata;
    const known = uid === undefined ? {} : { uid };
    return { apiVersion, kind: 'EdgePool', resource: 'edgepools', name, ...known };
  }

  #wantedOf({ metadata, spec, status }: RawPool, view: PoolView): WantedStatus {
    const differsIn = differingField(this.#options.pool(), spec);
    const { conditions, ...shown } = poolStatus({ ...view, ...withoutUndefined({ differsIn }) });
    const held = status?.conditions ?? [];
    this.#conditions = this.#dated(conditions, this.#conditions ?? held, differsIn === undefined, metadata.generation);
    const wanted = { ...shown, conditions: this.#conditions };
    const types = new Set(conditions.map(({ type }) => String(type)));
    const heldOurs = holdsConditions(held, this.#conditions)
      ? this.#conditions
      : held.filter(({ type }) => type !== undefined && types.has(type));
    // The resourceVersion is left out, because it is as old as the last read.
    return {
      object: this.#name(metadata.uid),
      wanted,
      held: status === undefined ? undefined : { ...shownBy(status), conditions: heldOurs },
    };
  }

  /**
   * The conditions with their times. `Accepted` is about the newest generation of the object. The others are about the pool in
   * force, so they have that generation only while the object says what is in force, and keep the last one of which that was true.
   */
  #dated(
    conditions: readonly NewCondition[],
    before: readonly Partial<StatusCondition>[],
    inForce: boolean,
    generation: number | undefined,
  ): readonly StatusCondition[] {
    const now = this.#options.clock.now();
    return conditions.flatMap((condition) => {
      const known = before.find(({ type }) => type === condition.type)?.observedGeneration;
      const observed = inForce || condition.type === 'Accepted' ? generation : known;
      return withTransitionTimes([condition], before, now, observed);
    });
  }
}

/** The fields of a status that we write, beside its conditions. */
function shownBy({ addresses = [], vipList, addressList }: NonNullable<RawPool['status']>): object {
  return { addresses, ...withoutUndefined({ vipList, addressList }) };
}
