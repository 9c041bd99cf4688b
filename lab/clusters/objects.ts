import {
  type EndpointSlice,
  type Ingress,
  type IngressClass,
  ingressController,
  type Node,
  type Pod,
  type Secret,
  type Service,
} from '../../src/model/kubernetes.ts';

/** The application of the lab: one Deployment `web` in namespace `video`, one host. */
export const application = {
  namespace: 'video',
  name: 'web',
  host: 'www.video.example',
  policy: 'video',
  podPort: 8080,
  tlsSecret: 'www-video-example-tls',
} as const;

export interface LabPod {
  readonly name: string;
  readonly node: string;
  readonly address: string;
  readonly ready: boolean;
}

type Manifest<T> = T & { readonly apiVersion: string };
const { namespace, name } = application;

export function nodeObject(node: { readonly name: string; readonly address: string }): Manifest<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: node.name, labels: { 'kubernetes.io/hostname': node.name } },
    status: { addresses: [{ type: 'InternalIP', address: node.address }] },
  };
}

export function podObject(pod: LabPod): Manifest<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: pod.name, labels: { app: name } },
    spec: { nodeName: pod.node },
    status: { phase: 'Running', podIP: pod.address, podIPs: [{ ip: pod.address }] },
  };
}

export function serviceObject(clusterIp: string): Manifest<Service> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp,
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: application.podPort }],
    },
  };
}

export function endpointSliceObject(pods: readonly LabPod[]): Manifest<EndpointSlice> {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: pods.map((pod) => ({
      addresses: [pod.address],
      conditions: { ready: pod.ready, serving: pod.ready, terminating: false },
      nodeName: pod.node,
      targetRef: { kind: 'Pod', name: pod.name },
    })),
    ports: [{ name: 'http', port: application.podPort, protocol: 'TCP' }],
  };
}

export function ingressClassObject(className: string): Manifest<IngressClass> {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: className },
    spec: { controller: ingressController },
  };
}

export function ingressObject(className: string): Manifest<Ingress> {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name },
    spec: {
      ingressClassName: className,
      tls: [{ hosts: [application.host], secretName: application.tlsSecret }],
      rules: [
        {
          host: application.host,
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }],
          },
        },
      ],
    },
  };
}

export function secretObject(certificate: { readonly chain: string; readonly key: string }): Manifest<Secret> {
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: application.tlsSecret },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificate.chain), 'tls.key': base64(certificate.key) },
  };
}
