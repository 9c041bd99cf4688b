/** The Node of a worker that is ready. Its status must be patched in, because a create ignores it. */
export function workerNode(name: string, address: string) {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    status: {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      capacity: { cpu: '8', memory: '32Gi', pods: '110' },
      allocatable: { cpu: '8', memory: '32Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'played by a test' }],
    },
  };
}

/** An Ingress of class tideline in namespace video, with one host whose paths all lead to the Service `web`. */
export function videoIngress(name: string, host: string, more: object = {}) {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'video' },
    spec: {
      ingressClassName: 'tideline',
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      ...more,
    },
  };
}

/** A Deployment and its Service in the default namespace, with the label `app`. */
export function web(name: string, replicas: number): readonly object[] {
  const labels = { app: name };
  const container = { name, image: 'registry.invalid/web:1', ports: [{ name: 'http', containerPort: 8080 }] };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'default' },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
}
