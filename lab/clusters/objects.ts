import type { EndpointSlice } from '../../src/kube/kinds/endpoint-slice.ts';
import type { Ingress } from '../../src/kube/kinds/ingress.ts';
import type { IngressClass } from '../../src/kube/kinds/ingress-class.ts';
import type { Node } from '../../src/kube/kinds/node.ts';
import type { Pod } from '../../src/kube/kinds/pod.ts';
import type { Secret } from '../../src/kube/kinds/secret.ts';
import type { Service } from '../../src/kube/kinds/service.ts';
import { kindFacts } from '../../src/kube/kinds.ts';
import { ingressController } from '../../src/model/contract.ts';
import { application } from '../world/application.ts';

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
    apiVersion: kindFacts.Node.apiVersions[0],
    kind: 'Node',
    metadata: { name: node.name, labels: { 'kubernetes.io/hostname': node.name } },
    status: { addresses: [{ type: 'InternalIP', address: node.address }] },
  };
}

export function podObject(pod: LabPod): Manifest<Pod> {
  return {
    apiVersion: kindFacts.Pod.apiVersions[0],
    kind: 'Pod',
    metadata: { namespace, name: pod.name, labels: { app: name } },
    spec: { nodeName: pod.node },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: pod.ready ? 'True' : 'False' }],
      podIP: pod.address,
      podIPs: [{ ip: pod.address }],
    },
  };
}

export function serviceObject(clusterIp: string): Manifest<Service> {
  return {
    apiVersion: kindFacts.Service.apiVersions[0],
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
    apiVersion: kindFacts.EndpointSlice.apiVersions[0],
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
    apiVersion: kindFacts.IngressClass.apiVersions[0],
    kind: 'IngressClass',
    metadata: { name: className },
    spec: { controller: ingressController },
  };
}

export function ingressObject(className: string): Manifest<Ingress> {
  return {
    apiVersion: kindFacts.Ingress.apiVersions[0],
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
    apiVersion: kindFacts.Secret.apiVersions[0],
    kind: 'Secret',
    metadata: { namespace, name: application.tlsSecret },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificate.chain), 'tls.key': base64(certificate.key) },
  };
}
