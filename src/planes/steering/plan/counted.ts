import type { RecordSet } from '../../../answers/record.ts';
import type { AddressCheck, Reading } from '../dialects/dialect.ts';
import type { OtherCheck, ZoneReader, ZoneState } from '../providers/provider.ts';
import type { SteeringNotice } from '../reasons.ts';
import type { CheckUpdate } from '../records/checks.ts';
import { checksInUse } from './checks-in-use.ts';

/** How a provider counts health checks otherwise than the endpoint is: true for healthy, by key. */
export type CountedChecks = ReadonlyMap<string, boolean>;

export interface Counted {
  readonly before: CountedChecks;
  readonly after: CountedChecks;
  readonly notices: readonly SteeringNotice[];
}

/** The checks of a reading that fail while these addresses are down, but for those that count otherwise. */
export function failingChecks(
  { checks }: Pick<Reading, 'checks'>,
  down: ReadonlySet<string>,
  counted: CountedChecks = new Map(),
): readonly AddressCheck[] {
  return checks.filter(({ key, address }) => !(counted.get(key) ?? !down.has(address)));
}

interface Sides {
  /** The hosts that the plan is about. */
  readonly hosts: readonly string[];
  /** The records after the plan. */
  readonly after: readonly RecordSet[];
  /** The checks of ours whose settings the plan puts right. */
  readonly updated: readonly Pick<CheckUpdate, 'key'>[];
}

/**
 * The checks on the way of these hosts whose verdict is not that of the endpoint: ours that somebody inverted or disabled, and those of
 * somebody else. What nobody can tell counts as failing: together with the world where everything is healthy, a plan is then judged in
 * both.
 */
export async function countedChecks(reader: ZoneReader, state: ZoneState, sides: Sides): Promise<Counted> {
  const [before, after] = [state.records, sides.after].map((records) =>
    checksInUse(
      Map.groupBy(records, ({ name }) => name),
      sides.hosts,
    ),
  ) as [readonly AddressCheck[], readonly AddressCheck[]];
  const used = new Map([...before, ...after].map((check) => [check.key, check.address]));
  const odd = [...used].flatMap(([key, address]) => oddCheck(state, key, address) ?? []);
  if (odd.length === 0) return { before: new Map(), after: new Map(), notices: [] };
  const ask = [...new Set(odd.flatMap((check) => check.calculated?.children ?? (check.isTold ? [check.key] : [])))];
  const told = (ask.length === 0 ? undefined : await reader.readHealth?.(state, ask)) ?? new Map<string, boolean>();
  const updated = new Set(sides.updated.map(({ key }) => key));
  const verdicts = new Map(odd.map((check) => [check.key, verdictOf(check, endpointOf(check, state, told))]));
  const counts = (checks: readonly AddressCheck[], some: (check: OddCheck) => boolean): CountedChecks => {
    const keys = new Set(checks.map(({ key }) => key));
    return new Map(
      odd.filter((check) => keys.has(check.key) && some(check)).map(({ key }) => [key, verdicts.get(key) === true]),
    );
  };
  return {
    before: counts(before, () => true),
    after: counts(after, ({ key }) => !updated.has(key)),
    notices: odd.map((check) => noticeOf(check, verdicts.get(check.key), updated.has(check.key))),
  };
}

interface OddCheck {
  readonly key: string;
  readonly address: string;
  readonly id: string;
  readonly isOurs: boolean;
  readonly disabled: boolean;
  readonly inverted: boolean;
  readonly isTold: boolean;
  readonly calculated: OtherCheck['calculated'];
  /** True when the account has no such check. */
  readonly isGone?: true;
}

function oddCheck({ healthChecks, otherHealthChecks }: ZoneState, key: string, address: string): OddCheck | undefined {
  const ours = healthChecks.get(key);
  const other = otherHealthChecks?.get(key);
  if (ours !== undefined) {
    const { disabled, inverted } = ours.settings;
    return disabled || inverted
      ? { key, address, id: ours.id, isOurs: true, disabled, inverted, isTold: true, calculated: undefined }
      : undefined;
  }
  if (other !== undefined)
    return {
      key,
      address,
      id: other.id,
      isOurs: false,
      ...other.settings,
      isTold: other.isTold,
      calculated: other.calculated,
    };
  // A check of ours that is to be created is none of the provider's yet.
  return key.startsWith('id:')
    ? {
        key,
        address,
        id: key.slice('id:'.length),
        isOurs: false,
        disabled: false,
        inverted: false,
        isTold: false,
        calculated: undefined,
        isGone: true,
      }
    : undefined;
}

/**
 * What a check sees. No provider tells that of a calculated one, which counts the checks that it is made of as these count: disabled ones
 * as healthy, inverted ones the other way round. Undefined where those of which nobody can tell decide.
 */
function endpointOf(
  { key, calculated }: OddCheck,
  { healthChecks, otherHealthChecks }: ZoneState,
  told: ReadonlyMap<string, boolean>,
): boolean | undefined {
  if (calculated === undefined) return told.get(key);
  const verdicts = calculated.children.map((child) => {
    const settings = (healthChecks.get(child) ?? otherHealthChecks?.get(child))?.settings;
    return settings === undefined ? undefined : verdictOf(settings, told.get(child));
  });
  const sure = verdicts.filter((verdict) => verdict === true).length;
  const possible = verdicts.filter((verdict) => verdict !== false).length;
  if (sure >= calculated.threshold) return true;
  return possible < calculated.threshold ? false : undefined;
}

/** Undefined where nobody can tell. */
function verdictOf(
  { disabled, inverted }: Pick<OddCheck, 'disabled' | 'inverted'>,
  endpoint: boolean | undefined,
): boolean | undefined {
  const healthy = disabled ? true : endpoint;
  return healthy === undefined ? undefined : healthy !== inverted;
}

function noticeOf(
  { id, address, isOurs, disabled, inverted, calculated, isGone }: OddCheck,
  verdict: boolean | undefined,
  isUpdated: boolean,
): SteeringNotice {
  const counts =
    verdict === undefined
      ? 'what it says is not known, and is taken for failing'
      : verdict
        ? 'it counts as healthy'
        : 'it counts as failing';
  const madeOf =
    calculated === undefined
      ? ''
      : `, which wants ${calculated.threshold} of ${calculated.children.length} other checks healthy`;
  if (isGone === true)
    return {
      reason: 'HealthCheckGone',
      message: `records with ${address} use the health check ${id}, which this account does not have (deleted, or of another account): ${counts}`,
    };
  if (!isOurs)
    return {
      reason: 'HealthCheckOfOthers',
      message: `records with ${address} use the health check ${id} of somebody else${madeOf}: ${counts}`,
    };
  const how = [...(disabled ? ['disabled'] : []), ...(inverted ? ['inverted'] : [])].join(' and ');
  return {
    reason: 'HealthCheckOverridden',
    message: `somebody ${how} the health check ${id} of ${address}: ${counts}, whatever the endpoint does${isUpdated ? '; this plan ends that' : ''}`,
  };
}
