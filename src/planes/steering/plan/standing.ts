import { answersNow } from '../../../answers/answers.ts';
import { type Distribution, formatShares, sameShares, sumByCluster } from '../../../answers/distribution.ts';
import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import { withReturns } from '../../../answers/returns.ts';
import { isNetwork, networkHolding } from '../../../model/geo/networks.ts';
import { clusterByAddress } from '../../../model/platform/entries.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type AddressType, entriesOf } from '../compile/entries.ts';
import { compileWith } from '../compile/intent.ts';
import type { AddressCheck, Reading } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneReader } from '../providers/provider.ts';
import type { SteeringNotice } from '../reasons.ts';
import { readable } from '../records/foreign.ts';
import { findRegistry, registryOf } from '../records/registry.ts';
import { countedChecks, failingChecks } from './counted.ts';
import { renderHealth } from './health-text.ts';
import { holdNotices, isWatchedBy, standingHolds } from './holds.ts';
import { type PresentHealth, type Probe, presentHealth } from './present.ts';
import { returnNotices, standingReturns } from './returns.ts';

/** What the zone of a policy holds for the users of one country, and what it makes of it in the present health. */
export interface Standing {
  readonly provider: ZoneReader['name'];
  readonly zone: string;
  /** Of the generation record; absent when there is none that can be read. */
  readonly generation?: number;
  /** Whether the generation record says that the host is ours. */
  readonly isOurs: boolean;
  readonly health: readonly PresentHealth[];
  /** Checks that count otherwise than their endpoints are, and clusters that are held back. */
  readonly notices: readonly SteeringNotice[];
  /** A before AAAA; empty when the host has no answer. */
  readonly families: readonly StandingFamily[];
}

export interface StandingFamily {
  readonly type: AddressType;
  /** Shares by cluster while everything is healthy, and in the present or supposed health. */
  readonly healthy: string;
  readonly now: string;
  /** What the policy gives instead, in either health; absent when the zone holds the same. */
  readonly policy?: { readonly healthy: string; readonly now: string };
  /** The records of the zone that decide, outermost first. */
  readonly records: readonly string[];
}

export interface StandingQuestion {
  readonly policy: TrafficPolicy;
  readonly host: string;
  /** A code; undefined for users of unknown location. */
  readonly country: string | undefined;
  /** An address or network in which they are: records that tell it apart answer for it, and not for the country. */
  readonly network?: string;
  /** Clusters that are supposed to be down; absent for the health as it is. */
  readonly supposed?: readonly string[];
  readonly nowMs: number;
  readonly probe?: Probe;
}

/** Reads the zone and says what it answers; throws what the reader throws. */
export async function standingOf(
  platform: Platform,
  reader: ZoneReader,
  { policy, host, country, network = '', supposed, nowMs, probe }: StandingQuestion,
): Promise<Standing> {
  const { zone } = policy.spec.dns;
  const dialect = dialects[reader.name];
  const state = await reader.read(zone);
  const entries = entriesOf(platform, policy);
  const policies = [{ policy, entries }];
  const health =
    supposed === undefined
      ? await presentHealth({ policies }, new Set([policy.metadata.name]), {
          reader,
          state,
          ...withoutUndefined({ probe }),
        })
      : [];
  // What is supposed is supposed of the endpoints, and of checks that say what these are.
  const counted =
    supposed === undefined
      ? await countedChecks(reader, state, { hosts: [host], after: state.records, updated: [] })
      : undefined;
  const clusterOf = clusterByAddress(platform);
  const down = new Set(
    supposed === undefined
      ? health.filter(({ healthy }) => healthy === false).map(({ address }) => address)
      : [...clusterOf].filter(([, cluster]) => supposed.includes(cluster)).map(([address]) => address),
  );
  const held = dialect.interpret(readable(state.records));
  const holds = standingHolds([policy], state);
  const returns = standingReturns(platform, { provider: reader.name, ...state });
  const followed = withReturns(platform, returns).policies.get(policy.metadata.name) ?? policy;
  const answers = answersNow(platform, followed, nowMs, holds.get(policy.metadata.name));
  const wanted = dialect.interpret(compileWith(dialect, followed, answers, entries).records);
  const placeIn = (reading: Reading, type: AddressType): string | undefined =>
    networkHolding(reading.apart(host, type).filter(isNetwork), network) ?? country;
  const answerOf = (reading: Reading, type: AddressType, failed: readonly AddressCheck[]): Distribution => {
    if (!reading.types(host).includes(type)) return new Map();
    const view = reading.view(host, type, failed);
    return sumByCluster(
      view.answer(placeIn(reading, type)),
      (address) => view.clusterOf(address) ?? clusterOf.get(address),
    );
  };
  const failed = failingChecks(held, down, counted?.before);
  const families = [...new Set([...held.types(host), ...wanted.types(host)])].sort().map((type): StandingFamily => {
    const [healthy, now] = [answerOf(held, type, []), answerOf(held, type, failed)];
    const ours = [answerOf(wanted, type, []), answerOf(wanted, type, failingChecks(wanted, down))] as const;
    const isSame = sameShares(healthy, ours[0]) && sameShares(now, ours[1]);
    return {
      type,
      healthy: formatShares(healthy),
      now: formatShares(now),
      ...(isSame ? {} : { policy: { healthy: formatShares(ours[0]), now: formatShares(ours[1]) } }),
      records: held.types(host).includes(type)
        ? held.view(host, type, failed).trace(placeIn(held, type)).map(formatRecord)
        : [],
    };
  });
  const { generation, isOurs } = ownershipIn(zone, state.records, host);
  return {
    provider: reader.name,
    zone,
    ...withoutUndefined({ generation }),
    isOurs,
    health,
    notices: [
      ...(counted?.notices ?? []),
      ...holdNotices([policy], holds, isWatchedBy(reader)),
      ...returnNotices([policy], returns),
    ],
    families,
  };
}

/** What the registry says, if it can be read: a damaged one does not keep anybody from an explanation. */
function ownershipIn(
  zone: string,
  records: readonly RecordSet[],
  host: string,
): Pick<Standing, 'generation' | 'isOurs'> {
  if (findRegistry(zone, records) === undefined) return { isOurs: false };
  try {
    const { generation, hosts } = registryOf(zone, records);
    return { generation, isOurs: hosts.includes(host) };
  } catch {
    return { isOurs: false };
  }
}

/** Lines for people. */
export function renderStanding({
  provider,
  zone,
  generation,
  isOurs,
  health,
  notices,
  families,
}: Standing): readonly string[] {
  const written = generation === undefined ? 'never written by Tideline' : `generation ${generation}`;
  const whose = isOurs ? '' : ', the host is not ours there';
  return [
    `  as the zone ${zone} of ${provider} holds it now (${written}${whose}):${families.length === 0 ? ' nothing' : ''}`,
    ...renderHealth(health).map((line) => `  ${line}`),
    ...notices.map(({ reason, message }) => `    note: ${message} (${reason})`),
    ...families.flatMap(({ type, healthy, now, policy, records }) => [
      `    ${type}: ${now}${now === healthy ? '' : `, and ${healthy} while everything is healthy`}`,
      ...(policy === undefined
        ? []
        : [
            `      OTHERWISE than the policy, which wants ${policy.now}${policy.now === policy.healthy ? '' : `, and ${policy.healthy} while everything is healthy`}; tideline steering plan shows why`,
          ]),
      ...records.map((record) => `      ${record}`),
    ]),
  ];
}
