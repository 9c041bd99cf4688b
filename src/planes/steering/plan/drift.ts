import { parseShares } from '../../../answers/distribution.ts';
import { compareRecords, formatRecord, identityOf, type RecordSet } from '../../../answers/record.ts';
import { withReturns } from '../../../answers/returns.ts';
import { type CountryWeights, countedAlike, weightsAmong } from '../../../model/country-weights.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText, messageOf, withoutUndefined } from '../../../model/values.ts';
import type { CountingCheck } from '../compile/counting.ts';
import { familyOf, type HealthCheck } from '../compile/entries.ts';
import { intentOf, policiesOf, type ZoneAtProvider } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneReader, ZoneState } from '../providers/provider.ts';
import { changesText, updateOf, updateOfCounting } from '../records/checks.ts';
import { hostRecord } from '../records/host-records.ts';
import { isBelowRegistry, isDrifted, isUnfinished, ownership, type Registry, registryOf } from '../records/registry.ts';
import { everything, scopeOf } from '../records/scope.ts';
import { keysOf } from './checks.ts';
import { countedChecks } from './counted.ts';
import { standingHolds } from './holds.ts';
import { type HostImpact, impactsOf } from './impact.ts';
import { lastApplied, lastApplyOf } from './last-applied.ts';
import { readingOf } from './plan.ts';
import { standingReturns } from './returns.ts';

/** What somebody else edited of ours in a zone since it was written last. */
export interface Drift {
  readonly generation: number;
  /** Who applied what is in force, and when; absent where the zone does not say. */
  readonly applied?: { readonly by: string; readonly atMs: number; readonly plan: string };
  /** True when anything of ours is otherwise than it was written. */
  readonly isEdited: boolean;
  /**
   * What the zone is compared with: the records of the last apply, or those that the policies want today, where the zone does not tell
   * the former; `unfinished` where an apply was cut off or is still at work, of which nobody can tell what is an edit.
   */
  readonly comparedWith: 'applied' | 'policies' | 'unfinished';
  readonly records: readonly RecordEdit[];
  readonly checks: readonly CheckEdit[];
  /** Whom the edits lead elsewhere, host by host. */
  readonly led: readonly Led[];
  /** How much more, or less, of the traffic each cluster gets by them, or each address of none; the winners first. */
  readonly shares: readonly { readonly to: string; readonly change: number; readonly family?: string }[];
}

interface RecordEdit {
  readonly edit: 'changed' | 'deleted' | 'added';
  /** The record as it was written, and as it is. */
  readonly was?: RecordSet;
  readonly is?: RecordSet;
}

interface CheckEdit {
  readonly id?: string;
  readonly address: string;
  /** What it is now otherwise than it was: `disabled false -> true`, or `deleted`. */
  readonly change: string;
}

interface Led {
  readonly host: string;
  /** `IPv4` or `IPv6`, where the edits do something else to the other. */
  readonly family?: string;
  readonly before: string;
  readonly after: string;
  readonly countries: readonly string[];
  readonly share: number;
}

export type ZoneDrift = ZoneAtProvider & (Drift | { readonly problem: string });

interface Asked {
  readonly nowMs: number;
  /** For how much of the traffic each country counts; without it all count the same. */
  readonly weights?: CountryWeights;
}

/** Reads zones and looks what somebody edited; one that cannot be read does not hide the others. */
export async function readDrifts(
  platform: Platform,
  zones: readonly ZoneAtProvider[],
  connect: (provider: ProviderName) => Promise<ZoneReader>,
  asked: Asked,
): Promise<readonly ZoneDrift[]> {
  const drifts: ZoneDrift[] = [];
  for (const at of zones) {
    const reader = await connect(at.provider);
    try {
      drifts.push({ ...at, ...(await driftOf(platform, reader, await reader.read(at.zone), asked)) });
    } catch (error) {
      drifts.push({ ...at, problem: messageOf(error) });
    }
  }
  return drifts;
}

/** What somebody edited in the zone as it was read; throws UnreadableRegistry. */
export async function driftOf(
  platform: Platform,
  reader: ZoneReader,
  state: ZoneState,
  { nowMs, weights = countedAlike() }: Asked,
): Promise<Drift> {
  const at = { provider: reader.name, zone: state.zone };
  const registry = registryOf(at.zone, state.records);
  const { generation } = registry;
  const apply = lastApplyOf(at.zone, state.records, registry);
  const of = {
    generation,
    ...withoutUndefined({ applied: apply && { by: apply.by, atMs: apply.atMs, plan: apply.plan } }),
  };
  const unchanged = { ...of, isEdited: false, records: [], checks: [], led: [], shares: [] };
  if (generation === 0) return { ...unchanged, comparedWith: 'applied' };
  if (isUnfinished(registry)) return { ...unchanged, comparedWith: 'unfinished' };
  const isEdited = hasOtherRecords(at, state.records, registry);
  const last = lastApplied(platform, at, state.records, registry);
  if (!isEdited && last === undefined) return { ...unchanged, comparedWith: 'policies' };
  const was = last ?? wantedToday(platform, at, state, nowMs);
  const records = isEdited ? recordEdits(at, was.records, state.records, registry) : [];
  const checks = checkEdits(was, state);
  const comparedWith = last === undefined ? 'policies' : 'applied';
  if (records.length + checks.length === 0) return { ...unchanged, isEdited, comparedWith };
  const led = await ledBy({ platform, reader, state, weights }, was.records, records);
  return { ...of, isEdited: true, comparedWith, records, checks, ...led };
}

interface Written {
  readonly records: readonly RecordSet[];
  readonly healthChecks: readonly HealthCheck[];
  readonly countingChecks: readonly CountingCheck[];
}

function wantedToday(written: Platform, { provider, zone }: ZoneAtProvider, state: ZoneState, nowMs: number): Written {
  const platform = withReturns(written, standingReturns(written, { provider, ...state }));
  const holds = standingHolds(policiesOf(platform, provider, zone), state);
  const { wanted, healthChecks, countingChecks } = intentOf(platform, provider, zone, nowMs, holds);
  const scope = scopeOf(wanted, state.records, dialects[provider], everything);
  return { records: scope.wanted.records, healthChecks, countingChecks };
}

function hasOtherRecords(
  { provider, zone }: ZoneAtProvider,
  current: readonly RecordSet[],
  registry: Registry,
): boolean {
  return isDrifted(registry, current.filter(ownership(zone, registry, new Set(dialects[provider].answerTypes))));
}

/** The records of ours that differ, those of hosts among them whose host record is gone. */
function recordEdits(
  { provider, zone }: ZoneAtProvider,
  was: readonly RecordSet[],
  current: readonly RecordSet[],
  registry: Registry,
): readonly RecordEdit[] {
  const named = was.map(({ name }) => name).filter((name) => !isBelowRegistry(zone, name));
  const hosts = [...new Set([...registry.hosts, ...named])];
  const listed = new Set(registry.listed);
  const hostRecords = hosts.filter((host) => !listed.has(host)).map((host) => hostRecord(zone, host));
  const names = new Set(hostRecords.map(({ name }) => name));
  const isOurs = ownership(zone, { hosts }, new Set(dialects[provider].answerTypes));
  const is = new Map(
    current
      .filter((record) => isOurs(record) || (names.has(record.name) && record.type === 'TXT'))
      .map((record) => [identityOf(record), record]),
  );
  const before = new Map([...was, ...hostRecords].map((record) => [identityOf(record), record]));
  const gone = [...before].flatMap(([identity, record]): readonly RecordEdit[] => {
    const now = is.get(identity);
    if (now === undefined) return [{ edit: 'deleted', was: record }];
    return formatRecord(now) === formatRecord(record) ? [] : [{ edit: 'changed', was: record, is: now }];
  });
  const added = [...is].flatMap(([identity, record]): readonly RecordEdit[] =>
    before.has(identity) ? [] : [{ edit: 'added', is: record }],
  );
  const textOf = ({ was: old, is: now }: RecordEdit): RecordSet => (now ?? old) as RecordSet;
  return [...gone, ...added].sort((a, b) => compareRecords(textOf(a), textOf(b)));
}

/** The health checks of the records that were written, where they are gone or somebody set them otherwise. */
function checkEdits({ records, healthChecks, countingChecks }: Written, state: ZoneState): readonly CheckEdit[] {
  const used = keysOf(records);
  const counting = countingChecks
    .filter(({ key }) => used.has(key))
    .flatMap(({ key, children }): readonly CheckEdit[] => {
      const address = healthChecks.flatMap((check) => (children.includes(check.key) ? check.address : [])).join(', ');
      const held = state.healthChecks.get(key);
      if (held === undefined) return [{ address, change: 'deleted' }];
      const update = updateOfCounting(key, held);
      return update === undefined ? [] : [{ id: held.id, address, change: changesText(update.after, held.settings) }];
    });
  const watching = healthChecks
    .filter(({ key }) => used.has(key))
    .flatMap((check): readonly CheckEdit[] => {
      const { address, key } = check;
      const held = state.healthChecks.get(key);
      if (held === undefined) return [{ address, change: 'deleted' }];
      const update = updateOf(check, held);
      return update === undefined ? [] : [{ id: held.id, address, change: changesText(update.after, held.settings) }];
    });
  return [...watching, ...counting];
}

interface Means {
  readonly platform: Platform;
  readonly reader: ZoneReader;
  readonly state: ZoneState;
  readonly weights: CountryWeights;
}

/** Whom the edits lead elsewhere, with the checks as they count now. */
async function ledBy(
  { platform, reader, state, weights }: Means,
  was: readonly RecordSet[],
  edits: readonly RecordEdit[],
): Promise<Pick<Drift, 'led' | 'shares'>> {
  const dialect = dialects[reader.name];
  const edited = new Set(edits.flatMap(({ is }) => is ?? []));
  const written = [
    ...state.records.filter((record) => !edited.has(record)),
    ...edits.flatMap(({ was: record }) => record ?? []),
  ];
  const hosts = [...new Set(was.map(({ name }) => name))].filter((name) => !isBelowRegistry(state.zone, name));
  const counted = await countedChecks(reader, state, { hosts, after: state.records, updated: [] });
  const impacts = impactsOf(platform, hosts, readingOf(dialect, written), readingOf(dialect, state.records), {
    counted: { before: new Map(), after: counted.before },
    weights,
  });
  const led = impacts.flatMap(ledOf);
  const places = new Map(
    impacts.map(({ host, families }) => [
      host,
      families.flatMap(({ groups }) => groups.flatMap(({ countries }) => countries)),
    ]),
  );
  return { led, shares: sharesOf(led, (host) => weightsAmong(weights, [...new Set(places.get(host))])) };
}

/** The groups that are answered otherwise: once where both families have the same. */
function ledOf({ host, families }: HostImpact): readonly Led[] {
  const moved = families.map(({ type, now, ...healthy }) => ({
    family: familyOf(type),
    groups: (now ?? healthy).groups
      .filter(({ before, after }) => before !== after)
      .map(({ before, after, countries, movedShare: share }) => ({ before, after, countries, share })),
  }));
  const isAlike = new Set(moved.map(({ groups }) => JSON.stringify(groups))).size < 2;
  if (isAlike) return (moved[0]?.groups ?? []).map((group) => ({ host, ...group }));
  return moved.flatMap(({ family, groups }) => groups.map((group) => ({ host, family, ...group })));
}

/** What each gains or loses, of the host of which it is most; by family where they differ. */
function sharesOf(led: readonly Led[], weightsAt: (host: string) => (place: string) => number): Drift['shares'] {
  const shares = [...Map.groupBy(led, ({ family }) => family)].flatMap(([family, some]) =>
    [...mostOf(some, weightsAt)].map(([to, change]) => ({ to, change, ...withoutUndefined({ family }) })),
  );
  return shares
    .filter(({ change }) => Math.abs(change) >= 1e-9)
    .sort((a, b) => b.change - a.change || compareText(a.to, b.to));
}

function mostOf(
  led: readonly Led[],
  weightsAt: (host: string) => (place: string) => number,
): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const [host, groups] of Map.groupBy(led, (one) => one.host)) {
    const weightOf = weightsAt(host);
    const ofHost = new Map<string, number>();
    for (const { before, after, countries } of groups) {
      const weight = countries.reduce((sum, code) => sum + weightOf(code), 0);
      for (const [to, share] of parseShares(after)) ofHost.set(to, (ofHost.get(to) ?? 0) + share * weight);
      for (const [to, share] of parseShares(before)) ofHost.set(to, (ofHost.get(to) ?? 0) - share * weight);
    }
    for (const [to, change] of ofHost) if (Math.abs(change) > Math.abs(most.get(to) ?? 0)) most.set(to, change);
  }
  return most;
}
