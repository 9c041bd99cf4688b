import type { RecordSet } from '../../../answers/record.ts';
import { apiVersion } from '../../../model/contract.ts';
import { Cluster, Drain, type TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { type Intent, intentOf, type ZoneAtProvider } from '../compile/intent.ts';
import { historyOf, type PastApply } from '../records/history.ts';
import { isDrifted, type Registry } from '../records/registry.ts';
import { needed } from '../records/scope.ts';
import { type ClusterInputs, holdsIn, type Inputs, readInputs } from './inputs.ts';

/** What the last apply in a zone left there, made anew from its inputs. */
export interface LastApplied {
  readonly apply: PastApply;
  /** Its records, exactly: their digest is that of the zone's generation. */
  readonly records: readonly RecordSet[];
  readonly healthChecks: Intent['healthChecks'];
  readonly countingChecks: Intent['countingChecks'];
}

/** The apply that wrote the generation of the zone, if the zone tells of it and it was finished. */
export function lastApplyOf(zone: string, records: readonly RecordSet[], registry: Registry): PastApply | undefined {
  const found = historyOf(zone, records).applies.find(({ generation }) => generation === registry.generation);
  return found?.outcome === 'done' ? found : undefined;
}

/** The policies of which the zone was made last, by name, as drains, overlays and returns had made them; none where it does not tell. */
export function policiesThen(
  zone: string,
  records: readonly RecordSet[],
  registry: Registry,
): ReadonlyMap<string, TrafficPolicy> {
  const apply = lastApplyOf(zone, records, registry);
  try {
    const policies = apply === undefined ? [] : readInputs(zone, apply, records).policies;
    return new Map(policies.map((policy) => [policy.metadata.name, policy]));
  } catch {
    // The inputs are gone, or in the form of another release.
    return new Map();
  }
}

/**
 * What the last apply left in the zone. Undefined where the zone has forgotten its inputs, and where this release makes other records of them
 * than were written, as after a step for one host alone.
 */
export function lastApplied(
  platform: Platform,
  { provider, zone }: ZoneAtProvider,
  current: readonly RecordSet[],
  registry: Registry,
): LastApplied | undefined {
  const apply = lastApplyOf(zone, current, registry);
  if (apply === undefined) return undefined;
  try {
    const inputs = readInputs(zone, apply, current);
    const then = withInputsOf(platform, inputs);
    const { wanted, healthChecks, countingChecks } = intentOf(then, provider, zone, apply.atMs, holdsIn(inputs));
    const hosts = new Set(registry.hosts);
    const all = [wanted.records, needed(zone, wanted.records, (name) => hosts.has(name))];
    const records = all.find((some) => !isDrifted(registry, some));
    return records === undefined ? undefined : { apply, records, healthChecks, countingChecks };
  } catch {
    // The inputs are gone, or in the form of another release.
    return undefined;
  }
}

/** The platform of which an apply was made, as far as it decides a record. */
function withInputsOf(platform: Platform, { policies, clusters }: Inputs): Platform {
  return {
    ...platform,
    policies: new Map(policies.map((policy) => [policy.metadata.name, policy])),
    clusters: new Map(clusters.map((cluster) => [cluster.name, clusterOf(cluster)])),
    edgePools: new Map(),
    drains: new Map(clusters.filter(({ drained }) => drained).map(({ name }) => [name, drainOf(name)])),
  };
}

function clusterOf({ name, addresses, healthCheck }: ClusterInputs): Cluster {
  const entry = addresses.length === 0 ? { edgePool: 'none' } : { anycast: addresses };
  const spec = { sites: ['none'], source: { none: true }, entry, healthCheck };
  return Cluster.parse({ apiVersion, kind: 'Cluster', metadata: { name }, spec });
}

function drainOf(name: string): Drain {
  const spec = { target: { kind: 'Cluster', name }, reason: 'it was drained then', expires: '9999-01-01T00:00:00Z' };
  return Drain.parse({ apiVersion, kind: 'Drain', metadata: { name }, spec });
}
