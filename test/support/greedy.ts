import { ec, issue, secretData } from './certificates.ts';

type Raw = Readonly<Record<string, unknown>>;

/** A certificate and its key. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Fifteen certificates to fill a chain with, each with a comment of so many characters. */
export function fillers(length: number): Promise<readonly string[]> {
  const comment = 'x'.repeat(length);
  const one = async (at: number) => (await issue({ name: `filler-${at}`, key: ec('prime256v1'), comment })).certificate;
  return Promise.all(Array.from({ length: 15 }, (_, at) => one(at)));
}

/** The leaf and `count` of these certificates: a chain of its own for each number. */
export function chain(leaf: Pair, number: number, from: readonly string[], count: number): string {
  const pile = [...from];
  let rest = number;
  const picked = Array.from({ length: count }, () => {
    const at = rest % pile.length;
    rest = Math.floor(rest / pile.length);
    return pile.splice(at, 1)[0] ?? '';
  });
  return [leaf.certificate, ...picked].join('');
}

export function tlsSecret(namespace: string, name: string, certificates: string, key: string): Raw {
  const data = secretData(certificates, key);
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name, namespace }, data };
}

interface IngressWish {
  readonly namespace: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly paths?: readonly string[];
  readonly secretName?: string;
  readonly service?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Seconds after the oldest. */
  readonly age?: number;
}

/** An Ingress with every path on every host. */
export function ingressOf(wish: IngressWish): Raw {
  const { namespace, name, hosts, paths = ['/'], secretName, service = 'web', annotations, age = 0 } = wish;
  const backend = { service: { name: service, port: { number: 80 } } };
  const http = { paths: paths.map((path) => ({ path, pathType: 'Prefix', backend })) };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace,
      creationTimestamp: new Date(1_700_000_000_000 + age * 1000).toISOString(),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      ingressClassName: 'tideline',
      ...(secretName === undefined ? {} : { tls: [{ hosts, secretName }] }),
      rules: hosts.map((host) => ({ host, http })),
    },
  };
}

/** A Service with one port, and its endpoints in slices of a hundred. */
export function serviceOf(namespace: string, name: string, addresses: readonly string[], port = 3000): readonly Raw[] {
  const slices = Array.from({ length: Math.ceil(addresses.length / 100) }, (_, at) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-${at}`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port }],
    endpoints: addresses
      .slice(at * 100, at * 100 + 100)
      .map((address) => ({ addresses: [address], conditions: { ready: true } })),
  }));
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ port: 80 }] } },
    ...slices,
  ];
}

/** A List in JSON, as `kubectl get -o json` prints it but for the white space. */
export function listOf(objects: readonly Raw[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
}
