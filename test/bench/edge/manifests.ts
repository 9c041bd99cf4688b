import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressesOf, hostName, upstreamPort } from './fleet.ts';

/** 5,000 applications make 200 files, as a company with a file a team might have them. */
export const hostsAFile = 25;

/** As JSON has it, without `null`. */
type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

/** Ingress, Service and EndpointSlice of one application, with the fields that a cluster would give them. */
function application(index: number, addresses: readonly string[]): readonly Value[] {
  const name = `app-${index}`;
  const namespace = `shop-${index % 250}`;
  const backend = { service: { name, port: { number: 80 } } };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, namespace },
      spec: {
        ingressClassName: 'tideline',
        rules: [{ host: hostName(index), http: { paths: [{ backend, path: '/', pathType: 'Prefix' }] } }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: upstreamPort }],
        selector: { app: name },
        type: 'ClusterIP',
      },
    },
    {
      addressType: 'IPv4',
      apiVersion: 'discovery.k8s.io/v1',
      endpoints: addresses.map((address, place) => ({
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `paris-worker-${1 + (place % 2)}`,
        targetRef: { kind: 'Pod', name: `${name}-${place}`, namespace },
      })),
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
      ports: [{ name: 'http', port: upstreamPort, protocol: 'TCP' }],
    },
  ];
}

/** The manifests of one application, as a file holds them. */
export function applicationYaml(index: number, addresses: readonly string[] = addressesOf(index)): string {
  return application(index, addresses)
    .map((object) => `---${blockYaml(object, '\n')}\n`)
    .join('');
}

/** Applications 0 to `count` - 1; JSON is a list a file, as `kubectl get -o json` gives it. */
export async function writeFolder(folder: string, count: number, format: 'yaml' | 'json'): Promise<void> {
  await mkdir(folder);
  for (let first = 0; first < count; first += hostsAFile) {
    const indexes = Array.from({ length: Math.min(hostsAFile, count - first) }, (_, place) => first + place);
    const text =
      format === 'yaml'
        ? indexes.map((index) => applicationYaml(index)).join('')
        : JSON.stringify({
            apiVersion: 'v1',
            kind: 'List',
            items: indexes.flatMap((index) => application(index, addressesOf(index))),
          });
    await writeFile(join(folder, `apps-${first}.${format}`), text);
  }
}

/** YAML in block style; the texts here need no quotes. The YAML library takes half a minute for all of them. */
function blockYaml(value: Value, lineStart: string): string {
  if (Array.isArray(value)) {
    const items = value as readonly Value[];
    return items.map((item) => `${lineStart}- ${blockYaml(item, `${lineStart}  `).trimStart()}`).join('');
  }
  if (typeof value !== 'object') return ` ${value}`;
  return Object.entries(value)
    .map(([key, inner]) => `${lineStart}${key}:${blockYaml(inner, `${lineStart}  `)}`)
    .join('');
}
