import fc from 'fast-check';
import { compile } from '../../src/planes/edge/compile/compile.ts';
import type { RoutingTable } from '../../src/planes/edge/table.ts';
import { stateFromObjects } from './cluster-state.ts';
import { platformForTests } from './edge-platform.ts';
import { poolForTests } from './edge-pool.ts';
import type { NginxPath, PathOwner } from './ingress-nginx.ts';

/** Ingresses of one namespace with the same Service; those with limits let nobody in. */

const annotation = 'nginx.ingress.kubernetes.io';
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { ports: [{ port: 80 }] },
};

/** The table for the Ingresses of each host, which come in the order of their age. */
export function tableOf(hosts: ReadonlyMap<string, readonly PathOwner[]>): RoutingTable {
  const ingresses = [...hosts].flatMap(([host, owners]) => owners.map((owner, age) => objectOf(host, owner, age)));
  const state = stateFromObjects([...ingresses, service]);
  const pool = poolForTests({ limits: { namespace: { routes: 50_000 } } });
  const readCertificate = () => ({ ok: false, fault: { reason: 'CertificateUnreadable', message: '' } }) as const;
  return compile({ state, platform: platformForTests(), pool, readCertificate, nowMs: 0 }).table;
}

function objectOf(host: string, { limits, regex, paths }: PathOwner, age: number) {
  const annotations = {
    ...(limits ? { [`${annotation}/whitelist-source-range`]: '192.0.2.0/24' } : {}),
    ...(regex ? { [`${annotation}/use-regex`]: 'true' } : {}),
  };
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: `${host.slice(0, host.indexOf('.'))}-${age}`,
      namespace: 'shop',
      creationTimestamp: new Date(age * 1000).toISOString(),
      annotations,
    },
    spec: {
      ingressClassName: 'tideline',
      rules: [{ host, http: { paths: paths.map(({ text, type }) => ({ path: text, pathType: type, backend })) } }],
    },
  };
}

const texts = ['/', '/a', '/A', '/ab', '/a/b', '/A/b', '/a/b/c', '/ab/c', '/b', '/b/a/c', '/a-'];
const patterns = ['/a(/|$)(.*)', '/a/?(.*)', '/a/(.*)', '/(a|b)/c', '/a.*', '/[ab]/c', '/a/b$', '/.*', '/(a|b/a)(/|$)']
  .concat(['/a{0,1}b', '/a+', '/a/*b', '/(?:A|B)b?', '/a|/b', '/([a-b]+)/c', '/$', '/(a(/b)?|b)/c', '/b(/a)(/c)?'])
  .concat(['/(ab|b)+', '/a(|b)/', '/(a|b)(a|b)(a|b)(a|b)(a|b)', '/a/.+', '/[^a]/a', '/aa?b']);
const elements = ['a', 'b', 'A', 'ab', 'c', 'a-x', 'bb'];

/** Paths that requests have. */
export const requestPaths = elements
  .flatMap((one) => [`/${one}`, `/${one}/`, ...elements.flatMap((two) => [`/${one}/${two}`, `/${one}/${two}/c`])])
  .concat('/', '/ababa', '/bbbbb/a');

const anyType = fc.constantFrom('Exact' as const, 'Prefix' as const, 'ImplementationSpecific' as const);

function ownersOf(all: readonly string[], regex: fc.Arbitrary<boolean>): fc.Arbitrary<readonly PathOwner[]> {
  const path: fc.Arbitrary<NginxPath> = fc.record({ text: fc.constantFrom(...all), type: anyType });
  const paths = fc.array(path, { minLength: 1, maxLength: 3 });
  return fc.array(fc.record({ limits: fc.boolean(), regex, paths }), { minLength: 1, maxLength: 4 });
}

/** A slash at the end, which Ingress v1 ignores and nginx does not, only paths with limits have. */
export const anyOwners = ownersOf([...texts, '/a/', '/ab/', ...patterns], fc.boolean()).filter((owners) =>
  owners.every(({ limits, paths }) => limits || paths.every(({ text }) => text === '/' || !text.endsWith('/'))),
);

/**
 * Without regular expressions. ImplementationSpecific, which is a prefix of elements here where there are no limits, only paths with
 * limits are, and none of them is also a Prefix, with which it would be in conflict.
 */
export const plainOwners = ownersOf(texts, fc.constant(false))
  .map((owners) =>
    owners.map((owner) => ({
      ...owner,
      paths: owner.paths.map((path) =>
        owner.limits || path.type === 'Exact' ? path : { ...path, type: 'Prefix' as const },
      ),
    })),
  )
  .filter((owners) => {
    const paths = owners.flatMap((owner) => owner.paths).filter(({ type }) => type !== 'Exact');
    return [...Map.groupBy(paths, ({ text }) => text).values()].every(
      (same) => new Set(same.map(({ type }) => type)).size === 1,
    );
  });
