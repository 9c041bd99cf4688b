import { compile } from '../../src/planes/edge/compile/compile.ts';
import type { CertificateReader } from '../../src/planes/edge/compile/tls.ts';
import { stateFromObjects } from './cluster-state.ts';
import { platformForTests } from './edge-platform.ts';
import { poolForTests } from './edge-pool.ts';

/** Ingresses of a few lines, and what the table makes of them. */

export type Raw = Readonly<Record<string, unknown>>;
export type Texts = Readonly<Record<string, string>>;
const nowMs = Date.parse('2026-11-26T00:00:00Z');
const platform = platformForTests();
const readCertificate: CertificateReader = () => ({
  ok: false,
  fault: { reason: 'CertificateUnreadable', message: 'none here' },
});
export const webBackend = { service: { name: 'web', port: { number: 80 } } };
export const auth = { 'auth-url': 'https://login.example' };
export const list = { 'whitelist-source-range': '10.0.0.0/8' };

interface Asked {
  readonly paths: readonly string[];
  readonly age: number;
  readonly type?: string;
  readonly annotations?: Texts;
  readonly namespace?: string;
  readonly host?: string;
  readonly backend?: Raw;
}

export function ingress(
  name: string,
  { paths, age, type = 'Prefix', annotations = {}, namespace = 'shop', host = 'a.example', ...more }: Asked,
): Raw {
  const backend = more.backend ?? webBackend;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace,
      creationTimestamp: new Date(nowMs + age * 1000).toISOString(),
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
      ),
    },
    spec: {
      ingressClassName: 'tideline',
      rules: [{ host, http: { paths: paths.map((path) => ({ path, pathType: type, backend })) } }],
    },
  };
}

export const web = ingress('web', { paths: ['/'], age: 1 });
const services = ['web', 'outside'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: name === 'web' ? { ports: [{ port: 80 }] } : { type: 'ExternalName', externalName: 'x.example' },
}));

export function compiled(ingresses: readonly Raw[], pool: Raw = {}) {
  const state = stateFromObjects([...ingresses, ...services]);
  return compile({ state, platform, pool: poolForTests(pool), readCertificate, nowMs });
}

/** As nginx writes them, roughly: a star after a text stands for the rest, and ~ for any case. */
export const signs = { exact: '= ', prefix: '', text: '* ', anyCasePrefix: '~ ', anyCaseText: '~* ' } as const;

/** What a host does with each of its paths: the reason why it refuses, `limited`, or `open`. */
export function answers({ table }: ReturnType<typeof compiled>, of = 'a.example'): Texts {
  const host = table.hosts.find(({ name }) => name === of);
  return Object.fromEntries(
    (host?.paths ?? []).map(({ match, path, settings }) => {
      const setting = settings === undefined ? undefined : host?.settings?.[settings];
      const answer = setting?.refused ?? (setting?.allow === undefined ? 'open' : 'limited');
      return [`${signs[match]}${path}`, answer];
    }),
  );
}

export function reasons({ conditions }: ReturnType<typeof compiled>, name = 'admin'): readonly string[] | undefined {
  return conditions.find(({ object }) => object === `Ingress/shop/${name}`)?.problems.map(({ reason }) => reason);
}

export const regex = { 'use-regex': 'true' };
export const refused = 'AccessPathRefused';
export const closed = 'AccessSiblingRefused';
