import { failbackOf } from '../../model/platform/policies.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { HoldView, ZoneConditionView, ZoneView } from '../../model/steering-status.ts';
import type { ZoneAtProvider } from './compile/intent.ts';
import { expectedSeconds } from './failback.ts';
import { drainedIn } from './plan/drained.ts';
import { type Counts, countKey } from './plan/failback.ts';
import { overGuardText } from './plan/guard.ts';
import { endOf, shareMovedBy, standingHolds } from './plan/holds.ts';
import { countriesThatMove, worstShare } from './plan/impact.ts';
import { loudOverlays } from './plan/overlays.ts';
import { checksumOf, isEmpty, type ZonePlan } from './plan/plan.ts';
import { policiesThatChange } from './plan/present.ts';
import { returnViews, standingReturns } from './plan/returns.ts';
import type { SteeringReason } from './reasons.ts';
import { readApplied } from './records/applied.ts';
import type { PlannedZone, Step } from './step.ts';

/** What the agent knows of one zone between two runs; all of it could be read again. */
export class ZoneMemory implements ZoneAtProvider {
  readonly provider: ZoneAtProvider['provider'];
  readonly zone: string;
  state: ZoneView['state'] = 'unknown';
  sinceMs: number;
  plannedAtMs: number | undefined;
  generation: number | undefined;
  plan: ZoneView['plan'];
  drift: ZoneView['drift'];
  overlays: ZoneView['overlays'];
  conditions: readonly ZoneConditionView[] = [];
  /** What the zone holds back as it stands. */
  holds: ZoneView['holds'] = [];
  /** The overlays that have ended and that it still follows in part, as it stands. */
  returns: ZoneView['returns'];
  drains: ZoneView['drains'];
  /** For how long this agent has seen what is held healthy. */
  counts: Counts = new Map();
  /** Attempts in a row that failed, and those that met another writer. */
  failures = 0;
  collisions = 0;
  /** Not before this moment of the monotonic clock. */
  retryAtMs = 0;

  #isKnown: boolean;

  /** `known`: an earlier agent planned it. */
  constructor({ provider, zone }: ZoneAtProvider, nowMs: number, known?: 'known') {
    this.#isKnown = known === 'known';
    this.provider = provider;
    this.zone = zone;
    this.sinceMs = nowMs;
  }

  /** Whether somebody has planned the zone: something of ours may be in it, whatever the policies say by now. */
  get wasPlanned(): boolean {
    return this.#isKnown || this.plannedAtMs !== undefined;
  }

  /** Takes what the zone is now, and why; returns the conditions that did not stand before. */
  note(
    state: ZoneView['state'],
    conditions: readonly Omit<ZoneConditionView, 'sinceMs'>[],
    nowMs: number,
  ): readonly ZoneConditionView[] {
    if (state !== this.state) this.sinceMs = nowMs;
    this.state = state;
    if (state === 'standby') {
      // The one that leads plans it.
      this.#isKnown = true;
      this.drift = undefined;
      this.overlays = undefined;
      this.drains = undefined;
      this.holds = [];
      this.returns = undefined;
    }
    const before = new Set(this.conditions.map(({ reason, message }) => `${reason} ${message}`));
    this.conditions = conditionsSince(this.conditions, conditions, nowMs);
    return this.conditions.filter(({ reason, message }) => !before.has(`${reason} ${message}`));
  }

  /** Takes what somebody else edited; true when it is not what was known before. */
  noteDrift(drift: Omit<NonNullable<ZoneView['drift']>, 'sinceMs'> | undefined, nowMs: number): boolean {
    const before = this.drift;
    this.drift = drift === undefined ? undefined : { ...drift, sinceMs: before?.sinceMs ?? nowMs };
    return drift !== undefined && drift.lines.join() !== before?.lines.join();
  }

  notePlan(plan: ZonePlan, platform: Platform): void {
    const { nowMs } = plan.author;
    this.plannedAtMs = nowMs;
    this.drains = drainedIn(plan, platform, { nowMs, before: this.drains });
    this.generation = plan.changes.registryBefore.generation;
    this.plan = isEmpty(plan) ? undefined : viewOf(plan);
    this.holds = holdsOf(plan, this.counts);
    this.returns = returnsOf(plan, platform);
    const loud = loudOverlays(plan.notices);
    this.overlays = loud.length === 0 ? undefined : loud.slice(0, mostHosts);
    this.#succeeded();
  }

  /** Takes that the zone was read, and that no policy names it. */
  noteUnnamed(nowMs: number): void {
    this.plannedAtMs = nowMs;
    this.plan = undefined;
    this.drift = undefined;
    this.drains = [];
    this.holds = [];
    this.returns = undefined;
    this.#succeeded();
  }

  #succeeded(): void {
    this.failures = 0;
    this.retryAtMs = 0;
  }
}

/** What moves, and for whom, in a form of bounded size: countries are 250 at most. */
export function viewOf(plan: ZonePlan): NonNullable<ZoneView['plan']> {
  const { changes, impacts } = plan;
  const moving = impacts.filter((impact) => countriesThatMove(impact).length > 0);
  return {
    checksum: checksumOf([plan]),
    records: { delete: changes.delete.length, create: changes.create.length },
    movedShare: shareMovedBy(plan),
    hosts: moving.map(({ host }) => host).slice(0, mostHosts),
    countries: [...new Set(moving.flatMap(countriesThatMove))].toSorted(),
    policies: policiesToWrite(plan),
  };
}

/** The policies of which something is written, those that had no answer before among them. */
function policiesToWrite({ intent, changes, checks }: ZonePlan): readonly string[] {
  const names = new Set([...changes.create, ...changes.delete].map(({ name }) => name));
  const change = policiesThatChange(intent, changes, checks);
  return intent.policies
    .filter(({ policy: { metadata, spec } }) => change.has(metadata.name) || spec.hosts.some((host) => names.has(host)))
    .map(({ policy }) => policy.metadata.name)
    .toSorted();
}

/** What the zone holds back now, before the plan is carried out. */
function holdsOf({ state, intent }: ZonePlan, counts: Counts): readonly HoldView[] {
  const policies = intent.policies.map(({ policy }) => policy);
  return [...standingHolds(policies, state)].flatMap(([policy, held]) => {
    const rule = policies.flatMap((one) => (one.metadata.name === policy ? (failbackOf(one) ?? []) : []))[0];
    if (rule === undefined) return [];
    return held.map((hold): HoldView => {
      const { cluster, sinceMs, by } = hold;
      const healthyMs = counts.get(countKey(policy, cluster))?.healthyMs ?? hold.healthySeconds * 1000;
      const healthySeconds = Math.floor(healthyMs / 1000);
      return {
        policy,
        cluster,
        sinceMs,
        by,
        mode: rule.mode,
        expectedSeconds: expectedSeconds(rule),
        healthySeconds,
        ends: endOf({ ...hold, healthySeconds }, rule),
      };
    });
  });
}

function returnsOf({ provider, state, intent }: ZonePlan, platform: Platform): ZoneView['returns'] {
  const policies = intent.policies.map(({ policy }) => policy);
  const views = returnViews(policies, standingReturns(platform, { provider, ...state }));
  return views.length === 0 ? undefined : views;
}

const mostHosts = 20;
const latelyMs = 10 * 60_000;

/** Notices of what a person did on purpose, often in an outage: an agent does not take it back by itself. */
const byHand: ReadonlySet<SteeringReason> = new Set([
  'RolledBack',
  'HealthCheckOverridden',
  'HealthCheckOfOthers',
  'HealthCheckGone',
]);

/** What the next step depends on. */
export function plannedZone(plan: ZonePlan): PlannedZone {
  const { impacts, intent, health, overGuard, state, zone, author, notices } = plan;
  const moving = new Set(impacts.filter((impact) => worstShare(impact) > 0).map(({ host }) => host));
  const unseen = intent.policies
    .filter(({ policy }) => policy.spec.hosts.some((host) => moving.has(host)))
    .map(({ policy }) => policy.metadata.name)
    .filter((name) => health.every((one) => one.policy !== name || one.healthy === undefined));
  return {
    changes: !isEmpty(plan),
    overGuard: overGuard.map(overGuardText),
    unseen,
    undoes: notices.filter(({ reason }) => byHand.has(reason)),
    appliesLately: readApplied(zone, state.records).filter(({ atMs }) => atMs > author.nowMs - latelyMs).length,
  };
}

/** The conditions as they are now; one that stood before keeps its time. */
function conditionsSince(
  before: readonly ZoneConditionView[],
  now: readonly Omit<ZoneConditionView, 'sinceMs'>[],
  nowMs: number,
): readonly ZoneConditionView[] {
  return now.map((one) => {
    const same = before.find(({ reason, message }) => reason === one.reason && message === one.message);
    return { ...one, sinceMs: same?.sinceMs ?? nowMs };
  });
}

/** The state of a zone for which nothing is written. */
export const stateOf = {
  nothing: 'inForce',
  show: 'planned',
  wait: 'waits',
  apply: 'planned',
} as const satisfies Readonly<Record<Step['does'], ZoneMemory['state']>>;

/** Names a zone among the memories of an agent. */
export const keyOf = ({ provider, zone }: ZoneAtProvider): string => `${provider} ${zone}`;

/** The memories of zones that were planned before this agent started. */
export function memoriesOf(zones: readonly ZoneAtProvider[], nowMs: number): Map<string, ZoneMemory> {
  return new Map(zones.map((zone) => [keyOf(zone), new ZoneMemory(zone, nowMs, 'known')]));
}

/** Those that somebody has planned. */
export function plannedAmong(memories: ReadonlyMap<string, ZoneMemory>): readonly ZoneAtProvider[] {
  return [...memories.values()].filter(({ wasPlanned }) => wasPlanned);
}
