import type { GuardLimits } from '../../bgp/guard.ts';
import type { SnapshotFile } from '../../kube/last-good.ts';
import type { ClusterListener, ClusterSource } from '../../kube/source.ts';
import type { Prefix } from '../../model/address.ts';
import type { DoubtPart, NetworkStatus, PlanePart } from '../../model/status.ts';
import { warnOfFew } from '../../runtime/few.ts';
import { Last } from '../../runtime/last.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { BlackholeTable } from './kernel/blackholes.ts';
import { Kernel } from './kernel/kernel.ts';
import { placesTaken, shadowsOf } from './kernel/shadows.ts';
import {
  guardedCovers,
  missingRules,
  surplusRules,
  type UplinkRule,
  unguardedNotice,
  uplinkRulesOf,
} from './kernel/uplinks.ts';
import { LastGood } from './last-good.ts';
import { createNetworkMetrics, type NetworkMetrics } from './metrics.ts';
import { blackholesOf, type NetworkNotice, type NetworkPlan, type NetworkRefusal, nothingAnnounced } from './plan.ts';
import { Planner, type PlannerOptions } from './planner.ts';
import { ReleaseQueue } from './release.ts';
import { Staleness, staleNotice } from './staleness.ts';
import { statusOf } from './status.ts';
import { nextStep, type Step } from './step.ts';

export interface NetworkAgentOptions extends PlannerOptions {
  /** Why the newest spec is not the one in force; undefined when it is. */
  readonly specProblem?: () => string | undefined;
  readonly source: ClusterSource;
  /** The last good state of the cluster on disk; without it, nothing is known until the cluster was read. */
  readonly snapshot?: SnapshotFile;
  readonly blackholes: BlackholeTable;
  readonly registry?: Registry;
  /** How often the kernel's real table is read and drains are checked. Default 10 s. */
  readonly reconcileMs?: number;
  /** How long the cluster may be unread before the routes yield to other announcers. Default 5 minutes. */
  readonly yieldAfterMs?: number;
  /** How long a blackhole outlives its block, so that the routers have stopped using the block. Default 1 s. */
  readonly releaseMs?: number;
}

/**
 * For this long a released block stays announced while its replacement is not. It may already be another node's block,
 * so it does not stay for ever because something else cannot be announced.
 */
const patienceMs = 5000;

/**
 * The worker's agent: cluster → plan → kernel and speaker, one step a run, driven by whatever changes. It remembers
 * nothing that it could not read again: what is announced comes from the speaker, what is blackholed from the kernel.
 */
export class NetworkAgent {
  readonly #options: NetworkAgentOptions;
  readonly #metrics: NetworkMetrics;
  readonly #loop: Loop;
  readonly #release: ReleaseQueue;
  readonly #lastGood: LastGood;
  readonly #staleness: Staleness;
  #stepRefusals: readonly NetworkRefusal[] = [];
  readonly #planner: Planner;
  readonly #kernel: Kernel;
  /** Blocks that have no holes because a rule of ours is missing. */
  #unguarded: readonly Prefix[] = [];
  /** The last set that the speaker got, as text: the same set is not given twice. */
  #asked: string | undefined;
  #waitingSinceMs: number | undefined;
  // What runs without news would compute anew.
  readonly #uplinkRules = new Last<readonly UplinkRule[]>();
  readonly #missing = new Last<readonly Prefix[]>();
  readonly #step = new Last<Step>();
  readonly #asking = new Last<string>();
  readonly #shadows = new Last<readonly NetworkNotice[]>();
  #stopping = false;
  #unsubscribe: (() => void) | undefined;

  constructor(options: NetworkAgentOptions) {
    this.#options = options;
    this.#metrics = createNetworkMetrics(options.registry);
    this.#planner = new Planner(options);
    this.#release = new ReleaseQueue(options.releaseMs ?? 1000);
    this.#kernel = new Kernel({
      ...options,
      reconcileMs: options.reconcileMs ?? 10_000,
      onChange: () => this.refresh(),
    });
    this.#staleness = new Staleness(options.yieldAfterMs ?? 300_000);
    this.#lastGood = new LastGood({ ...options, onChange: () => this.refresh() });
    this.#loop = new Loop({
      clock: options.clock,
      debounceMs: 2,
      ceilingMs: 20,
      retry: { firstMs: 500, ceilingMs: 10_000 },
      run: () => this.#run(),
      onError: (error) => options.log.error({ err: error }, 'a run of the network agent failed; tried again'),
    });
  }

  start(): void {
    const { source, speaker, clock } = this.#options;
    this.#kernel.start();
    this.#unsubscribe = speaker.onStatus(() => this.refresh());
    speaker.start();
    const listener: ClusterListener = {
      onChange: ({ state }) => this.#lastGood.sourceChanged(state),
      // While the source is stale, the last state stays in force, and only the status changes.
      onStatus: (status) => {
        this.#lastGood.sourceStatus(status);
        this.refresh();
      },
    };
    this.#lastGood.start();
    source.start(listener);
    this.#loop.triggerIn(this.#kernel.reconcileAtMs - clock.monotonic());
  }

  /** Starts a run soon, because something outside changed (a drain, say). */
  refresh(): void {
    this.#loop.trigger();
  }

  status(): PlanePart<NetworkStatus> {
    return statusOf({
      node: this.#options.node,
      source: { ...this.#options.source.status(), servingSnapshot: this.#lastGood.fromDisk },
      plan: this.#planner.plan,
      speaker: this.#options.speaker.status(),
      kernel: this.#kernel,
      refusals: this.#refusals(),
      notices: this.#notices(),
    });
  }

  /** The edits that wait. */
  doubting(): DoubtPart {
    return this.#planner.doubting();
  }

  /** What the speaker may announce and withdraw now; it asks in every judgement. */
  limits(): GuardLimits {
    return this.#planner.limits;
  }

  /** What keeps the kernel's routes from being right, a line each, for `/healthz`. */
  faults(): readonly string[] {
    const { problem } = this.#kernel;
    return problem === undefined ? [] : [`KernelUnreadable: ${problem}`];
  }

  /**
   * Ends the agent. Without `withdraw` every route and blackhole stays as it is (fail static). With it everything is
   * withdrawn in order first; when that is not acknowledged within `timeoutMs`, the promise rejects, and the agent has
   * ended nevertheless.
   */
  async stop(withdraw?: { readonly timeoutMs: number }): Promise<void> {
    await this.#options.source.stop();
    await this.#lastGood.stop();
    try {
      if (withdraw !== undefined) await this.#withdrawAll(withdraw.timeoutMs);
    } finally {
      this.#unsubscribe?.();
      this.#kernel.stop();
      await this.#loop.stop();
      await this.#options.speaker.stop();
    }
  }

  /** Takes one step; resolves with the ms until the next one is due by itself. */
  async #run(): Promise<number> {
    const { clock } = this.#options;
    // The kernel first: its blackholes tell what this node announced before.
    await this.#kernel.look();
    this.#lookAtSource();
    await this.#planner.look();
    const plan = this.#stopping ? this.#planner.plan : this.#planner.next(this.#lastGood, this.#kernel.installed);
    let nextAtMs = Infinity;
    if (plan.action === 'announce') nextAtMs = await this.#stepTowards(plan);
    else this.#stepRefusals = [];
    const notices = this.#notices();
    this.#reportNotices(notices);
    this.#metrics.update({
      plan,
      notices,
      blackholes: this.#kernel.installed.length,
      uplinkRules: this.#kernel.rules.uplink.length,
      refusals: [...this.#refusals(), ...this.#options.speaker.status().refusals],
    });
    // A time that has passed meanwhile is due at once; to leave it out would put it off until the kernel is read again.
    const dueAtMs = Math.min(this.#kernel.reconcileAtMs, this.#planner.nextAtMs, this.#staleness.nextAtMs, nextAtMs);
    return Math.max(1, dueAtMs - clock.monotonic());
  }

  /** While the cluster is not read, a living owner of a block is preferred to this worker. */
  #lookAtSource(): void {
    const { source, speaker, clock } = this.#options;
    const { yielded } = speaker.status();
    const relayYields = yielded !== undefined && yielded.untilMs === undefined;
    this.#staleness.look(source.status(), relayYields, clock.monotonic());
    speaker.setYields(this.#staleness.yields);
  }

  /**
   * Takes one step towards the plan: adds missing blackholes, then tells the speaker its set, then removes surplus
   * blackholes. Resolves with the time at which the next step is due by itself, which may have passed by then; Infinity means
   * that no step is due before something changes.
   */
  async #stepTowards(plan: Extract<NetworkPlan, { action: 'announce' }>): Promise<number> {
    const { speaker } = this.#options;
    const kernel = this.#kernel;
    const rules = this.#uplinkRules.get([plan, kernel.uplinks], () => uplinkRulesOf(plan.covers, kernel.uplinks));
    await kernel.changeRules(missingRules(rules, kernel.rules.uplink), []);
    // A hole is made only when packets from an uplink cannot leave by it.
    const { covers, unguarded } = guardedCovers(plan.covers, missingRules(rules, kernel.rules.uplink));
    this.#unguarded = unguarded;
    const texts = unguarded.map(({ text }) => text).join();
    const missing = this.#missing.get([plan, kernel.installed, texts], () => {
      const present = new Set(kernel.installed.map(({ text }) => text));
      return blackholesOf({ covers }).filter(({ text }) => !present.has(text));
    });
    await kernel.change(missing, []);
    // While it is not known what ExaBGP holds, no order can be kept; without a relay, its last report counts.
    const { relay } = speaker.status();
    if (relay === 'syncing' || (relay !== 'synced' && this.#asked === undefined)) return Infinity;
    const now = this.#options.clock.monotonic();
    const mayWait = now - (this.#waitingSinceMs ?? now) < patienceMs;
    const { announced, refusals } = speaker.status();
    const refused = refusals.map(({ prefix }) => prefix).join();
    const { installed, foreign } = kernel;
    const step = this.#step.get([plan, texts, installed, foreign, announced, relay, refused, mayWait], () =>
      nextStep({
        ...plan,
        covers,
        installed,
        taken: placesTaken(foreign),
        speaker: speaker.status(),
        mayWait,
      }),
    );
    this.#waitingSinceMs = step.waiting ? (this.#waitingSinceMs ?? now) : undefined;
    this.#reportRefusals(step.refusals);
    const confirmed = plan.withdrawn !== undefined || this.#stopping;
    const { disproved } = plan;
    const asked = this.#asking.get([confirmed, step], () => JSON.stringify([confirmed, [...disproved], step.desired]));
    if (asked !== this.#asked) {
      this.#asked = asked;
      speaker.setDesired(step.desired, { confirmed, disproved });
    }
    const due = this.#release.due(step.surplus, this.#options.clock.monotonic());
    await kernel.change([], [...step.replaced, ...due]);
    await kernel.changeRules([], surplusRules(rules, kernel, speaker.status().announced));
    const patienceEndsMs = step.waiting && mayWait ? (this.#waitingSinceMs ?? now) + patienceMs : Infinity;
    return Math.min(this.#release.nextAtMs, patienceEndsMs);
  }

  #refusals(): readonly NetworkRefusal[] {
    const { problem } = this.#kernel;
    const kernel: readonly NetworkRefusal[] =
      problem === undefined ? [] : [{ subject: 'kernel', reason: 'KernelUnreadable', message: problem }];
    const message = this.#options.specProblem?.();
    const spec: readonly NetworkRefusal[] =
      message === undefined ? [] : [{ subject: 'platform', reason: 'PlatformInvalid', message }];
    return [...this.#planner.plan.refusals, ...this.#stepRefusals, ...kernel, ...spec];
  }

  #reportRefusals(refusals: readonly NetworkRefusal[]): void {
    this.#stepRefusals = refusals;
    warnOfFew(this.#options.log, this.#metrics.newRefusals(this.#refusals()), 'a route is not announced');
  }

  #notices(): readonly NetworkNotice[] {
    const { plan } = this.#planner;
    const stale = this.#staleness.yields ? [staleNotice(this.#options.source.status())] : [];
    if (plan.action !== 'announce') return stale;
    const { foreign, rules } = this.#kernel;
    const shadows = this.#shadows.get([plan, foreign, rules.foreign], () =>
      shadowsOf(plan.covers, foreign, rules.foreign),
    );
    return [...stale, ...plan.notices, ...shadows, ...this.#unguarded.map(unguardedNotice)];
  }

  #reportNotices(notices: readonly NetworkNotice[]): void {
    const message = 'something is wrong about a route that is announced';
    warnOfFew(this.#options.log, this.#metrics.newNotices(notices), message);
  }

  async #withdrawAll(timeoutMs: number): Promise<void> {
    const { speaker, clock } = this.#options;
    this.#stopping = true;
    this.#planner.set(nothingAnnounced);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = clock.setTimeout(() => reject(new Error(`not withdrawn within ${timeoutMs} ms`)), timeoutMs);
    const check = (): void => {
      const { installed, rules } = this.#kernel;
      const left = speaker.status().announced.filter((route) => route.class === 'pods');
      if (installed.length + rules.uplink.length + left.length === 0) resolve();
      else poll = clock.setTimeout(check, 50);
    };
    let poll = clock.setTimeout(check, 50);
    this.refresh();
    try {
      await promise;
      await speaker.settled(timeoutMs);
    } finally {
      timer.cancel();
      poll.cancel();
    }
  }
}
