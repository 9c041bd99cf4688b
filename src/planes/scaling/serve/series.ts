/** One number that autoscalers may ask for. */
export interface Series {
  /** A name of `metricNames`. */
  readonly metric: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** When what it was computed from was measured, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The time over which it was measured; absent for what is computed. */
  readonly windowSeconds?: number;
  /** Who asks in another namespace does not get it; absent where it belongs to the platform. */
  readonly namespace?: string;
  /** The object that it describes, in `namespace`; absent where it describes none. */
  readonly object?: DescribedObject;
}

export interface DescribedObject {
  /** Plural and group, as paths of the API name a resource: `deployments.apps`. */
  readonly resource: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** Every metric, and what it says. Those of a target describe its workload as well. */
export const metricNames = {
  tideline_floor_replicas:
    'replicas that the target must have Ready so that every failure it is to survive is survived',
  tideline_calls_per_second: 'calls a second that reach the target now, by what was measured and by the answers of DNS',
  tideline_predicted_calls_per_second:
    'calls a second that will reach the target in a quarter of an hour, by a history of five-minute means; without margin',
  tideline_policy_requests_per_second: 'requests a second for the hosts of a policy, at all edges',
  tideline_host_requests_per_second: 'requests a second for a host, at all edges',
  tideline_country_requests_per_second: 'requests a second of the clients of a country, at all edges',
} as const;
export type MetricName = keyof typeof metricNames;

/** Metrics that describe objects too. */
export const objectMetrics: readonly MetricName[] = [
  'tideline_floor_replicas',
  'tideline_calls_per_second',
  'tideline_predicted_calls_per_second',
];

/** The resources that such metrics may describe. */
export const describedResources: Readonly<Record<string, Pick<DescribedObject, 'resource' | 'apiVersion' | 'kind'>>> = {
  Deployment: { resource: 'deployments.apps', apiVersion: 'apps/v1', kind: 'Deployment' },
  StatefulSet: { resource: 'statefulsets.apps', apiVersion: 'apps/v1', kind: 'StatefulSet' },
  HorizontalPodAutoscaler: {
    resource: 'horizontalpodautoscalers.autoscaling',
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
  },
};

/** All numbers of one moment. */
export type SeriesBook = ReadonlyMap<MetricName, readonly Series[]>;

export function bookOf(series: readonly Series[]): SeriesBook {
  return Map.groupBy(series, ({ metric }) => metric);
}
