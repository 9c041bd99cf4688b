import { clustersOfPolicy } from '../../platform/policies.ts';
import type { Path } from '../document.ts';
import type { Cluster, ScalingTarget } from '../kinds.ts';
import {
  listText,
  type Objects,
  problemAt,
  type Report,
  type SpecProblem,
  type Valid,
  valid,
  whereIs,
} from '../objects.ts';
import { unknownName } from '../unknown-name.ts';

/** Targets name what exists, each a workload of its own, and a site exactly where users come to one of several. */
export function checkScalingTargets(objects: Objects, report: Report): void {
  const targets = valid(objects.ScalingTarget.all);
  for (const target of targets) {
    const { at, value } = target;
    const { policies, replicas, survives } = value.spec;
    const cluster = objects.Cluster.byName.get(value.spec.cluster);
    if (cluster === undefined)
      report(at, ['spec', 'cluster'], unknownName('Cluster', value.spec.cluster, [...objects.Cluster.byName.keys()]));
    else if (cluster.value !== undefined) checkSite(target, cluster.value, report);
    for (const [index, name] of policies.entries()) {
      const path: Path = ['spec', 'policies', index];
      if (!objects.TrafficPolicy.byName.has(name))
        report(at, path, unknownName('TrafficPolicy', name, [...objects.TrafficPolicy.byName.keys()]));
      if (policies.indexOf(name) < index)
        report(at, path, { reason: 'NamedTwice', message: `the policy ${name} is named twice`, fix: 'remove one' });
    }
    for (const [index, sites] of survives.together.entries())
      for (const [place, name] of sites.entries())
        if (!objects.Site.byName.has(name))
          report(
            at,
            ['spec', 'survives', 'together', index, place],
            unknownName('Site', name, [...objects.Site.byName.keys()]),
          );
    if (replicas.min > replicas.max)
      report(at, ['spec', 'replicas', 'min'], {
        reason: 'OutOfRange',
        message: `at least ${replicas.min} replicas are more than the ${replicas.max} that there can be`,
        expected: `at most ${replicas.max}`,
        fix: 'lower min, or raise max',
      });
    const first = targets.find((other) => workloadOf(other.value) === workloadOf(value));
    if (first !== undefined && first !== target)
      report(at, ['spec', 'workload'], {
        reason: 'TargetTwice',
        message: `${whereIs(first.at, ['spec', 'workload'])} scales this workload already`,
        fix: 'keep one of the two; one target may name several policies',
      });
  }
}

/** The same text for the same replicas: a HorizontalPodAutoscaler may have another name than its Deployment, which the spec cannot see. */
function workloadOf({ spec: { cluster, workload } }: ScalingTarget): string {
  return JSON.stringify([cluster, workload.kind, workload.namespace, workload.name]);
}

function checkSite({ at, value }: Valid<ScalingTarget>, { metadata, spec }: Cluster, report: Report): void {
  const { site } = value.spec;
  const several = 'anycast' in spec.entry && spec.sites.length > 1;
  if (site === undefined ? !several : several && spec.sites.includes(site)) return;
  const { name } = metadata;
  report(at, ['spec', 'site'], {
    reason: 'TargetSiteUnfit',
    message:
      site !== undefined && !several
        ? `the users of ${name} come to all of it, wherever its pods run`
        : `the users of ${name} come to the nearest of its sites, and ${site ?? 'nothing'} says to which this workload belongs`,
    expected: several ? listText(spec.sites) : 'no site',
    fix: several ? 'name one of them, and declare a ScalingTarget for the workload of each' : 'remove `site`',
  });
}

/** Targets to which none of their policies ever leads a user. */
export function idleTargets(objects: Objects): readonly SpecProblem[] {
  return valid(objects.ScalingTarget.all).flatMap(({ at, value }) =>
    value.spec.policies.flatMap((name, index) => {
      const policy = objects.TrafficPolicy.byName.get(name)?.value;
      const isKnown = policy !== undefined && objects.Cluster.byName.has(value.spec.cluster);
      if (!isKnown || clustersOfPolicy(policy).includes(value.spec.cluster)) return [];
      return [
        problemAt(at, ['spec', 'policies', index], {
          reason: 'NoEffect',
          message: `the policy ${name} leads nobody to ${value.spec.cluster}, in failover neither`,
          fix: `name the cluster in a failover list of ${name}, or remove the policy here`,
        }),
      ];
    }),
  );
}
