import { podImage } from '../fleet/fleet.ts';
import { host } from './world.ts';

/** The application of the scenario: a Deployment of the lab's pod image, and what the edge needs to serve it. */

export const application = 'first';
export const replicas = 6;
const labels = { app: application };
const metadata = { name: application, namespace: 'default', labels };

/** A pod that ends is asked for a few seconds longer: so long it takes until every blade has heard of it. */
const lifecycle = { preStop: { sleep: { seconds: 5 } } };
const container = {
  name: 'only',
  image: podImage,
  imagePullPolicy: 'Never',
  ports: [{ containerPort: 80 }],
  readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
  lifecycle,
};
const spread = {
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: labels },
};

export const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: {
    replicas,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 15, topologySpreadConstraints: [spread], containers: [container] },
    },
  },
};

/** No more than two pods at once are taken away by a drain. */
export const budget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata,
  spec: { maxUnavailable: 2, selector: { matchLabels: labels } },
};

export const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 80 }] },
};

export const ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata,
  spec: {
    ingressClassName: 'tideline',
    rules: [
      {
        host,
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: application, port: { name: 'http' } } } },
          ],
        },
      },
    ],
  },
};
