import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type EdgeProblem, edgeReasons } from '../reasons.ts';
import { type PoolSettings, SettingsOfRoutes } from './annotations/settings.ts';
import { Budget } from './budget.ts';
import { fixes } from './fixes.ts';
import { type IngressReading, readIngress } from './ingress.ts';
import { allHostsOf, closedHostProblems } from './limited.ts';
import { ListsOfIngresses } from './lists.ts';
import { compareAge, place } from './place.ts';
import { Routes } from './routes.ts';
import type { Limits } from './shares.ts';

export type PoolBeforehand = PoolSettings & { readonly limits: Limits };

/**
 * What would be refused of the Ingresses of one pool, or served otherwise than they ask, as far as they tell by themselves: by
 * object (`Ingress/namespace/name`). The messages say what would follow, and what can be done about it.
 */
export function problemsBeforehand(
  ingresses: ReadonlyMap<ObjectKey, Ingress>,
  pool: PoolBeforehand,
): ReadonlyMap<string, readonly EdgeProblem[]> {
  const settings = new SettingsOfRoutes(pool);
  const readings = [...ingresses].map(([key, ingress]) => readIngress(key, ingress));
  const budget = new Budget(pool.limits);
  const shared = {
    settings,
    allHosts: allHostsOf(readings),
    budget,
    lists: new ListsOfIngresses(budget),
    routes: new Routes(new Map()),
  };
  const problemsOf = ({ annotations, problems }: IngressReading, limited: readonly EdgeProblem[]) => [
    ...settings.problems(annotations),
    ...problems,
    ...limited,
  ];
  const own = readings.toSorted(compareAge).flatMap((written) => {
    const { reading, limited } = place(written, shared);
    return problemsOf(reading, limited).map((problem) => [reading, problem] as const);
  });
  const ofOthers = closedHostProblems(shared.routes.close());
  const all = [...own.map(([reading, problem]) => ({ object: `Ingress/${reading.key}`, ...problem })), ...ofOthers];
  return Map.groupBy(all.map(explained), ({ object }) => object ?? '');
}

function explained(problem: EdgeProblem): EdgeProblem {
  const meaning = edgeReasons[problem.reason];
  const message = `${problem.message}: ${meaning.charAt(0).toLowerCase()}${meaning.slice(1).replace(/\.$/, '')}`;
  return { ...problem, message, ...withoutUndefined({ fix: problem.fix ?? fixes[problem.reason] }) };
}
