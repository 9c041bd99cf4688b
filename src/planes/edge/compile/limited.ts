import type { EdgeProblem } from '../reasons.ts';
import { type LostClaim, lostOf } from './guards.ts';
import type { IngressReading } from './ingress.ts';

/** An Ingress that limits access: what of it can be served as it is written. */
interface Limited {
  readonly reading: IngressReading;
  readonly lost: readonly LostClaim[];
  readonly problems: readonly EdgeProblem[];
}

/** Takes from an Ingress that limits access the paths that are regular expressions, and says where its limits are narrower. */
export function limitedReading(asked: IngressReading): Limited {
  const object = `Ingress/${asked.key}`;
  const lost = asked.routes.filter(({ elsewhere }) => elsewhere === 'pattern').map(lostOf);
  const patterns = lost.map(({ host, path, field, leaks }): EdgeProblem => {
    const message = `${host}${path?.path} is refused in place of the regular expression`;
    const more = leaks ? ', and so is every other route of the namespace on this host' : '';
    return { reason: 'AccessPathRefused', object, path: `${field}.path`, message: `${message}${more}` };
  });
  const byElement = asked.routes
    .filter(({ elsewhere }) => elsewhere === 'text')
    .map(({ host, path, field }): EdgeProblem => {
      const message = `access is limited to ${host}${path?.path} and what is below it`;
      return { reason: 'AccessPathByElement', object, path: `${field}.path`, message };
    });
  return {
    reading: { ...asked, routes: asked.routes.filter(({ elsewhere }) => elsewhere !== 'pattern') },
    lost: [...asked.lost, ...lost],
    problems: [...patterns, ...byElement],
  };
}

/** A host on which routes of an Ingress are refused because of another Ingress. */
export interface ClosedHost {
  readonly owner: string;
  readonly host: string;
  readonly by: string;
}

/** What became of an object; a condition of `compile.ts`. */
interface Judged {
  readonly object: string;
  readonly state: 'accepted' | 'partial' | 'refused';
  readonly problems: readonly EdgeProblem[];
}

/** The conditions with a problem for each host on which routes are refused because of another Ingress. */
export function withClosedHosts(conditions: readonly Judged[], closed: readonly ClosedHost[]): readonly Judged[] {
  if (closed.length === 0) return conditions;
  const byOwner = Map.groupBy(closed, ({ owner }) => `Ingress/${owner}`);
  return conditions.map((condition) => {
    const problems = (byOwner.get(condition.object) ?? []).map(({ host, by }): EdgeProblem => {
      const message = `routes of ${host === '' ? 'any host' : host} are refused because of Ingress ${by}`;
      return { reason: 'AccessSiblingRefused', object: condition.object, path: 'spec.rules', message };
    });
    if (problems.length === 0) return condition;
    const state = condition.state === 'accepted' ? 'partial' : condition.state;
    return { ...condition, state, problems: [...condition.problems, ...problems] };
  });
}
