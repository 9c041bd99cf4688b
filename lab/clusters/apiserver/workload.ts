import { application } from '../../world/application.ts';
import { ingressClassObject, ingressObject, secretObject, serviceObject } from '../objects.ts';

/** A pod serves for this many seconds after its deletion; by then the edges have long stopped sending it requests. */
const preStopSeconds = 2;

/** The objects that a team applies to its cluster with kubectl: one application behind an Ingress. */
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
      // Four pods spread as two on each of two workers; this is a wish and no must, so that the pods of a lost worker may move.
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
