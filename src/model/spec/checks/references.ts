import type { Path } from '../document.ts';
import type { Cluster, Drain } from '../kinds.ts';
import { type Declared, type Objects, type Report, type Valid, valid, whereIs } from '../objects.ts';
import { unknownName } from '../unknown-name.ts';

/** Every object that another one names exists, and the two agree about each other. */
export function checkReferences(objects: Objects, report: Report): void {
  for (const { at, value } of valid(objects.Cluster.all)) {
    for (const [index, site] of value.spec.sites.entries()) {
      const path = ['spec', 'sites', index];
      checkExists(objects, { kind: 'Site', name: site, at, path }, report);
      if (value.spec.sites.indexOf(site) < index)
        report(at, path, { reason: 'NamedTwice', message: `the site ${site} is named twice`, fix: 'remove one' });
    }
    if ('edgePool' in value.spec.entry) checkEntryPool(objects, at, value.spec.entry.edgePool, report);
    checkHealthPort(objects, { at, value }, report);
  }
  for (const { at, value } of valid(objects.EdgePool.all))
    checkExists(objects, { kind: 'Cluster', name: value.spec.cluster, at, path: ['spec', 'cluster'] }, report);
  for (const { at, value } of valid(objects.TrafficPolicy.all)) {
    const answers = [
      ...value.spec.rules.map((rule, index) => ({ answer: rule, path: ['spec', 'rules', index] })),
      { answer: value.spec.default, path: ['spec', 'default'] },
    ];
    for (const { answer, path } of answers) {
      for (const [index, { name }] of answer.clusters.entries())
        checkExists(objects, { kind: 'Cluster', name, at, path: [...path, 'clusters', index, 'name'] }, report);
      for (const [index, { failover = [] }] of answer.clusters.entries())
        for (const [position, name] of failover.entries())
          checkExists(
            objects,
            { kind: 'Cluster', name, at, path: [...path, 'clusters', index, 'failover', position] },
            report,
          );
      for (const [index, name] of answer.failover.entries())
        checkExists(objects, { kind: 'Cluster', name, at, path: [...path, 'failover', index] }, report);
    }
    for (const [entry, { clusters }] of value.spec.never.entries())
      for (const [index, name] of clusters.entries())
        checkExists(objects, { kind: 'Cluster', name, at, path: ['spec', 'never', entry, 'clusters', index] }, report);
  }
  for (const drain of valid(objects.Drain.all)) checkDrainTarget(objects, drain, report);
}

function checkEntryPool(objects: Objects, at: Declared<unknown>, poolName: string, report: Report): void {
  const path = ['spec', 'entry', 'edgePool'];
  checkExists(objects, { kind: 'EdgePool', name: poolName, at, path }, report);
  const pool = objects.EdgePool.byName.get(poolName);
  if (pool?.value === undefined) return;
  const { cluster, vips } = pool.value.spec;
  if (cluster !== at.name)
    report(at, path, {
      reason: 'PoolOfOtherCluster',
      message: `the edge pool ${poolName} serves the cluster ${cluster}, see ${whereIs(pool, ['spec', 'cluster'])}`,
      expected: `an EdgePool whose cluster is ${at.name}`,
      fix: "name this cluster's own pool, or correct the pool",
    });
  if (!vips.some((vip) => vip.scope === 'public'))
    report(at, path, {
      reason: 'NoPublicVip',
      message: `the edge pool ${poolName} has no public VIP, so DNS would have no answer`,
      fix: `make a VIP of ${whereIs(pool, ['spec', 'vips'])} public`,
    });
}

/** Where blades listen unless their pool says otherwise, and so does anything that announces an anycast address. */
const usualPorts = { http: 80, https: 443 };

/** A check of the other protocol's port fails for ever, and takes the cluster out of DNS. */
function checkHealthPort(objects: Objects, { at, value }: Valid<Cluster>, report: Report): void {
  const { entry, healthCheck } = value.spec;
  const pool = 'edgePool' in entry ? objects.EdgePool.byName.get(entry.edgePool)?.value : undefined;
  const { http, https } = pool?.spec.ports ?? usualPorts;
  const [own, other] = healthCheck.protocol === 'HTTPS' ? [https, http] : [http, https];
  if (healthCheck.port !== other || own === other) return;
  report(at, ['spec', 'healthCheck', 'port'], {
    reason: 'CheckOnOtherPort',
    message: `the check speaks ${healthCheck.protocol}, and port ${other} is that of ${healthCheck.protocol === 'HTTPS' ? 'plain HTTP' : 'HTTPS'}`,
    expected: `${own}, or another port that takes ${healthCheck.protocol}`,
    fix: `set port: ${own}, or the other protocol`,
  });
}

function checkDrainTarget(objects: Objects, { at, value }: Valid<Drain>, report: Report): void {
  const { kind, name } = value.spec.target;
  if (kind === 'Worker') return;
  checkExists(objects, { kind: kind === 'Blade' ? 'blade' : kind, name, at, path: ['spec', 'target', 'name'] }, report);
}

interface Reference {
  readonly kind: 'Site' | 'Cluster' | 'EdgePool' | 'blade';
  readonly name: string;
  readonly at: Declared<unknown>;
  readonly path: Path;
}

type Names = ReadonlySet<string> | undefined;

/** The names of each kind, found once for all objects: there may be a thousand Drains, and tens of thousands of blades. */
const found = new WeakMap<Objects, Map<Reference['kind'], Names>>();

/** The names that can be referred to; undefined when not all of them are known, because a pool is not valid. */
function namesOf(objects: Objects, kind: Reference['kind']): Names {
  const known = found.get(objects) ?? new Map<Reference['kind'], Names>();
  found.set(objects, known);
  if (!known.has(kind)) known.set(kind, findNames(objects, kind));
  return known.get(kind);
}

function findNames(objects: Objects, kind: Reference['kind']): Names {
  if (kind !== 'blade') return new Set(objects[kind].byName.keys());
  const pools = [...objects.EdgePool.byName.values()];
  if (pools.some((pool) => pool.value === undefined)) return undefined;
  return new Set(valid(pools).flatMap((pool) => pool.value.spec.blades.map((blade) => blade.name)));
}

function checkExists(objects: Objects, { kind, name, at, path }: Reference, report: Report): void {
  const known = namesOf(objects, kind);
  if (known === undefined || known.has(name)) return;
  report(at, path, unknownName(kind, name, [...known]));
}
