import type { RecordSet } from '../../../answers/record.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { CountingCheck } from '../compile/counting.ts';
import type { HealthCheck } from '../compile/entries.ts';
import type { CollectionChanges } from './collections.ts';
import { isPastGrace, type Retired, retiredName } from './retired.ts';

/** The settings of a check that a provider changes in place. */
export interface CheckSettings {
  readonly port: number;
  /** Value of the Host header. */
  readonly host: string;
  readonly failureThreshold: number;
  /** What a check that searches the answer looks for. */
  readonly searchString?: string;
  /** True only when somebody else disabled the check, which then counts as healthy. */
  readonly disabled: boolean;
  /** True only when somebody else inverted the check. */
  readonly inverted: boolean;
}

/** A health check of ours as the provider holds it. */
export interface HeldCheck {
  /** The provider's own identifier. */
  readonly id: string;
  /** Counts the changes of the check, so that a change of somebody else is noticed. */
  readonly version: number;
  readonly settings: CheckSettings;
}

/** A check whose settings are changed while records go on to use it. */
export interface CheckUpdate {
  readonly key: string;
  readonly held: HeldCheck;
  readonly after: CheckSettings;
  /** Present when the check counts others: it has no endpoint. */
  readonly counts?: true;
}

/**
 * A check that records are about to use for the first time. Until its checkers know the endpoint, it counts as healthy whatever
 * the endpoint does, so records must not use it before.
 */
export interface UnprovenCheck {
  readonly check: HealthCheck;
  /** Identifiers of the checks that watch the same address for the records as they are. */
  readonly replaces: readonly string[];
}

/** What is to be done about health checks. */
export interface CheckChanges {
  readonly create: readonly HealthCheck[];
  /** Checks that count others. Nobody can observe them; what they count is observed before any record uses it. */
  readonly createCounting: readonly CountingCheck[];
  readonly update: readonly CheckUpdate[];
  /** Those to observe before any record uses them; among them are those to create. */
  readonly observe: readonly UnprovenCheck[];
  /** Identifiers of checks that no record uses after this plan. A later apply deletes them. */
  readonly retire: readonly string[];
  /** Identifiers of checks that an earlier apply retired, and whose grace is over. */
  readonly delete: readonly string[];
  readonly collections: CollectionChanges;
  /** What the generation record says of retired checks and collections after the plan. */
  readonly retired: readonly Retired[];
  /** True when the generation record must be swapped, even when no record changes. */
  readonly isFenced: boolean;
}

/** A zone's records and our checks, as they are. */
export interface CurrentChecks {
  readonly records: readonly RecordSet[];
  readonly healthChecks: ReadonlyMap<string, HeldCheck>;
  readonly strayHealthChecks: readonly string[];
  readonly retiredHealthChecks: readonly string[];
}

export interface CheckScope {
  /** True when the zone has answers of ours. In one that has none, a check that is not known yet makes nobody's answer worse. */
  readonly answers: boolean;
  /** Keys of checks that stay: those that records name after the plan, and those of clusters that policies name. */
  readonly kept: ReadonlySet<string>;
  readonly retired: readonly Retired[];
  /** How many more checks may be retired. */
  readonly retireRoom: number;
  readonly nowMs: number;
}

/** The difference of the checks that records need, those that count others among them, and those that the provider holds. */
export function checkChangesOf(
  wanted: readonly HealthCheck[],
  current: CurrentChecks,
  scope: CheckScope,
  counting: readonly CountingCheck[] = [],
): Omit<CheckChanges, 'collections'> {
  const { records, healthChecks } = current;
  const used = new Set(records.flatMap(({ healthCheck }) => healthCheck ?? []));
  const idOf = (key: string): string => healthChecks.get(key)?.id ?? key.replace(/^id:/, '');
  const update = [
    ...wanted.flatMap((check) => updateOf(check, healthChecks.get(check.key)) ?? []),
    ...counting.flatMap(({ key }) => updateOfCounting(key, healthChecks.get(key)) ?? []),
  ];
  const retire = unusedOf([...wanted, ...counting], current, scope.kept).slice(0, scope.retireRoom);
  const gone = deletable(current, scope, used);
  const left = new Set(current.retiredHealthChecks.filter((id) => !gone.includes(id)).map(retiredName));
  const atSeconds = Math.floor(scope.nowMs / 1000);
  return {
    create: wanted.filter(({ key }) => !healthChecks.has(key)),
    createCounting: counting.filter(({ key }) => !healthChecks.has(key)),
    update,
    observe: !scope.answers
      ? []
      : wanted
          .filter(({ key }) => !used.has(key))
          .map((check) => ({ check, replaces: watchersOf(check.address, records).map(idOf) })),
    retire,
    delete: gone,
    retired: [
      ...scope.retired.filter(({ name }) => left.has(name)),
      ...retire.map((id) => ({ name: retiredName(id), atSeconds })),
    ],
    isFenced: update.length + retire.length > 0,
  };
}

/** The checks that are not retired yet and that nothing needs, sorted. */
function unusedOf(
  wanted: readonly Pick<HealthCheck, 'key'>[],
  { healthChecks, strayHealthChecks }: CurrentChecks,
  kept: ReadonlySet<string>,
): readonly string[] {
  const wantedKeys = new Set(wanted.map(({ key }) => key));
  const byKey = [...healthChecks].filter(([key]) => !wantedKeys.has(key) && !kept.has(key));
  const stray = strayHealthChecks.filter((id) => !kept.has(`id:${id}`));
  return [...byKey.map(([, { id }]) => id), ...stray].sort();
}

function deletable(
  { retiredHealthChecks }: CurrentChecks,
  { retired, nowMs }: CheckScope,
  used: ReadonlySet<string>,
): readonly string[] {
  const past = new Set(retired.filter((one) => isPastGrace(one, nowMs)).map(({ name }) => name));
  return retiredHealthChecks.filter((id) => past.has(retiredName(id)) && !used.has(`id:${id}`)).sort();
}

/** What is to change of a check that the provider holds; undefined when nothing is. */
export function updateOf(check: HealthCheck, held: HeldCheck | undefined): CheckUpdate | undefined {
  if (held === undefined) return undefined;
  const { host } = held.settings;
  const after: CheckSettings = {
    port: check.port,
    // A host that is still in the list stays: the endpoints serve it already, a new one perhaps not yet.
    host: check.hosts.includes(host) ? host : (check.hosts[0] ?? host),
    failureThreshold: check.failureThreshold,
    ...withoutUndefined({ searchString: check.searchString }),
    disabled: false,
    inverted: false,
  };
  return changesText(held.settings, after) === '' ? undefined : { key: check.key, held, after };
}

/** The same of a check that counts others: its key says what it counts, so only what somebody else did to it is undone. */
export function updateOfCounting(key: string, held: HeldCheck | undefined): CheckUpdate | undefined {
  if (held === undefined || !(held.settings.disabled || held.settings.inverted)) return undefined;
  return { key, held, after: { ...held.settings, disabled: false, inverted: false }, counts: true };
}

/** The differences of settings as a person reads them: `failureThreshold 3 -> 4, host a.example -> b.example`. */
export function changesText(before: CheckSettings, after: CheckSettings): string {
  const names = ['port', 'host', 'failureThreshold', 'searchString', 'disabled', 'inverted'] as const;
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name} ${textOf(before[name])} -> ${textOf(after[name])}`)
    .join(', ');
}

/** A text that may have spaces is quoted. */
function textOf(value: CheckSettings[keyof CheckSettings]): string {
  return typeof value === 'string' && /[^\w.-]/.test(value) ? JSON.stringify(value) : String(value);
}

/** The keys of the checks with which records answer with an address. */
function watchersOf(address: string, records: readonly RecordSet[]): readonly string[] {
  const keys = records.flatMap(({ healthCheck, target }) =>
    healthCheck !== undefined && target.kind === 'values' && target.values.includes(address) ? [healthCheck] : [],
  );
  return [...new Set(keys)];
}
