import type { ScalingTarget } from '../../../model/spec/kinds.ts';
import { reaches } from '../compile/floors.ts';
import type { Arriving } from '../compile/load.ts';
import type { Observed } from '../compile/observed.ts';
import { type DescribedObject, describedResources, type Series } from './series.ts';

/** What the numbers of a moment are made of. */
export interface Numbers {
  /** The targets of the cluster, by their names. */
  readonly targets: readonly (readonly [string, ScalingTarget])[];
  /** By target: what autoscalers are told. */
  readonly told: ReadonlyMap<string, number>;
  /** When floors were computed last, in milliseconds since the epoch. */
  readonly computedAtMs: number;
  readonly observed: ReadonlyMap<string, Observed>;
  /** What was measured; absent where that was too long ago. */
  readonly measured?: MeasuredNumbers;
}

export interface MeasuredNumbers {
  readonly atMs: number;
  readonly seconds: number;
  /** Where requests arrive, by each of the views that may be true: a target gets the most. */
  readonly arriving: readonly (readonly Arriving[])[];
  /** The same of what is forecast; absent where there is no history, or it is too old. */
  readonly predicted?: readonly (readonly Arriving[])[];
  readonly policies: ReadonlyMap<string, number>;
  readonly hosts: ReadonlyMap<string, number>;
  readonly countries: ReadonlyMap<string, number>;
}

/** Every number that the autoscalers of a cluster may ask for. */
export function seriesOf(numbers: Numbers): readonly Series[] {
  const { targets, told, computedAtMs, measured } = numbers;
  const ofTargets = targets.flatMap(([target, { spec }]) => {
    const describe = (one: Omit<Series, 'labels' | 'namespace'>): readonly Series[] =>
      described({ target, spec }, one, numbers);
    const replicas = told.get(target);
    return [
      ...(replicas === undefined
        ? []
        : describe({ metric: 'tideline_floor_replicas', value: replicas, atMs: computedAtMs })),
      ...(measured === undefined
        ? []
        : describe({
            metric: 'tideline_calls_per_second',
            value: callsOf(spec, measured.arriving),
            atMs: measured.atMs,
            windowSeconds: measured.seconds,
          })),
      ...(measured?.predicted === undefined
        ? []
        : describe({
            metric: 'tideline_predicted_calls_per_second',
            value: callsOf(spec, measured.predicted),
            atMs: measured.atMs,
          })),
    ];
  });
  if (measured === undefined) return ofTargets;
  const { atMs, seconds: windowSeconds } = measured;
  const by = (metric: Series['metric'], label: string, rates: ReadonlyMap<string, number>): readonly Series[] =>
    [...rates].map(([name, value]) => ({ metric, labels: { [label]: name }, value, atMs, windowSeconds }));
  return [
    ...ofTargets,
    ...by('tideline_policy_requests_per_second', 'policy', measured.policies),
    ...by('tideline_host_requests_per_second', 'host', measured.hosts),
    ...by('tideline_country_requests_per_second', 'country', measured.countries),
  ];
}

/** Calls a second that reach a target, by the view in which most do. */
function callsOf(spec: ScalingTarget['spec'], views: readonly (readonly Arriving[])[]): number {
  const sums = views.map((arriving) =>
    arriving.filter((one) => reaches(spec, one)).reduce((sum, one) => sum + one.requestsPerSecond, 0),
  );
  return Math.max(0, ...sums) * spec.callsPerRequest;
}

/** The number by itself, and once for each object that it describes: the workload of the target, and what its autoscaler scales. */
function described(
  { target, spec }: { readonly target: string; readonly spec: ScalingTarget['spec'] },
  one: Omit<Series, 'labels' | 'namespace'>,
  { observed }: Numbers,
): readonly Series[] {
  const { kind, namespace, name } = spec.workload;
  const seen = observed.get(target);
  const scaled = seen?.state === 'read' ? seen.scales : undefined;
  const objects = [{ kind, name }, ...(scaled === undefined ? [] : [scaled])].flatMap(objectOf);
  const series = { ...one, labels: { target }, namespace };
  return [series, ...objects.map((object) => ({ ...series, object }))];
}

function objectOf({ kind, name }: { readonly kind: string; readonly name: string }): readonly DescribedObject[] {
  const form = Object.hasOwn(describedResources, kind) ? describedResources[kind] : undefined;
  return form === undefined ? [] : [{ ...form, name }];
}
