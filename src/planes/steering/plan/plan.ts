import { createHash } from 'node:crypto';
import type { Holds } from '../../../answers/hold.ts';
import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import { type Returns, withReturns } from '../../../answers/returns.ts';
import { type CountryWeights, countedAlike } from '../../../model/country-weights.ts';
import { networksOfPolicy } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type Intent, intentOf, policiesOf, type ZoneAtProvider, zonesOf } from '../compile/intent.ts';
import { type Recovery, recoveriesByPolicy } from '../compile/recovery.ts';
import type { Dialect, ProviderName, Reading } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneReader, ZoneState } from '../providers/provider.ts';
import { SteeringError, type SteeringNotice } from '../reasons.ts';
import { readApplied, withRoom } from '../records/applied.ts';
import { type Batch, batchesOf } from '../records/batches.ts';
import { type Changes, changesOf } from '../records/changes.ts';
import type { CheckChanges } from '../records/checks.ts';
import { collectionsShort } from '../records/collections.ts';
import { readable } from '../records/foreign.ts';
import { besides } from '../records/neighbours.ts';
import { type Quotas, refuseFullZone, shortageOf } from '../records/quota.ts';
import { isNote, registryOf } from '../records/registry.ts';
import { everything, type HeldBack, scopeOf, type Task } from '../records/scope.ts';
import { hiding } from '../records/wildcards.ts';
import { checksOf, type FoundZone, intentWith } from './checks.ts';
import { wrongClocks } from './clock.ts';
import { type CountedChecks, countedChecks } from './counted.ts';
import { brokenBy, guardOf, type OverGuard } from './guard.ts';
import { holdNotices, holdsAfter, isWatchedBy, movedBy, partlyDown, standingHolds, withHolds } from './holds.ts';
import { type HostImpact, impactsOf } from './impact.ts';
import { digestOfInputs, inputsOf, withInputs } from './inputs.ts';
import { noZone } from './no-zone.ts';
import { aboutUsers, drainedAtRelease, leavesRollback, leftAlone } from './notices.ts';
import { downByHost, type PresentHealth, type Probe, policiesAsked, presentHealth } from './present.ts';
import { returnNotices, returnsAfter } from './returns.ts';
import { type Author, type Window, windowsOf, withJournals } from './window.ts';

/**
 * What would be done in one zone of one provider. Nothing depends on the time or on chance but what is known of health and of earlier
 * applies, and the notes in `batches`.
 */
export interface ZonePlan {
  readonly provider: ProviderName;
  readonly zone: string;
  readonly task: Task;
  readonly state: ZoneState;
  /** What the policies want, without the hosts that are held back. */
  readonly intent: Intent;
  /** The clusters that the zone holds back when the plan is carried out. */
  readonly holds: Holds;
  /** The overlays that have ended and that the zone still follows in part when the plan is carried out. */
  readonly returns: Returns;
  /** Hosts of the policies that are left as they stand, and why. */
  readonly heldBack: readonly HeldBack[];
  readonly changes: Changes;
  readonly batches: readonly Batch[];
  /** Who makes the plan, and when; no part of its checksum. */
  readonly author: Author;
  /** Digest of what the plan is made from. */
  readonly inputs: string;
  readonly checks: CheckChanges;
  /** What the account may hold; absent in an empty plan, and when the provider does not say. */
  readonly quotas?: Quotas;
  /** How long users may be led to a failed cluster, by policy; the slowest of each policy first. */
  readonly recoveries: readonly (Recovery & { readonly policy: string })[];
  readonly impacts: readonly HostImpact[];
  /** For how much of the traffic each country counts in `impacts`, `windows` and `overGuard`; no part of the checksum. */
  readonly weights: CountryWeights;
  /** What was moved lately of hosts, by host. */
  readonly windows: ReadonlyMap<string, Window>;
  /** The health of the entries of the policies whose answers change. */
  readonly health: readonly PresentHealth[];
  /** The checks that count otherwise than their endpoints are after the plan. */
  readonly countedAfter: CountedChecks;
  /** What the guards of the policies do not allow. */
  readonly overGuard: readonly OverGuard[];
  readonly notices: readonly SteeringNotice[];
}

/** By whom a plan is made, and what it may ask. */
export interface Asked {
  /** Makes a health check that no provider tells the outcome of; without it the health of such an entry is not known. */
  readonly probe?: Probe;
  /** For how much of the traffic each country counts; without it all count the same. */
  readonly weights?: CountryWeights;
  /** Who will have applied the plan. */
  readonly by?: string;
  /** Why, in that person's words. */
  readonly reason?: string;
  /**
   * Of which policies the present health is read: by default of those whose answers change; `ifNothingChanges`: where there is none of these, of
   * all; `all`: of all. Providers tell it slowly.
   */
  readonly health?: 'ifNothingChanges' | 'all';
  /** How many health checks the plans of other zones, which are applied before this one, add to the account. */
  readonly pendingChecks?: number;
}

/**
 * Plans every zone of a provider, or of all, that the policies name, each with a reader of `connect`. Throws what `planStep`
 * throws, and an InputError when there is no such zone.
 */
export async function planZones(
  platform: Platform,
  provider: ProviderName | 'all',
  connect: (provider: ProviderName) => Promise<ZoneReader>,
  nowMs: number,
  asked: Asked = {},
): Promise<readonly ZonePlan[]> {
  const zones = zonesOf(platform).filter((zone) => provider === 'all' || zone.provider === provider);
  if (zones.length === 0) throw noZone(platform.policies.size === 0 ? 'all' : provider);
  return planEach(platform, { zones, purpose: everything }, connect, nowMs, asked);
}

/** Plans these zones for one purpose. */
export async function planEach(
  platform: Platform,
  { zones, purpose }: { readonly zones: readonly ZoneAtProvider[]; readonly purpose: Purpose },
  connect: (provider: ProviderName) => Promise<ZoneReader>,
  nowMs: number,
  asked: Asked = {},
): Promise<readonly ZonePlan[]> {
  const plans: ZonePlan[] = [];
  // One reader for all zones of a provider, because its limits count for all of them together.
  const readers = new Map<ProviderName, ZoneReader>();
  for (const zone of zones) {
    const reader = readers.get(zone.provider) ?? (await connect(zone.provider));
    readers.set(zone.provider, reader);
    const pendingChecks = plans
      .filter((plan) => plan.provider === zone.provider)
      .reduce((sum, { checks }) => sum + checks.create.length + checks.createCounting.length - checks.delete.length, 0);
    plans.push(await planStep(platform, reader, { zone: zone.zone, purpose }, nowMs, { ...asked, pendingChecks }));
  }
  return plans;
}

/** What a plan is to do: all that the policies want, or a step of ownership. Plain records of a release are found in the zone. */
export type Purpose =
  | Exclude<Task, { readonly kind: 'release' }>
  | { readonly kind: 'release'; readonly host: string; readonly to?: readonly RecordSet[] };

/**
 * Reads the zone and plans; throws a SteeringError, or for bad input an InputError, when the plan must not exist. A purpose that is
 * about one host touches nothing else.
 */
export async function planStep(
  written: Platform,
  reader: ZoneReader,
  { zone, purpose }: { readonly zone: string; readonly purpose: Purpose },
  nowMs: number,
  { probe, weights = countedAlike(), by = 'unknown', reason, health: whose, pendingChecks = 0 }: Asked = {},
): Promise<ZonePlan> {
  const dialect = dialects[reader.name];
  const networks = policiesOf(written, reader.name, zone).some(({ spec }) => networksOfPolicy(spec).length > 0);
  const read = await reader.read(zone, { networks });
  const state = 'host' in purpose ? { ...read, strayHealthChecks: [] } : read;
  const { task, notices } = taskOf(purpose, dialect, read);
  const returns = returnsAfter(task, written, { provider: reader.name, ...read });
  const platform = withReturns(written, returns);
  const named = policiesOf(platform, reader.name, zone);
  const holds = holdsAfter(task, standingHolds(named, read), zone);
  const whole = intentOf(platform, reader.name, zone, nowMs, holds);
  const { wanted, heldBack, hosts } = scopeOf(whole.wanted, state.records, dialect, task);
  const intent = intentWith(whole, wanted, task);
  const answering = changesOf(wanted, state.records, dialect);
  const changes = withHolds(answering, task, state, { holds, returns });
  const found = { intent, state, changes, limits: dialect.limits, nowMs };
  const checks = checksOf(task, whole, found);
  const watched = { reader, state, ...withoutUndefined({ probe }) };
  const health = await presentHealth(intent, policiesAsked(intent, answering, checks, whose), watched);
  const next = after(state.records, changes);
  const [before, then] = [readingOf(dialect, state.records), readingOf(dialect, next)];
  const counted = await countedChecks(reader, state, { hosts, after: next, updated: checks.update });
  const impacts = impactsOf(platform, hosts, before, then, { downNow: downByHost(intent, health), counted, weights });
  const records = state.records.filter(({ name }) => isNote(zone, name));
  const windows = windowsOf(intent, impacts, records, nowMs, weights);
  const inputs = inputsOf(platform, { provider: reader.name, zone }, nowMs, holds);
  const author = { by, nowMs, ...withoutUndefined({ reason }) };
  const told = withJournals(intent, changes, movedBy(task, impacts), { records, ...author });
  const journaled = withoutNotes(whole, task, state, withInputs(inputs, intent, told, records));
  const known = [...whole.wanted.hosts, ...changes.registryBefore.hosts];
  const plan: ZonePlan = {
    provider: reader.name,
    zone,
    task,
    state,
    intent,
    holds,
    returns,
    heldBack,
    changes,
    batches: batchesOf(wanted, journaled, withRoom(dialect.limits), checks),
    author,
    inputs: digestOfInputs(inputs),
    checks,
    recoveries: recoveriesByPolicy(dialect, intent.policies),
    impacts,
    weights,
    windows,
    health,
    countedAfter: counted.after,
    overGuard: [...judged({ task, intent }, impacts, windows), ...brokenBy(hosts, next)],
    notices: [
      ...notices,
      ...counted.notices,
      ...besides(hosts, state.records),
      ...hosts.flatMap((host) => hiding({ zone, hosts: known }, host, state.records)),
      ...intent.notices,
      ...holdNotices(named, holds, isWatchedBy(reader)),
      ...partlyDown(named, holds, health),
      ...returnNotices(named, returns),
      ...(task.kind === 'release' ? [] : intent.policies.flatMap(leftAlone)),
      ...changes.notices,
      ...wrongClocks(reader.name, state, readApplied(zone, records), nowMs),
      ...leavesRollback(task, changes, readApplied(zone, records)),
      ...aboutUsers(platform, intent, impacts, nowMs),
      ...(task.kind === 'release' ? drainedAtRelease(platform, policyOf(intent, task.host), nowMs) : []),
    ],
  };
  return withinQuotas(plan, reader, {
    pendingChecks,
    makeRoom: (short, reason) => roomOnly(plan, whole, found, short, reason),
  });
}

/** What the guards of the policies do not allow of these impacts. */
function judged(
  { task, intent }: Pick<ZonePlan, 'task' | 'intent'>,
  impacts: readonly HostImpact[],
  windows: ReadonlyMap<string, Window>,
): readonly OverGuard[] {
  const overGuard = guardOf(task);
  return impacts.flatMap((impact) => overGuard(policyOf(intent, impact.host), impact, windows.get(impact.host)));
}

type QuotaReason = 'HealthCheckQuota' | 'CollectionQuota';

interface Fitting {
  readonly pendingChecks: number;
  /** The plan that only makes room, because this text says that there is too little; undefined where nothing is to be had. */
  readonly makeRoom: (short: string, reason: QuotaReason) => ZonePlan | undefined;
}

/** The plan with the quotas of the account. Throws TooManyRecords, and HealthCheckQuota when the plan does not fit. */
async function withinQuotas(wanted: ZonePlan, reader: ZoneReader, fitting: Fitting): Promise<ZonePlan> {
  const { pendingChecks, makeRoom } = fitting;
  const crowded = collectionsShort(wanted.zone, wanted.checks.collections, wanted.state.collections);
  const room = crowded === undefined ? undefined : makeRoom(crowded, 'CollectionQuota');
  if (room !== undefined) return room;
  const plan = crowded === undefined ? wanted : noticing(wanted, { reason: 'CollectionQuota', message: crowded });
  if (isEmpty(plan) || reader.readQuotas === undefined) return plan;
  const { healthChecks, countingChecks, collections } = plan.intent;
  const used = { checks: [...healthChecks, ...countingChecks], networks: collections.length > 0 };
  const quotas = await reader.readQuotas(plan.state, used);
  if (quotas === undefined) return noticing(plan, quotaUnknown);
  const { delete: gone } = plan.checks;
  const create = [...plan.checks.create, ...plan.checks.createCounting];
  refuseFullZone(plan.zone, quotas.records, plan.batches);
  const numbers = { create: create.length, delete: gone.length, pending: pendingChecks };
  const shortage = shortageOf(quotas.healthChecks, numbers);
  if (shortage === 0) return { ...plan, quotas };
  const { limit, count } = quotas.healthChecks;
  const others = pendingChecks > 0 ? `, ${pendingChecks} more for zones before it` : '';
  const short = `the account may have ${limit} health checks and has ${count}${others}; the zone ${plan.zone} needs ${create.length} new ones, ${shortage} too many`;
  const made = makeRoom(short, 'HealthCheckQuota');
  if (made !== undefined) return { ...made, quotas };
  const message = `${short}; ask the provider for a higher quota, or name fewer clusters in the policies`;
  throw new SteeringError('HealthCheckQuota', message);
}

const noticing = (plan: ZonePlan, notice: SteeringNotice): ZonePlan => ({
  ...plan,
  notices: [...plan.notices, notice],
});

const quotaUnknown: SteeringNotice = {
  reason: 'QuotaUnknown',
  message:
    'the quotas of the account are not known; allow route53:GetAccountLimit and route53:GetHostedZoneLimit to see them',
};

/**
 * The plan without all that needs new health checks or collections: it retires and deletes unused ones, and no answer changes. Undefined when there
 * are none.
 */
function roomOnly(
  plan: ZonePlan,
  whole: Intent,
  found: FoundZone,
  short: string,
  reason: QuotaReason,
): ZonePlan | undefined {
  const { changes, intent, task } = plan;
  const created = new Set(changes.create);
  const wanted = {
    ...intent.wanted,
    records: [...intent.wanted.records.filter((record) => !created.has(record)), ...changes.delete],
    hosts: changes.registryBefore.hosts,
    partial: true,
  };
  const asIs = { ...changes, create: [], delete: [] };
  const all = checksOf(task, whole, { ...found, intent: { ...intent, wanted }, changes: asIs });
  const collections = { ...all.collections, create: [] };
  const retired = all.retire.length + collections.retire.length;
  const checks = { ...all, create: [], update: [], observe: [], collections, isFenced: retired > 0 };
  if (retired + checks.delete.length + collections.delete.length === 0) return undefined;
  const message = `${short}; this plan changes no answer and only makes room: apply it, and plan again when what it retires may be deleted, an hour later`;
  return {
    ...plan,
    intent: { ...intent, wanted },
    changes: asIs,
    batches: batchesOf(wanted, asIs, found.limits, checks),
    checks,
    impacts: [],
    windows: new Map(),
    health: [],
    countedAfter: new Map(),
    overGuard: [],
    notices: [{ reason, message }],
  };
}

function policyOf({ policies }: Intent, host: string): TrafficPolicy | undefined {
  return policies.find(({ policy }) => policy.spec.hosts.includes(host))?.policy;
}

/** The changes with the notes about earlier applies deleted, when nothing of ours is left in the zone that they could be about. */
function withoutNotes({ wanted }: Intent, task: Task, { zone, records }: ZoneState, changes: Changes): Changes {
  if (task.kind !== 'remove' || wanted.hosts.length > 0) return changes;
  const known = new Set(changes.delete);
  const notes = records.filter((record) => isNote(zone, record.name) && !known.has(record));
  const create = changes.create.filter((record) => !isNote(zone, record.name));
  return { ...changes, create, delete: [...changes.delete, ...notes] };
}

function taskOf(
  purpose: Purpose,
  dialect: Dialect,
  { zone, records }: ZoneState,
): { readonly task: Task; readonly notices: readonly SteeringNotice[] } {
  if (purpose.kind !== 'release') return { task: purpose, notices: [] };
  const { host, to } = purpose;
  if (!registryOf(zone, records).hosts.includes(host)) {
    throw new SteeringError(
      'NotOwned',
      `Tideline does not answer for ${host} in the zone ${zone} of ${dialect.title}; leave that provider out with --provider`,
    );
  }
  const plain = to === undefined ? dialect.plain(host, records) : { records: to, notices: [] };
  return { task: { kind: 'release', host, records: plain.records }, notices: plain.notices };
}

/** The zone as its provider reads it when a plan is carried out. */
export function readingAfter({ provider, state, changes }: Pick<ZonePlan, 'provider' | 'state' | 'changes'>): Reading {
  return readingOf(dialects[provider], after(state.records, changes));
}

/** Records of the zone as the dialect reads them, those of others among them. */
export function readingOf(dialect: Dialect, records: readonly RecordSet[]): Reading {
  return dialect.interpret(readable(records));
}

/** The records of the zone when the changes are made. */
function after(records: readonly RecordSet[], changes: Changes): readonly RecordSet[] {
  const deleted = new Set(changes.delete);
  return [...records.filter((record) => !deleted.has(record)), ...changes.create];
}

/** True when there is nothing to do. */
export function isEmpty(plan: ZonePlan): boolean {
  const { batches, checks } = plan;
  const { create, delete: unused } = checks.collections;
  const lists = [batches, checks.create, checks.createCounting, checks.delete, create, unused];
  return lists.every((list) => list.length === 0);
}

/**
 * A text that identifies exactly what the plans would do, and on top of which generation. Who applies them and when is no part of it, nor
 * are the notes about that.
 */
export function checksumOf(plans: readonly ZonePlan[]): string {
  const hash = createHash('sha256');
  for (const plan of plans) {
    const { before, delete: unwanted, create } = plan.changes;
    const records = [before === undefined ? [] : [before], unwanted, create].map((some) => some.map(formatRecord));
    const { create: created, createCounting: counting, update, retire, delete: gone } = plan.checks;
    const { create: collections, retire: unused, delete: past } = plan.checks.collections;
    // What plans had no part of at first is left out where there is none of it: the checksum of a plan stays what it was.
    const networks: readonly unknown[][] = [[...collections], [...unused], [...past]];
    const more = [counting, networks].filter((some) => some.flat().length > 0);
    const checks = [created, update, retire, gone, ...more];
    const { hosts } = plan.intent.wanted;
    hash.update(JSON.stringify([plan.provider, plan.zone, plan.state.zoneId, hosts, records, checks]));
  }
  return hash.digest('hex').slice(0, 16);
}
