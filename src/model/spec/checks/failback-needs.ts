import { failbackOf } from '../../platform/policies.ts';
import type { TrafficPolicy } from '../kinds.ts';
import { type Objects, problemAt, type SpecProblem, valid } from '../objects.ts';

/** The providers that tell nobody what their health checks say. */
const blindProviders: ReadonlySet<TrafficPolicy['spec']['dns']['providers'][number]> = new Set(['powerdns']);

/** What a rule of failback needs beside the policy. */
export function failbackWarnings(objects: Objects): readonly SpecProblem[] {
  return valid(objects.TrafficPolicy.all).flatMap(({ at, value }) => {
    const rule = failbackOf(value);
    if (rule === undefined) return [];
    const { providers } = value.spec.dns;
    const blind = providers.filter((one) => blindProviders.has(one));
    const path = ['spec', 'failback', 'mode'] as const;
    const unseen = problemAt(at, path, {
      reason: 'FailbackUnseen',
      message: `${blind.join(' and ')} tells nobody what its health checks say, so users return there at once, not ${rule.mode}`,
      fix: 'leave the field out, or have the zone at route53; a Drain keeps users away for a while',
    });
    const agent = problemAt(at, path, {
      reason: 'FailbackNeedsAgent',
      message: `${rule.mode} is the work of a steering agent; where none runs, users return as soon as the cluster is healthy`,
      fix: 'run `tideline steering agent --mode automatic`, or leave the field out',
    });
    return [...(blind.length > 0 ? [unseen] : []), ...(blind.length < providers.length ? [agent] : [])];
  });
}
