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

/** The problem of each Ingress with routes that are refused because of another one. */
export function closedHostProblems(closed: readonly ClosedHost[]): readonly EdgeProblem[] {
  return closed.map(({ owner, host, by }) => {
    const message = `routes of ${host === '' ? 'any host' : host} are refused because of Ingress ${by}`;
    return { reason: 'AccessSiblingRefused', object: `Ingress/${owner}`, path: 'spec.rules', message };
  });
}
