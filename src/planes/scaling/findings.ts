import { answersFor, preferenceOf } from '../../answers/answers.ts';
import { countries } from '../../model/geo/countries.ts';
import { countryOfPlace } from '../../model/geo/states.ts';
import { entryAddresses } from '../../model/platform/entries.ts';
import { clustersOfPolicy } from '../../model/platform/policies.ts';
import type { Floor, Need } from './compile/floors.ts';
import type { Observed } from './compile/observed.ts';
import type { Proof, Shortage } from './compile/prove.ts';
import type { ScalingWorld } from './compile/world.ts';
import type { ScalingFinding } from './reasons.ts';

/** What is not as a floor wants it. `observed` is absent where the cluster of the target was not asked. */
export function floorFindings(floor: Floor, observed: Observed | undefined): readonly ScalingFinding[] {
  const { target, replicas, missing, spec, binding } = floor;
  const findings: ScalingFinding[] = [];
  if (missing > 0 && binding !== undefined)
    findings.push({
      reason: 'FloorUnmet',
      message: `${target} needs ${binding.replicas} replicas ${whenText(binding)}, and there can be ${spec.replicas.max}: ${missing} are missing`,
    });
  if (observed?.state === 'unread') findings.push({ reason: 'WorkloadUnread', message: `${target}: ${observed.why}` });
  if (observed?.state !== 'read') return findings;
  const { ready, autoscaler } = observed;
  if (ready < replicas)
    findings.push({
      reason: 'FloorNotHeld',
      message: `${target} has ${ready} of ${replicas} replicas Ready; more take ${spec.readySeconds} s from the moment they are wanted`,
    });
  if (autoscaler !== undefined && autoscaler.min < replicas)
    findings.push({
      reason: 'MinimumLow',
      message: `the autoscaler ${spec.workload.namespace}/${spec.workload.name} in ${spec.cluster} may go down to ${autoscaler.min} replicas: set minReplicas to ${replicas}${autoscaler.max < replicas ? ', and maxReplicas above it' : ''}`,
    });
  if (autoscaler !== undefined && autoscaler.max < spec.replicas.max)
    findings.push({
      reason: 'MaximumLow',
      message: `the autoscaler ${spec.workload.namespace}/${spec.workload.name} in ${spec.cluster} stops at ${autoscaler.max} replicas, and ${target} counts on ${spec.replicas.max}: raise maxReplicas, or lower replicas.max`,
    });
  return findings;
}

/** What is left out of the demand, or taken for granted, before anything is computed. `isOffline`: nobody was to be asked. */
export function readFindings(
  world: ScalingWorld,
  observed: ReadonlyMap<string, Observed>,
  isOffline: boolean,
): readonly ScalingFinding[] {
  const { demand, platform } = world;
  const shares = [...demand.shares.values()].reduce((sum, share) => sum + share, 0);
  const assumed = isOffline ? [] : [...platform.scalingTargets.keys()].filter((name) => !observed.has(name)).sort();
  return [
    ...demand.unheard.map((message) => ({ reason: 'DemandPartial' as const, message })),
    ...(demand.doubts ?? []),
    ...unmeasuredFindings(world),
    ...(Math.abs(shares - 1) < 1e-6
      ? []
      : [
          {
            reason: 'SharesPartial' as const,
            message: `the shares add up to ${figure(shares)}: ${shares < 1 ? 'the rest of the requests is left out' : 'some requests are counted twice'}`,
          },
        ]),
    ...healthFindings(world),
    ...familyFindings(world),
    ...(assumed.length === 0
      ? []
      : [
          {
            reason: 'FloorAssumed' as const,
            message: `${assumed.join(', ')}: the Cluster has no kubeconfig in the platform spec, so the floor is taken for held`,
          },
        ]),
  ];
}

function healthFindings({ health }: ScalingWorld): readonly ScalingFinding[] {
  const down = [...health.down].sort();
  return [
    ...(health.unknown === undefined ? [] : [{ reason: 'HealthUnknown' as const, message: health.unknown }]),
    ...down.map((cluster) => ({
      reason: 'ClusterDown' as const,
      message: `no entry address of ${cluster} answers health checks from here: it is reckoned as lost now`,
    })),
  ];
}

/** DNS leads users over each family to the clusters that have an address of it; everything here is reckoned as if all had both. */
function familyFindings({ answers, platform }: ScalingWorld): readonly ScalingFinding[] {
  return [...answers.keys()].flatMap((name) => {
    const policy = platform.policies.get(name);
    const clusters = policy === undefined ? [] : clustersOfPolicy(policy);
    return ([4, 6] as const).flatMap((family) => {
      const lacking = clusters.filter(
        (cluster) => !entryAddresses(platform, cluster).some((address) => address.family === family),
      );
      if (lacking.length === 0 || lacking.length === clusters.length) return [];
      return [
        {
          reason: 'FamiliesDiffer' as const,
          message: `${lacking.join(', ')} of policy ${name} ${lacking.length === 1 ? 'has' : 'have'} no IPv${family} address: users over IPv${family} are led past ${lacking.length === 1 ? 'it' : 'them'}, and are reckoned as if they were not`,
        },
      ];
    });
  });
}

/** Says how many countries that somebody leads to a target nobody measured. */
function unmeasuredFindings({ answers, platform, demand }: ScalingWorld): readonly ScalingFinding[] {
  const measured = new Set(Object.keys(demand.rates.requestsPerSecond).map(countryOfPlace));
  const left = countries.filter(({ code }) => !measured.has(code));
  if (left.length === 0) return [];
  const clusters = new Set([...platform.scalingTargets.values()].map(({ spec }) => spec.cluster));
  const toTargets = left.filter(({ code }) =>
    [...answers.values()].some((ofPolicy) =>
      [...answersFor(preferenceOf(ofPolicy, code).tiers, new Set()).keys()].some((name) => clusters.has(name)),
    ),
  );
  const some = toTargets.slice(0, 5).map(({ code }) => code);
  const where =
    toTargets.length === 0
      ? ''
      : `, ${toTargets.length} of them led to a cluster with targets (${some.join(', ')}${toTargets.length > some.length ? ', …' : ''})`;
  return [
    {
      reason: 'DemandPartial',
      message: `${left.length} countries were not measured and count as asking nothing${where}: add what you know of them to the file, from the logs of a load balancer for example`,
    },
  ];
}

/** `on the loss of site paris`, or `now`. */
export function whenText({ failure }: Pick<Need, 'failure'>): string {
  return failure === 'nothing' ? 'now' : `on the loss of ${failure}`;
}

/** What a proof found, in the order of its shortages. */
export function proofFindings({ failure, shortages }: Proof): readonly ScalingFinding[] {
  const when = whenText({ failure });
  return shortages.map((shortage) => ({ reason: reasonOf[shortage.kind], message: shortageText(shortage, when) }));
}

const reasonOf = {
  late: 'FloorNotHeld',
  replicas: 'FloorUnmet',
  capacity: 'CapacityShort',
  unknown: 'CapacityUnknown',
  nobody: 'NobodyLeft',
  unread: 'WorkloadUnread',
  drained: 'PlaceDrained',
} as const;

function shortageText(shortage: Shortage, when: string): string {
  switch (shortage.kind) {
    case 'late':
      return `${shortage.target} needs ${shortage.needed} replicas ${when} and has ${shortage.has}: the others come after ${shortage.seconds} s`;
    case 'replicas':
      return `${shortage.target} needs ${shortage.needed} replicas ${when}, and there can be ${shortage.has}`;
    case 'capacity':
      return `${shortage.cluster} gets ${rateText(shortage.needed)} ${when}, and carries ${rateText(shortage.has)}`;
    case 'unknown':
      return `${placeText(shortage)} gets ${rateText(shortage.requestsPerSecond)} of ${shortage.policies.join(', ')} ${when}, and nobody says what it carries: give the Cluster a capacity, or its workload a ScalingTarget`;
    case 'unread':
      return `${shortage.target} needs ${shortage.needed} replicas ${when}, and nobody knows how many are Ready: ${shortage.why}`;
    case 'drained':
      return `${rateText(shortage.requestsPerSecond)} come to ${placeText(shortage)} ${when}, which is drained: its machines may be off`;
    case 'nobody':
      return `${rateText(shortage.requestsPerSecond)} have nobody else ${when}: the answers lead to ${placeText(shortage)} all the same`;
  }
}

export function placeText({ cluster, site }: { readonly cluster: string; readonly site?: string | undefined }): string {
  return site === undefined ? cluster : `${cluster} in ${site}`;
}

/** `1,234 requests/s`, with decimals below ten. */
export function rateText(perSecond: number): string {
  return `${figure(perSecond)} requests/s`;
}

/** Whole from ten on, and with two figures that mean something below. */
export function figure(value: number): string {
  const rounded = value < 10 ? Number(value.toPrecision(2)) : Math.round(value);
  return rounded.toLocaleString('en', { maximumSignificantDigits: 21 });
}
