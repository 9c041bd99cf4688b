import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type EdgeProblem, edgeReasons } from '../reasons.ts';
import { type PoolSettings, SettingsOfRoutes } from './annotations/settings.ts';
import { fixes } from './fixes.ts';
import { readIngress } from './ingress.ts';
import { limitedReading } from './limited.ts';

/**
 * What would be refused of an Ingress, or served otherwise than it asks, as far as the Ingress alone tells. The messages say
 * what would follow, and what can be done about it.
 */
export function problemsBeforehand(key: ObjectKey, ingress: Ingress, pool: PoolSettings): readonly EdgeProblem[] {
  const reading = readIngress(key, ingress);
  const { annotations, problems } = reading;
  const settings = new SettingsOfRoutes(pool);
  const limited = settings.limits(annotations) ? limitedReading(reading).problems : [];
  return [...settings.problems(annotations), ...problems, ...limited].map((problem) => {
    const meaning = edgeReasons[problem.reason];
    const message = `${problem.message}: ${meaning.charAt(0).toLowerCase()}${meaning.slice(1).replace(/\.$/, '')}`;
    return { ...problem, message, ...withoutUndefined({ fix: problem.fix ?? fixes[problem.reason] }) };
  });
}
