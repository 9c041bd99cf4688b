import { application } from '../../world/application.ts';
import { ingressClassObject, ingressObject, secretObject, serviceObject } from '../objects.ts';

/** Seconds a pod serves on after its deletion: the edges have long taken it out by then. */
const preStopSeconds = 2;

/** What a team applies to its cluster with kubectl: one application behind an Ingress. */
export function workload(options: {
  readonly replicas: number;
  readonly clusterIp: string;
  readonly ingressClass: string;
  readonly certificate: { readonly chain: string; readonly key: string };
}): readonly object[] {
  const { replicas, clusterIp, ingressClass, certificate } = options;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: application.namespace } },
    ingressClassObject(ingressClass),
    ingressObject(ingressClass),
    serviceOf(clusterIp),
    secretObject(certificate),
    deployment(replicas),
  ];
}

function serviceOf(clusterIp: string): object {
  const service = serviceObject(clusterIp);
  return { ...service, spec: { ...service.spec, selector: labels } };
}

const labels = { app: application.name };

function deployment(replicas: number): object {
  const { namespace, name, podPort } = application;
  const template = {
    metadata: { labels },
    spec: {
      automountServiceAccountToken: false,
      // Two pods a worker where there are four for two: not a must, so that a lost worker's pods may move.
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: labels },
        },
      ],
      terminationGracePeriodSeconds: 10,
      containers: [
        {
          name,
          image: 'lab.invalid/web',
          ports: [{ name: 'http', containerPort: podPort }],
          lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
        },
      ],
    },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}
