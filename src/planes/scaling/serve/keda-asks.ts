import { isMetric } from './asks.ts';
import { type MetricName, metricNames, type SeriesBook } from './series.ts';

/** Who asks, as KEDA says it. */
export interface ScaledObjectRef {
  readonly name: string;
  readonly namespace: string;
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

/** What a ScaledObject wants, read from the metadata of its trigger. */
export interface ScalerAsk {
  readonly metric: MetricName;
  /** The label and its value that choose the series. */
  readonly chosen: readonly [label: string, value: string];
  readonly namespace: string;
  /** The average for each replica. */
  readonly target: number;
}

/** Why a trigger cannot be read; for the person who wrote it. */
export class BadTrigger extends Error {
  override readonly name = 'BadTrigger';
}

const labelsOf: Readonly<Record<MetricName, string>> = {
  tideline_floor_replicas: 'target',
  tideline_calls_per_second: 'target',
  tideline_predicted_calls_per_second: 'target',
  tideline_policy_requests_per_second: 'policy',
  tideline_host_requests_per_second: 'host',
  tideline_country_requests_per_second: 'country',
};

/** An autoscaler leaves a tenth alone; a floor that is divided by less is never short of a replica. */
const floorTarget = 0.909;

/** Reads a trigger. Throws BadTrigger. */
export function scalerAskOf({ namespace, scalerMetadata }: ScaledObjectRef): ScalerAsk {
  const said = new Map(Object.entries(scalerMetadata));
  const metric = said.get('metric') ?? 'tideline_floor_replicas';
  if (!isMetric(metric))
    throw new BadTrigger(`metric: expected one of ${Object.keys(metricNames).join(', ')}, and not ${metric}`);
  const label = labelsOf[metric];
  const value = said.get(label);
  if (value === undefined || value === '')
    throw new BadTrigger(`${label}: expected which ${label} it is, because ${metric} has one value for each`);
  const text = said.get('targetValue');
  if (text === undefined && metric !== 'tideline_floor_replicas')
    throw new BadTrigger(`targetValue: expected how much of ${metric} one replica takes`);
  const target = text === undefined ? floorTarget : Number(text);
  if (!(target > 0) || !Number.isFinite(target))
    throw new BadTrigger(`targetValue: expected a number above 0, and not ${text}`);
  return { metric, chosen: [label, value], namespace, target };
}

/** The value that is asked for; undefined where it is not known now. */
export function scalerValue(
  { metric, chosen: [label, value], namespace }: ScalerAsk,
  book: SeriesBook,
): number | undefined {
  const found = (book.get(metric) ?? []).find(
    (one) =>
      one.object === undefined &&
      one.labels[label] === value &&
      (one.namespace === undefined || one.namespace === namespace) &&
      Number.isFinite(one.value),
  );
  return found?.value;
}
