import { isInForce } from '../platform/drains.ts';
import { checkAddresses } from './checks/addresses.ts';
import { unusedFailback } from './checks/failback.ts';
import { failbackWarnings } from './checks/failback-needs.ts';
import { checkFleets } from './checks/fleets.ts';
import { checkNames } from './checks/names.ts';
import { checkNever } from './checks/never.ts';
import { checkOverlays, overlayWarnings } from './checks/overlays.ts';
import { checkPolicies } from './checks/policies.ts';
import { checkPools, unservedFamilies } from './checks/pools.ts';
import { checkPrefixes } from './checks/prefixes.ts';
import { checkReferences } from './checks/references.ts';
import { checkScalingTargets, idleTargets } from './checks/scaling-targets.ts';
import { checkServers, checkServersOfPools } from './checks/servers.ts';
import { stretchedEtcd } from './checks/stretched.ts';
import type { SpecDocument } from './document.ts';
import type { KindName, ObjectOf } from './kinds.ts';
import { type Declared, type Objects, problemAt, type Report, type SpecProblem, type Table, valid } from './objects.ts';
import type { Platform } from './platform.ts';
import { readObject } from './read.ts';

export interface Built {
  /** The objects that are valid by themselves; use it only when `problems` is empty. */
  readonly platform: Platform;
  readonly problems: readonly SpecProblem[];
  readonly warnings: readonly SpecProblem[];
}

/** Validates documents, each by itself and all together. `nowMs` (since the epoch) decides which drains have expired. */
export function buildPlatform(documents: readonly SpecDocument[], nowMs: number): Built {
  const problems: SpecProblem[] = [];
  const declared: Declared<unknown>[] = [];
  for (const document of documents) {
    const read = readObject(document);
    problems.push(...read.problems);
    if (read.kind !== undefined && read.name !== undefined)
      declared.push({ kind: read.kind, name: read.name, document, value: read.value });
  }
  const objects: Objects = {
    Site: tableOf(declared, 'Site'),
    Cluster: tableOf(declared, 'Cluster'),
    EdgePool: tableOf(declared, 'EdgePool'),
    TrafficPolicy: tableOf(declared, 'TrafficPolicy'),
    Drain: tableOf(declared, 'Drain'),
    Freeze: tableOf(declared, 'Freeze'),
    TrafficOverlay: tableOf(declared, 'TrafficOverlay'),
    TrafficVerdict: tableOf(declared, 'TrafficVerdict'),
    ServerClass: tableOf(declared, 'ServerClass'),
    Server: tableOf(declared, 'Server'),
    Release: tableOf(declared, 'Release'),
    Fleet: tableOf(declared, 'Fleet'),
    ScalingTarget: tableOf(declared, 'ScalingTarget'),
  };
  const report: Report = (at, path, finding) => {
    problems.push(problemAt(at, path, finding));
  };
  problems.push(...checkNames(objects));
  for (const check of [checkReferences, checkPrefixes, checkAddresses, checkPools, checkPolicies, checkNever])
    check(objects, report);
  for (const check of [checkServers, checkServersOfPools, checkFleets, checkScalingTargets]) check(objects, report);
  const platform = platformOf(objects);
  checkOverlays(objects, platform, nowMs, report);
  return {
    platform,
    problems,
    warnings: [
      ...unservedFamilies(objects),
      ...stretchedEtcd(objects),
      ...idleTargets(objects),
      ...expiredDrains(objects, nowMs),
      ...unusedFailback(objects),
      ...failbackWarnings(objects),
      ...(problems.length > 0 ? [] : overlayWarnings(objects, platform, nowMs)),
    ],
  };
}

/** The objects of one kind; `readObject` has parsed each value with the schema of that kind. */
function tableOf<Kind extends KindName>(declared: readonly Declared<unknown>[], kind: Kind): Table<ObjectOf[Kind]> {
  const all = declared.filter((at) => at.kind === kind) as Declared<ObjectOf[Kind]>[];
  const byName = new Map<string, Declared<ObjectOf[Kind]>>();
  for (const at of all) if (!byName.has(at.name)) byName.set(at.name, at);
  return { all, byName };
}

function platformOf(objects: Objects): Platform {
  const byName = <T>(table: Table<T>): ReadonlyMap<string, T> =>
    new Map(valid(table.byName.values()).map(({ at, value }) => [at.name, value] as const));
  return {
    sites: byName(objects.Site),
    clusters: byName(objects.Cluster),
    edgePools: byName(objects.EdgePool),
    policies: byName(objects.TrafficPolicy),
    drains: byName(objects.Drain),
    freezes: byName(objects.Freeze),
    overlays: byName(objects.TrafficOverlay),
    verdicts: byName(objects.TrafficVerdict),
    serverClasses: byName(objects.ServerClass),
    servers: byName(objects.Server),
    releases: byName(objects.Release),
    fleets: byName(objects.Fleet),
    scalingTargets: byName(objects.ScalingTarget),
    folderOf: (clusterName) => {
      const at = objects.Cluster.byName.get(clusterName);
      if (at === undefined) throw new RangeError(`there is no Cluster ${clusterName}`);
      return at.document.folder;
    },
  };
}

function expiredDrains(objects: Objects, nowMs: number): readonly SpecProblem[] {
  return valid(objects.Drain.all)
    .filter(({ value }) => !isInForce(value, nowMs))
    .map(({ at, value }) =>
      problemAt(at, ['spec', 'expires'], {
        reason: 'DrainExpired',
        message: `ended on ${value.spec.expires}; where it was applied to DNS, it lasts there until the next apply`,
        fix: 'remove it, or give it a later end',
      }),
    );
}
