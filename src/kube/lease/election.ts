import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Counter, Gauge } from '../../runtime/metrics.ts';
import { ApiError, type KubeClient, type KubeRequest } from '../api/client.ts';
import type { KubeReason } from '../reasons.ts';
import { type Lease, type LeaseSpec, mayTake, type Observation, observe, released, takenBy } from './record.ts';

export interface ElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** The field manager under which the Lease is written. */
  readonly fieldManager: string;
  /** Unique to this start of this process: before a restart, the same agent was another holder. */
  readonly identity: string;
  readonly clock: Clock;
  /** A random number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics?: { readonly leading: Gauge; readonly transitions: Counter };
  /** Another candidate may take over after this long without a renewal. Default 15 s, as in client-go. */
  readonly leaseDurationMs?: number;
  /**
   * We stop leading this long after the last renewal was sent. Default 10 s; the difference to the lease duration is the
   * margin.
   */
  readonly renewDeadlineMs?: number;
  /** The time between two attempts to acquire or renew. Default 2 s, with up to 20 % added at random while we do not lead. */
  readonly retryPeriodMs?: number;
  /** Called after an attempt or `resign` has changed `leading`. When leadership ends by time alone, the next attempt calls it. */
  readonly onChange?: (leading: boolean) => void;
}

const jitter = 0.2;

/**
 * One candidate for a Lease. At most one candidate leads at any moment, whatever the network does: a leader counts its
 * time from before it sent the renewal that succeeded, the others count from when they saw that renewal, and the leader gives
 * up earlier than they may take over. Every write is guarded by the resourceVersion that was read. `leading` looks at the
 * clock, so a process that was stopped and continued knows at once that its time is over.
 */
export class Election {
  readonly #options: ElectionOptions;
  readonly #durationMs: number;
  readonly #deadlineMs: number;
  readonly #retryMs: number;
  readonly #loop: Loop;
  #lease: Lease | undefined;
  #seen: Observation | undefined;
  #heldSince: { readonly monotonicMs: number; readonly wallMs: number } | undefined;
  #reportedLeading = false;
  #standing = false;
  #error: string | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#durationMs = options.leaseDurationMs ?? 15_000;
    this.#deadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryPeriodMs ?? 2000;
    if (this.#deadlineMs >= this.#durationMs) throw new RangeError('the deadline must end before the lease does');
    this.#loop = new Loop({
      clock: options.clock,
      run: () => this.#runElection(),
      onError: (error) => options.log.error({ err: error }, 'an attempt to lead failed, trying again'),
      retry: { firstMs: this.#retryMs, ceilingMs: this.#retryMs },
    });
  }

  /** Makes this a candidate. Does nothing when it already is one. */
  stand(): void {
    if (this.#standing) return;
    this.#standing = true;
    this.#loop.trigger();
  }

  /** Ends the candidacy. A leader releases the lease, so that another candidate need not wait until it expires. Never rejects. */
  async resign(): Promise<void> {
    if (!this.#standing) return;
    this.#standing = false;
    const held = this.leading;
    this.#heldSince = undefined;
    this.#reportLeading();
    // The run that this triggers finds that we are no candidate any more, and asks for no further run.
    this.#loop.trigger();
    await this.#loop.idle();
    // `stand` was called again meanwhile: a lease that it may have won is kept.
    if (this.#standing) return;
    // An attempt in flight may have won meanwhile: the holder that the record names is what counts.
    if (held || this.#lease?.spec?.holderIdentity === this.#options.identity) await this.#release();
  }

  get leading(): boolean {
    return this.leadingForMs > 0;
  }

  /** How long we may still lead without another renewal; 0 when we do not lead. A write must have ended by then. */
  get leadingForMs(): number {
    if (this.#heldSince === undefined) return 0;
    const { clock } = this.#options;
    // The wall clock counts too: the monotonic one stands still while a virtual machine is suspended.
    const passedMs = Math.max(clock.monotonic() - this.#heldSince.monotonicMs, clock.now() - this.#heldSince.wallMs);
    return Math.max(0, this.#deadlineMs - passedMs);
  }

  /** For `/status`. */
  status(): {
    readonly leading: boolean;
    readonly holder?: string;
    readonly transitions?: number;
    readonly error?: string;
  } {
    const { holderIdentity: holder, leaseTransitions: transitions } = this.#lease?.spec ?? {};
    return {
      leading: this.leading,
      ...withoutUndefined({ holder, transitions, error: this.#error }),
    };
  }

  /**
   * One run of the loop, which never runs two at once: a slow attempt from before a `resign` must not overwrite what a new
   * candidacy has won.
   */
  async #runElection(): Promise<number> {
    if (!this.#standing) return Infinity;
    await this.#attempt();
    const spread = this.leading ? 0 : jitter * this.#options.random();
    return this.#retryMs * (1 + spread);
  }

  async #attempt(): Promise<void> {
    try {
      await this.#acquireOrRenew();
      this.#error = undefined;
    } catch (error) {
      // The Lease that we know may be outdated (409), or the write may have been done and only its answer lost: the next
      // attempt reads before it writes.
      const { namespace, name, log } = this.#options;
      this.#lease = undefined;
      this.#error = messageOf(error);
      const conflict = error instanceof ApiError && error.status === 409;
      if (!conflict)
        log.warn(
          { reason: 'LeaseNotWritable' satisfies KubeReason, lease: `${namespace}/${name}`, error: this.#error },
          'the lease can neither be read nor renewed, trying again',
        );
    }
    this.#reportLeading();
  }

  async #acquireOrRenew(): Promise<void> {
    const { clock, identity } = this.#options;
    // While we hold the Lease nobody else writes it: the resourceVersion of our last write is good for the next.
    const mine = this.leading && this.#lease?.spec?.holderIdentity === identity;
    const lease = mine ? this.#lease : await this.#read();
    if (lease !== undefined) {
      this.#lease = lease;
      const now = clock.monotonic();
      this.#seen = observe(this.#seen, lease, now);
      if (!mayTake(lease, this.#seen, identity, now, this.#durationMs)) {
        this.#heldSince = undefined;
        return;
      }
    }
    if (!this.#standing) return;
    const before = { monotonicMs: clock.monotonic(), wallMs: clock.now() };
    const written = await this.#write(lease, takenBy(lease?.spec, identity, clock.now(), this.#durationMs));
    this.#lease = written;
    this.#seen = observe(this.#seen, written, clock.monotonic());
    if (this.#standing) this.#heldSince = before;
  }

  async #read(): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    try {
      return await this.#send<Lease>({ path: `${pathOf(namespace)}/${name}` });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  #write(before: Lease | undefined, spec: LeaseSpec): Promise<Lease> {
    const { namespace, name, fieldManager } = this.#options;
    const query = { fieldManager };
    if (before !== undefined)
      return this.#send({ method: 'PUT', path: `${pathOf(namespace)}/${name}`, query, body: { ...before, spec } });
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
    return this.#send({ method: 'POST', path: pathOf(namespace), query, body: lease });
  }

  #send<T>(request: KubeRequest): Promise<T> {
    return this.#options.client.request<T>({ ...request, timeoutMs: this.#deadlineMs / 2 });
  }

  async #release(): Promise<void> {
    const { clock, log, identity, name } = this.#options;
    try {
      const lease = this.#lease ?? (await this.#read());
      if (lease?.spec?.holderIdentity !== identity || this.#standing) return;
      await this.#write(lease, released(lease.spec, clock.now()));
      log.info({ lease: name }, 'lease released');
    } catch (error) {
      log.warn({ lease: name, error: messageOf(error) }, 'lease not released, it expires by itself');
    }
    this.#lease = undefined;
  }

  #reportLeading(): void {
    const { leading } = this;
    const { metrics, log, name, identity, onChange } = this.#options;
    metrics?.leading.set(leading ? 1 : 0);
    if (leading === this.#reportedLeading) return;
    this.#reportedLeading = leading;
    if (leading) metrics?.transitions.inc();
    log.info({ lease: name, identity, leading }, leading ? 'became the leader' : 'is no longer the leader');
    onChange?.(leading);
  }
}

function pathOf(namespace: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
}
