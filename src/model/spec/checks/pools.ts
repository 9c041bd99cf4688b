import type { EdgePool } from '../kinds.ts';
import { type Objects, type Report, type Valid, valid, whereIs } from '../objects.ts';

const path = ['spec', 'ingressClass'];

/** An IngressClass of a cluster is served by one pool: two would overwrite each other's addresses in every Ingress of it. */
export function checkPools(objects: Objects, report: Report): void {
  const servedBy = new Map<string, Valid<EdgePool>>();
  for (const pool of valid(objects.EdgePool.byName.values())) {
    const { cluster, ingressClass } = pool.value.spec;
    const key = `${cluster}/${ingressClass}`;
    const first = servedBy.get(key);
    if (first === undefined) servedBy.set(key, pool);
    else
      report(pool.at, path, {
        reason: 'IngressClassTwice',
        message: `the class ${ingressClass} of the cluster ${cluster} is already served by ${whereIs(first.at, path)}`,
        expected: 'one edge pool for each IngressClass of a cluster',
        fix: 'give this pool an ingressClass of its own, or make one pool of both',
      });
  }
}
