import type { GuardLimits } from '../../bgp/guard.ts';
import type { Speaker } from '../../bgp/speaker.ts';
import type { Acceptance } from '../../kube/acceptance.ts';
import type { Prefix } from '../../model/address.ts';
import { drainOfWorker } from '../../model/platform/drains.ts';
import type { Drain, Site } from '../../model/spec/kinds.ts';
import type { DoubtPart } from '../../model/status.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Last } from '../../runtime/last.ts';
import type { Log } from '../../runtime/log.ts';
import { Brakes, type Moment } from './brakes.ts';
import { compileNetwork, type NetworkInput } from './compile/compile.ts';
import { isOfMachine } from './compile/server.ts';
import { fromLastGood, runsOut } from './compile/without-cluster.ts';
import type { LastGood } from './last-good.ts';
import { limitsOfSites } from './limits.ts';
import type { NetworkPlan } from './plan.ts';

/** The part of the platform spec that concerns a worker; it is read anew in every run. */
export interface NetworkSpec {
  readonly sites: readonly Site[];
  readonly drains: readonly Drain[];
  /** True while nothing may change that nobody asked for. */
  readonly frozen: boolean;
}

export interface PlannerOptions {
  readonly node: string;
  readonly podsFrom: NetworkInput['podsFrom'];
  readonly spec: () => NetworkSpec;
  readonly speaker: Speaker;
  /** The addresses of this machine, as canonical text. */
  readonly addresses: () => ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** The file by which a person ends such a wait; absent where nobody can. */
  readonly accepts?: AcceptedEdits;
  /** How long an edit waits that takes most of what the cluster announces. Default 10 minutes. */
  readonly brakeMs?: number;
}

/** What a person has written into the accept file. */
export interface AcceptedEdits {
  readonly path: string;
  /** Undefined when there is nothing. */
  read(): Promise<Acceptance | undefined>;
  remove(): Promise<void>;
}

/** How often the accept file is looked at while an edit waits. */
const lookEveryMs = 1000;

const noPrefixes: readonly Prefix[] = [];
const notSynced: NetworkPlan = { action: 'hold', reason: 'NotSynced', refusals: [] };

/**
 * Makes plans, and remembers between them what compiling cannot see in one state: what was seen, what was announced, how long
 * an edit has waited.
 */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #brakes: Brakes;
  readonly #compiled = new Last<NetworkPlan>();
  readonly #limited = new Last<GuardLimits>();
  /** The Node of this agent with an address of this machine, and any block, have been seen. */
  #nodeSeen = false;
  #blocksSeen = false;
  /** Blocks whose export the pool that held them last forbade. */
  #banned: ReadonlySet<string> = new Set();
  /** When it is said again that routes run out. */
  #warnAtMs = -Infinity;
  #plan: NetworkPlan = notSynced;
  #limits: GuardLimits | undefined;
  #lookedMs = -Infinity;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#brakes = new Brakes(options.brakeMs ?? 600_000);
  }

  /** The newest plan. */
  get plan(): NetworkPlan {
    return this.#plan;
  }

  /** When the next brake is over, and a new plan is due; Infinity when none holds. */
  get nextAtMs(): number {
    const { accepts, clock } = this.#options;
    const looks = accepts !== undefined && this.#brakes.holdsAny(clock.monotonic());
    return Math.min(this.#brakes.nextAtMs, looks ? this.#lookedMs + lookEveryMs : Infinity);
  }

  /** Does what a person has accepted meanwhile. */
  async look(): Promise<void> {
    const { accepts, log } = this.#options;
    const now = this.#now();
    if (accepts === undefined || !this.#brakes.holdsAny(now.monotonicMs)) return;
    if (now.monotonicMs - this.#lookedMs < lookEveryMs) return;
    this.#lookedMs = now.monotonicMs;
    const accepted = await accepts.read();
    const cause = accepted === undefined ? undefined : this.#brakes.accept(accepted, now);
    if (cause === undefined) return;
    log.warn({ cause, by: accepted?.by, why: 'accepted by a person' }, 'an edit that waited is obeyed');
    await accepts.remove();
  }

  /** The edits that wait as doubts. */
  doubting(): DoubtPart {
    const notices = this.#plan.action === 'announce' ? this.#plan.notices : [];
    const waiting = (reason: string): readonly string[] =>
      notices.filter((notice) => notice.reason === reason).map(({ subject }) => subject);
    return this.#brakes.doubting(this.#now(), waiting, this.#options.accepts?.path);
  }

  #now(): Moment {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonic(), wallMs: clock.now() };
  }

  /**
   * The guardrails that go with the plan: those of the Sites that it was made with, and what stays although they lack it. While
   * everything is held, the Sites of the last plan that announced something stay in force, because a narrower limit withdraws.
   */
  get limits(): GuardLimits {
    return this.#limits ?? limitsOfSites(this.#options.spec().sites);
  }

  /** Replaces the plan, for the end of the agent. */
  set(plan: NetworkPlan): void {
    this.#plan = plan;
  }

  /** Makes the plan anew. */
  next(lastGood: LastGood, installed: readonly Prefix[]): NetworkPlan {
    const before = this.#plan;
    const { sites, drains, frozen } = this.#options.spec();
    this.#brakes.setFrozen(frozen);
    const plan = this.#compile(lastGood, installed, sites, drains);
    this.#plan = plan;
    if (plan !== before && plan.action === 'announce') {
      this.#banned = plan.banned ?? this.#banned;
      this.#limit(sites, plan.beyond);
    }
    this.#report(before, plan);
    return plan;
  }

  #limit(sites: readonly Site[], beyond: readonly Prefix[]): void {
    const limits = this.#limited.get([sites, beyond.map(({ text }) => text).join()], () =>
      limitsOfSites(sites, beyond),
    );
    if (limits === this.#limits) return;
    this.#limits = limits;
    this.#options.speaker.reconsider();
  }

  #compile(
    lastGood: LastGood,
    installed: readonly Prefix[],
    sites: readonly Site[],
    drains: readonly Drain[],
  ): NetworkPlan {
    const { state, fromDisk, savedAt } = lastGood;
    if (state === undefined) return this.#nothingKnown(installed);
    const { node, podsFrom, clock, speaker } = this.#options;
    const drained = drainOfWorker(drains, node, clock.now());
    const { announced, fixed = noPrefixes } = speaker.status();
    const machine = { addresses: this.#options.addresses(), rendered: fixed };
    const object = state.objects.Node.get(node);
    this.#nodeSeen ||= object !== undefined && isOfMachine(object, sites, machine);
    this.#blocksSeen ||= state.objects.IPAMBlock.size > 0;
    const nodeSeen = this.#nodeSeen;
    const blocksSeen = this.#blocksSeen;
    const brakesOver = this.#brakes.over(clock.monotonic());
    const told = [drained, nodeSeen, blocksSeen, fromDisk, ...machine.addresses, ...brakesOver].join();
    const plan = this.#compiled.get([state, sites, installed, told, fixed, announced], () => {
      const known = { state, sites, node, podsFrom, drained, machine, nodeSeen, blocksSeen, installed, brakesOver };
      const before = { kept: this.#kept('pods'), keptServers: this.#kept('server'), banned: this.#banned };
      const compiled = compileNetwork({ ...known, ...before });
      return fromDisk ? fromLastGood(compiled, { announced, installed }, savedAt) : compiled;
    });
    this.#brakes.meet(plan.action === 'announce' ? plan.brakes : [], clock.monotonic());
    return plan;
  }

  /** Without any state everything is held; what runs out meanwhile is counted down. */
  #nothingKnown(installed: readonly Prefix[]): NetworkPlan {
    const { speaker, clock, log } = this.#options;
    const refusal = runsOut(speaker.status(), installed, clock.now());
    if (refusal === undefined) return notSynced;
    if (clock.monotonic() >= this.#warnAtMs) {
      this.#warnAtMs = clock.monotonic() + 10_000;
      log.error({ ...refusal }, 'routes of pods run out');
    }
    return { ...notSynced, refusals: [refusal] };
  }

  /** What this node has announced until now: by ExaBGP, and by the last plan. */
  #kept(kind: 'pods' | 'server'): ReadonlySet<string> {
    const planned = this.#plan.action === 'announce' ? this.#plan.routes : [];
    const routes = [...this.#options.speaker.status().announced, ...planned].filter((route) => route.class === kind);
    return new Set(routes.map(({ prefix }) => prefix.text));
  }

  #report(before: NetworkPlan, plan: NetworkPlan): void {
    const { log } = this.#options;
    if (plan.action === 'hold' && (before.action !== 'hold' || before.reason !== plan.reason))
      log.warn({ reason: plan.reason }, 'holding what is announced');
    if (plan.action === 'announce' && plan.withdrawn !== undefined && plan.withdrawn !== withdrawnOf(before))
      log.warn({ reason: plan.withdrawn }, 'withdrawing on purpose');
  }
}

function withdrawnOf(plan: NetworkPlan): string | undefined {
  return plan.action === 'announce' ? plan.withdrawn : undefined;
}
