import { type MetricsGroup, metricsGroups } from './asks.ts';
import { describedResources, metricNames, objectMetrics } from './series.ts';

/**
 * What the aggregator, kubectl and every controller learn of the metrics APIs. It is the same at every moment and depends on nothing: while a
 * group cannot be discovered, namespaces of the whole cluster hang in Terminating.
 */

interface Resource {
  readonly name: string;
  readonly kind: string;
}

function resourcesOf(group: MetricsGroup): readonly Resource[] {
  if (group === 'external.metrics.k8s.io')
    return Object.keys(metricNames).map((name) => ({ name, kind: 'ExternalMetricValueList' }));
  const described = Object.values(describedResources);
  return described.flatMap(({ resource }) =>
    objectMetrics.map((metric) => ({ name: `${resource}/${metric}`, kind: 'MetricValueList' })),
  );
}

/** `APIResourceList` of one version. */
export function resourceList(group: MetricsGroup, version: string): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/${version}`,
    resources: resourcesOf(group).map(({ name, kind }) => ({
      name,
      singularName: '',
      namespaced: true,
      kind,
      verbs: ['get'],
    })),
  };
}

/** `APIGroup` of one group. */
export function groupDocument(group: MetricsGroup): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(group) };
}

/** `APIGroupList` of both. */
export function groupList(): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames.map(groupFields) };
}

/** `APIGroupDiscoveryList`, in which everything stands at once; who asks for it says so in its Accept. */
export function aggregatedDiscovery(): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groupNames.map((group) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: metricsGroups[group].map((version) => ({
        version,
        freshness: 'Current',
        resources: discoveredOf(group, version),
      })),
    })),
  };
}

/** The media type of that list, as the answer names it. */
export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Whether an Accept asks for it. */
export function wantsAggregated(accept: string): boolean {
  return accept.split(',').some((one) => {
    const parameters = one.split(';').map((part) => part.trim());
    return ['application/json', 'g=apidiscovery.k8s.io', 'v=v2', 'as=APIGroupDiscoveryList'].every((part) =>
      parameters.includes(part),
    );
  });
}

/** Subresources stand below their resource there, which itself answers nothing. */
function discoveredOf(group: MetricsGroup, version: string): readonly object[] {
  const namespaced = { scope: 'Namespaced', singularResource: '' };
  const responseKind = (kind: string): object => ({ group, version, kind });
  if (group === 'external.metrics.k8s.io')
    return resourcesOf(group).map(({ name, kind }) => ({
      resource: name,
      responseKind: responseKind(kind),
      ...namespaced,
      verbs: ['get'],
    }));
  return Object.values(describedResources).map(({ resource }) => ({
    resource,
    ...namespaced,
    verbs: [],
    subresources: objectMetrics.map((metric) => ({
      subresource: metric,
      responseKind: responseKind('MetricValueList'),
      verbs: ['get'],
    })),
  }));
}

const groupNames = Object.keys(metricsGroups) as readonly MetricsGroup[];

function groupFields(group: MetricsGroup): object {
  const versions = metricsGroups[group].map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}
