import type { KubeClient } from '../../../kube/api/client.ts';
import { Election } from '../../../kube/lease/election.ts';
import { kubeReasons } from '../../../kube/reasons.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { EventWriter } from '../../../kube/status/events.ts';
import { writeMetrics } from '../../../kube/status/metrics.ts';
import { StatusWriter } from '../../../kube/status/writer.ts';
import { systemNamespace } from '../../../model/contract.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { PublishingView } from '../../../model/status.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Registry } from '../../../runtime/metrics.ts';
import type { Condition } from '../compile/condition.ts';
import { IngressStatuses, recoveryEvents, refusalEvents, type WantedStatus } from '../compile/statuses.ts';
import type { EdgeReason } from '../reasons.ts';
import { doubtEvents } from './doubt-events.ts';
import { PoolObject } from './pool-object.ts';
import { ServedVips } from './served-vips.ts';
import type { PublishView } from './view.ts';

export interface PublisherOptions {
  readonly client: KubeClient;
  readonly pool: () => EdgePool;
  readonly blade: string;
  /** The name under which this agent stands for election, unique to this start of it. */
  readonly identity: string;
  readonly clock: Clock;
  /** A random number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly registry: Registry;
  /** The status of further objects, which is the identical list while nothing changed; absent where others write it. */
  readonly others?: () => readonly WantedStatus[];
  /** The namespace of the Lease. Default `tideline-system`. */
  readonly namespace?: string;
}

export interface PublisherStatus extends PublishingView {
  readonly reason?: EdgeReason;
}

/** The controller that reports Events, and the field manager of Events and of the Lease. */
const controller = 'tideline-edge';
/** A blade that cannot publish for this long lets another one lead. */
const resignAfterMs = 10_000;
const none: readonly WantedStatus[] = [];

/**
 * Writes to the cluster what became of its objects: addresses of Ingresses, the status of the EdgePool, Events for
 * refusals. Every blade computes what should be written; only the one that holds the Lease of the pool and reads the
 * cluster live writes it.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #election: Election;
  readonly #statuses: StatusWriter;
  readonly #events: EventWriter;
  /** Of what is doubted: every blade writes the same Event, because no blade leads while the source is stale. */
  readonly #doubts: EventWriter;
  readonly #poolObject: PoolObject;
  readonly #served = new ServedVips();
  #ableSinceMs: number | undefined;
  #unableSinceMs: number | undefined;
  #addresses: readonly string[] = [];
  readonly #ingressStatuses = new IngressStatuses();
  #wantedStatuses: readonly WantedStatus[] = [];
  /** What `#wantedStatuses` was computed from. */
  #statusesFrom: readonly unknown[] = [];
  #nextStatusesMs = -Infinity;
  #eventConditions: readonly Condition[] = [];
  #handedOver: { readonly ingresses: unknown; readonly pool: unknown; readonly others: unknown } | undefined;
  #resigning: Promise<void> | undefined;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { client, pool, blade, clock, registry, namespace = systemNamespace } = options;
    const metrics = writeMetrics(registry);
    const allowedForMs = (): number => (this.#ableSinceMs === undefined ? 0 : this.#election.leadingForMs);
    const common = { ...options, fieldManager: controller, metrics, allowedForMs };
    this.#election = new Election({
      ...options,
      fieldManager: controller,
      namespace,
      name: `tideline-edge-${pool().metadata.name}`,
      metrics,
      onChange: (leading) => this.#leadershipChanged(leading),
    });
    this.#events = new EventWriter({
      ...common,
      reporter: { controller, instance: blade, action: 'Serve' },
    });
    this.#doubts = new EventWriter({
      ...common,
      allowedForMs: () => (this.#stopped ? 0 : Infinity),
      reporter: { controller, instance: blade, action: 'Doubt' },
    });
    // Two pools of a cluster are two managers: neither takes for its own what the other wrote.
    this.#statuses = new StatusWriter({
      ...common,
      fieldManager: `${controller}-${pool().metadata.name}`,
      formerFieldManager: controller,
      isSibling: (manager) => manager.startsWith(`${controller}-`),
      onDispute: ({ object, reason, message }) => {
        const type = reason === 'StatusTakenOver' ? 'Normal' : 'Warning';
        this.#events.record({ object, type, reason, note: `${message}. ${kubeReasons[reason]}` });
      },
    });
    this.#poolObject = new PoolObject({ client, pool, clock, log: options.log });
  }

  /** Computes from the view what should be written, and wakes the writers. Called in every tick of the agent. */
  tick(view: PublishView): void {
    if (this.#stopped) return;
    const { clock, pool } = this.#options;
    const now = clock.monotonic();
    this.#doubts.set(doubtEvents(pool().metadata.name, view.doubts));
    this.#updateCandidacy(view.state !== undefined && view.fault === undefined, now);
    const { metadata, spec } = pool();
    const open = spec.vips.filter(({ scope }) => scope === 'public').map(({ address }) => address.text);
    const addresses = this.#served.update(open, view.announced, now);
    if (addresses !== undefined && addresses.join() !== this.#addresses.join()) this.#addresses = addresses;
    if (view.state === undefined || view.fault !== undefined) return;
    this.#updateEvents(view.conditions, view.state);
    if (addresses !== undefined && now >= this.#nextStatusesMs) this.#updateStatuses(view.conditions, view.state);
    if (this.#election.leading) {
      const vips = spec.vips.map(({ address }) => address.text);
      const announced = [...view.announced];
      this.#poolObject.tick({ ...view, pool: metadata.name, announced, vips, addresses: this.#addresses });
    }
    this.#handOverStatuses();
    // Thousands of written statuses come back as changes, one by one; computing them anew may take a tenth of a core.
    this.#nextStatusesMs = now + 10 * (clock.monotonic() - now);
    this.#statuses.wake();
    this.#events.wake();
  }

  status(): PublisherStatus {
    const { waiting, ownedByOther, contested } = this.#statuses.status();
    return {
      ...this.#election.status(),
      ...(this.#ableSinceMs === undefined ? { reason: 'NotPublishing' } : {}),
      addresses: this.#addresses,
      waiting,
      eventsWaiting: this.#events.waiting,
      ownedByOther,
      contested,
      poolObject: this.#poolObject.presence,
    };
  }

  /** Waits for the writes in progress, then lets another blade lead. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ableSinceMs = undefined;
    await Promise.all([this.#statuses.stop(), this.#events.stop(), this.#doubts.stop(), this.#poolObject.idle()]);
    await this.#resigning;
    await this.#election.resign();
  }

  #updateCandidacy(able: boolean, nowMs: number): void {
    if (able) {
      this.#ableSinceMs ??= nowMs;
      this.#unableSinceMs = undefined;
      if (this.#resigning === undefined) this.#election.stand();
      return;
    }
    this.#ableSinceMs = undefined;
    this.#unableSinceMs ??= nowMs;
    if (nowMs - this.#unableSinceMs < resignAfterMs) return;
    this.#resigning ??= this.#resign().finally(() => {
      this.#resigning = undefined;
    });
  }

  async #resign(): Promise<void> {
    await Promise.all([this.#statuses.idle(), this.#events.idle(), this.#poolObject.idle()]);
    await this.#election.resign();
  }

  /** Every blade computes the statuses, so that the next leader knows at once what differs. */
  #updateStatuses(conditions: readonly Condition[], state: ClusterState): void {
    const { Ingress: ingresses, IngressClass: classes } = state.objects;
    const from = [ingresses, classes, conditions, this.#addresses];
    if (from.every((one, index) => one === this.#statusesFrom[index])) return;
    this.#statusesFrom = from;
    const { vips, ingressClass } = this.#options.pool().spec;
    this.#wantedStatuses = this.#ingressStatuses.compute({
      state,
      conditions,
      addresses: this.#addresses,
      poolAddresses: vips.map(({ address }) => address.text),
      ingressClass,
    });
  }

  #updateEvents(conditions: readonly Condition[], state: ClusterState): void {
    if (this.#eventConditions === conditions) return;
    this.#events.set(refusalEvents({ state, conditions }));
    if (this.#election.leading)
      for (const event of recoveryEvents(this.#eventConditions, { state, conditions })) this.#events.record(event);
    this.#eventConditions = conditions;
  }

  #handOverStatuses(): void {
    const pool = this.#election.leading ? this.#poolObject.wanted : undefined;
    const others = this.#options.others?.() ?? none;
    const { ingresses, pool: before, others: otherBefore } = this.#handedOver ?? {};
    if (ingresses === this.#wantedStatuses && before === pool && otherBefore === others) return;
    this.#handedOver = { ingresses: this.#wantedStatuses, pool, others };
    this.#statuses.set([...this.#wantedStatuses, ...(pool === undefined ? [] : [pool]), ...others]);
  }

  #leadershipChanged(leading: boolean): void {
    if (leading) return;
    this.#statuses.abortWrite();
    this.#events.abortWrite();
    this.#poolObject.forget();
  }
}
