import { type Ask, type CustomVersion, isMetric } from './asks.ts';
import { quantityOf } from './quantity.ts';
import { type Selector, selects } from './selector.ts';
import type { DescribedObject, Series, SeriesBook } from './series.ts';

type CustomAsk = Extract<Ask, { readonly of: 'custom' }>;
type ExternalAsk = Extract<Ask, { readonly of: 'external' }>;

/** The list that answers who asks for an external metric; empty where nothing is known. An autoscaler then keeps its replicas. */
export function externalList({ namespace, metric, series }: ExternalAsk, book: SeriesBook): object {
  const items = valuesOf(metric, book, series)
    .filter(({ one }) => one.object === undefined && (one.namespace === undefined || one.namespace === namespace))
    .map(({ one, value }) => ({
      metricName: metric,
      metricLabels: one.labels,
      timestamp: timeOf(one),
      ...(one.windowSeconds === undefined ? {} : { window: one.windowSeconds }),
      value,
    }));
  return { kind: 'ExternalMetricValueList', apiVersion: 'external.metrics.k8s.io/v1beta1', metadata: {}, items };
}

/** The list that answers who asks for metrics of objects; undefined where a single object is asked for and has none. */
export function customList({ version, object, series }: CustomAsk, book: SeriesBook): object | undefined {
  // No label of an object is known here, so a selector finds what it finds without any.
  const isNamed = (described: DescribedObject): boolean =>
    object.name === '*' ? selects(object.labels, {}) : described.name === object.name;
  const items = valuesOf(object.metric, book, series).flatMap(({ one, value }) =>
    one.object !== undefined &&
    one.object.resource === object.resource &&
    one.namespace === object.namespace &&
    isNamed(one.object)
      ? [itemOf(version, { ...one, object: one.object }, value)]
      : [],
  );
  if (items.length === 0 && object.name !== '*') return undefined;
  return { kind: 'MetricValueList', apiVersion: `custom.metrics.k8s.io/${version}`, metadata: {}, items };
}

function itemOf(version: CustomVersion, one: Series & { readonly object: DescribedObject }, value: string): object {
  const { kind, name, apiVersion } = one.object;
  const describedObject = { kind, namespace: one.namespace, name, apiVersion };
  const timestamp = timeOf(one);
  const seconds = one.windowSeconds;
  return version === 'v1beta2'
    ? {
        describedObject,
        metric: { name: one.metric, selector: null },
        timestamp,
        ...(seconds === undefined ? {} : { windowSeconds: seconds }),
        value,
      }
    : {
        describedObject,
        metricName: one.metric,
        timestamp,
        ...(seconds === undefined ? {} : { window: seconds }),
        value,
        selector: null,
      };
}

/** What is no number is left out: an autoscaler takes it for a metric that is missing. */
function valuesOf(
  metric: string,
  book: SeriesBook,
  selector: Selector,
): readonly { readonly one: Series; readonly value: string }[] {
  const all = isMetric(metric) ? (book.get(metric) ?? []) : [];
  return all.flatMap((one) => {
    const value = selects(selector, one.labels) ? quantityOf(one.value) : undefined;
    return value === undefined ? [] : [{ one, value }];
  });
}

/** Kubernetes writes whole seconds. */
function timeOf({ atMs }: Series): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}
