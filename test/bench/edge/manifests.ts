import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressesOf, hostName, namespaceOf, upstreamPort } from './fleet.ts';

/** 5,000 applications make 200 files, as a company might have them with one file for each team. */
export const hostsAFile = 25;

/** A value of JSON, without `null`. */
type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

type Manifest = Readonly<Record<string, Value>>;

/** The objects of one application, with the fields that a cluster would give them. */
export interface Application {
  readonly ingress: Manifest;
  readonly service: Manifest;
  readonly slice: Manifest;
}

export function applicationOf(index: number, addresses: readonly string[] = addressesOf(index)): Application {
  const name = `app-${index}`;
  const namespace = namespaceOf(index);
  const backend = { service: { name, port: { number: 80 } } };
  return {
    ingress: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, namespace },
      spec: {
        ingressClassName: 'tideline',
        rules: [{ host: hostName(index), http: { paths: [{ backend, path: '/', pathType: 'Prefix' }] } }],
      },
    },
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: upstreamPort }],
        selector: { app: name },
        type: 'ClusterIP',
      },
    },
    slice: {
      addressType: 'IPv4',
      apiVersion: 'discovery.k8s.io/v1',
      endpoints: addresses.map((address, place) => ({
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `paris-worker-${1 + (place % 2)}`,
        targetRef: { kind: 'Pod', name: `${name}-${place}`, namespace },
      })),
      kind: 'EndpointSlice',
      metadata: { name: sliceName(index), namespace, labels: { 'kubernetes.io/service-name': name } },
      ports: [{ name: 'http', port: upstreamPort, protocol: 'TCP' }],
    },
  };
}

export function sliceName(index: number): string {
  return `app-${index}-1`;
}

/** The manifests of one application, as a file holds them. */
export function applicationYaml(index: number, addresses?: readonly string[]): string {
  return Object.values(applicationOf(index, addresses))
    .map((manifest: Manifest) => `---${blockYaml(manifest, '\n')}\n`)
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
            items: indexes.flatMap((index) => Object.values(applicationOf(index))),
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
