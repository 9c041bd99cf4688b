import type { EdgePool } from '../kinds.ts';
import { type Objects, problemAt, type Report, type SpecProblem, type Valid, valid, whereIs } from '../objects.ts';

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

/**
 * The VIPs that no blade, or too few of them, can announce: the next hop of a VIP is the address of its blade, which has one family. It is a warning, because
 * such a pool serves its other VIPs, and a blade that restarts must not be refused for it.
 */
export function unservedFamilies(objects: Objects): readonly SpecProblem[] {
  return valid(objects.EdgePool.byName.values()).flatMap(({ at, value }) => {
    const { blades, vips, minAnnouncers } = value.spec;
    const able = (family: 4 | 6): number => blades.filter(({ address }) => address.family === family).length;
    return vips.flatMap(({ address: { family, text } }, index) => {
      if (able(family) >= Math.min(minAnnouncers, blades.length)) return [];
      const who = able(family) === 0 ? 'no blade of the pool has' : `only ${able(family)} of the blades have`;
      return problemAt(at, ['spec', 'vips', index, 'address'], {
        reason: 'VipFamilyUnserved',
        message: `${text} is an IPv${family} address, and ${who} an IPv${family} address to announce it with`,
        expected: `blades with IPv${family} addresses, at least ${minAnnouncers}`,
        fix: `make a pool of its own for the VIPs of IPv${family}, with blades that have such addresses, or take the VIP out`,
      });
    });
  });
}
