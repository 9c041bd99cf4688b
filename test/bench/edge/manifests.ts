import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { addressesOf, hostName, upstreamPort } from './fleet.ts';

/** 5,000 applications make 200 files, as a company with a file a team might have them. */
export const hostsAFile = 25;

/** Ingress, Service and EndpointSlice of one application, as `kubectl get -o yaml` orders its fields. */
export function applicationYaml(index: number, addresses: readonly string[] = addressesOf(index)): string {
  const metadata = (name: string, labels = ''): string =>
    `metadata:\n  name: ${name}\n  namespace: shop-${index % 250}\n${labels}`;
  const endpoints = addresses.map(
    (address, place) => `- addresses:
  - ${address}
  conditions:
    ready: true
    serving: true
    terminating: false
  nodeName: paris-worker-${1 + (place % 2)}
  targetRef:
    kind: Pod
    name: app-${index}-${place}
    namespace: shop-${index % 250}
`,
  );
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
${metadata(`app-${index}`)}spec:
  ingressClassName: tideline
  rules:
  - host: ${hostName(index)}
    http:
      paths:
      - backend:
          service:
            name: app-${index}
            port:
              number: 80
        path: /
        pathType: Prefix
---
apiVersion: v1
kind: Service
${metadata(`app-${index}`)}spec:
  ports:
  - name: http
    port: 80
    protocol: TCP
    targetPort: ${upstreamPort}
  selector:
    app: app-${index}
  type: ClusterIP
---
addressType: IPv4
apiVersion: discovery.k8s.io/v1
${endpoints.length === 0 ? 'endpoints: []\n' : `endpoints:\n${endpoints.join('')}`}kind: EndpointSlice
${metadata(`app-${index}-1`, `  labels:\n    kubernetes.io/service-name: app-${index}\n`)}ports:
- name: http
  port: ${upstreamPort}
  protocol: TCP
---
`;
}

/** Applications 0 to `count` - 1; JSON is a list a file, as `kubectl get -o json` gives it. */
export async function writeFolder(folder: string, count: number, format: 'yaml' | 'json'): Promise<void> {
  await mkdir(folder);
  for (let first = 0; first < count; first += hostsAFile) {
    const indexes = Array.from({ length: Math.min(hostsAFile, count - first) }, (_, place) => first + place);
    const yaml = indexes.map((index) => applicationYaml(index)).join('');
    const text = format === 'yaml' ? yaml : JSON.stringify(listOf(yaml));
    await writeFile(join(folder, `apps-${first}.${format}`), text);
  }
}

function listOf(yaml: string): unknown {
  const items = parseAllDocuments(yaml).map((document) => document.toJS() as unknown);
  return { apiVersion: 'v1', kind: 'List', items: items.filter((item) => item !== null) };
}
