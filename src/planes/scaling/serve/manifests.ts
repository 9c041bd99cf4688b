import { metricsApiService, systemNamespace } from '../../../model/contract.ts';
import { metricsGroups } from './asks.ts';

export interface ServedAt {
  readonly family: 'IPv4' | 'IPv6';
  /** The port on which agents serve. */
  readonly port: number;
  /** The port on which they serve KEDA; absent where they do not. */
  readonly kedaPort?: number | undefined;
  /** The authority that issued their certificate, in PEM. */
  readonly authority: string;
  /** False where another server has that group in the cluster, which only one can. */
  readonly withExternal: boolean;
}

/**
 * What a cluster must have so that its aggregator asks us: a Service without selector, whose EndpointSlices the agents keep, and the API groups with
 * the authority by which the aggregator believes them.
 */
export function metricsApiManifests({ family, port, kedaPort, authority, withExternal }: ServedAt): readonly object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: metricsApiService, namespace: systemNamespace },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: [family],
        ports: [
          { name: 'https', port: 443, targetPort: port, protocol: 'TCP' },
          ...(kedaPort === undefined ? [] : [{ name: 'keda', port: kedaPort, targetPort: kedaPort, protocol: 'TCP' }]),
        ],
      },
    },
    ...Object.entries(metricsGroups).flatMap(([group, versions]) =>
      group === 'external.metrics.k8s.io' && !withExternal
        ? []
        : versions.map((version, place) => ({
            apiVersion: 'apiregistration.k8s.io/v1',
            kind: 'APIService',
            metadata: { name: `${version}.${group}` },
            spec: {
              group,
              version,
              groupPriorityMinimum: 100,
              versionPriority: 200 - 100 * place,
              caBundle: Buffer.from(authority).toString('base64'),
              service: { name: metricsApiService, namespace: systemNamespace, port: 443 },
            },
          })),
    ),
    ...readers(),
  ];
}

/** The controller that scales may read; it may by no default. */
function readers(): readonly object[] {
  const group = 'rbac.authorization.k8s.io';
  const metadata = { name: 'tideline-scaling-metrics-reader' };
  return [
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata,
      rules: [
        { apiGroups: ['custom.metrics.k8s.io'], resources: ['*'], verbs: ['get', 'list'] },
        { apiGroups: ['external.metrics.k8s.io'], resources: ['*'], verbs: ['get', 'list'] },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: 'horizontal-pod-autoscaler', namespace: 'kube-system' }],
    },
  ];
}
