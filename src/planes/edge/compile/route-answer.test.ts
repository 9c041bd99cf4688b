import { expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';

import { compile } from './compile.ts';
import { routeAnswer } from './route-answer.ts';

type Raw = Readonly<Record<string, unknown>>;

const service = (name: string, port = 80): Raw => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name },
  spec: { ports: [{ port, targetPort: 8080 }] },
});
const slice = (name: string, endpoints: readonly Raw[]): Raw => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints,
});
const path = (text: string, name: string, pathType = 'Prefix'): Raw => ({
  path: text,
  pathType,
  backend: { service: { name, port: { number: 80 } } },
});
const ingress = (name: string, host: string, paths: readonly Raw[], annotations: Raw = {}): Raw => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { namespace: 'shop', name, annotations },
  spec: { ingressClassName: 'tideline', rules: [{ host, http: { paths } }] },
});

const many = Array.from({ length: 100 }, (_, index) => ({ addresses: [`10.10.1.${index + 1}`] }));
const compiled = compile({
  state: stateFromObjects([
    service('web'),
    slice('web', [{ addresses: ['10.10.1.1'] }, { addresses: ['10.10.1.2'], conditions: { ready: false } }]),
    service('unready'),
    slice('unready', [{ addresses: ['10.10.1.3'], conditions: { ready: false, serving: false } }]),
    service('empty'),
    service('other-port', 81),
    service('many'),
    slice('many', many),
    ingress('shop', 'www.shop.example', [
      path('/', 'web'),
      path('/cart', 'empty'),
      path('/exact', 'unready', 'Exact'),
      path('/gone', 'missing'),
      path('/port', 'other-port'),
      path('/many', 'many'),
    ]),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { namespace: 'shop', name: 'any' },
      spec: { ingressClassName: 'tideline', defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
    },
    ingress('wild', '*.shop.example', [path('/only', 'web')]),
    ingress('closed', 'closed.shop.example', [path('/', 'web')], {
      'nginx.ingress.kubernetes.io/auth-url': 'https://auth.example',
    }),
  ]),
  platform: platformForTests(),
  pool: poolForTests(),
  readCertificate: () => ({ ok: false, fault: { reason: 'CertificateUnreadable', message: 'unused' } }),
  nowMs: 0,
});

function ask(host: string, text: string) {
  return routeAnswer({ compiled, backend: (key) => compiled.backends.get(key) }, { host, path: text });
}

const cases: readonly (readonly [string, string, Raw])[] = [
  [
    'www.shop.example',
    '/a',
    {
      rule: { host: 'www.shop.example', match: 'prefix', path: '/' },
      ingress: 'shop/shop',
      backend: { service: 'shop/web', port: '80', exists: true, ready: 1, total: 1, problems: [] },
    },
  ],
  [
    'WWW.Shop.example.:443',
    '//cart/./x/../y?q=1',
    { refused: 'NoEndpoints', backend: { service: 'shop/empty', exists: true } },
  ],
  ['www.shop.example', '/%65xact', { rule: { match: 'exact', path: '/exact' }, backend: { ready: 0, total: 1 } }],
  ['www.shop.example', '/exact/more', { rule: { path: '/' } }],
  ['www.shop.example', '/gone', { refused: 'NoEndpoints', backend: { service: 'shop/missing', exists: false } }],
  ['www.shop.example', '/port', { refused: 'NoEndpoints', backend: { service: 'shop/other-port', exists: false } }],
  ['any.shop.example', '/only', { rule: { host: '*.shop.example' }, ingress: 'shop/wild' }],
  ['any.shop.example', '/', { refused: 'PathUnknown' }],
  ['a.b.other.example', '/', { rule: { host: '' }, ingress: 'shop/any', backend: { service: 'shop/web' } }],
  ['', '', { rule: { host: '' }, path: '/' }],
  [
    'closed.shop.example',
    '/',
    { refused: 'AccessAnnotationUnsupported', faulty: [{ object: 'Ingress/shop/closed', state: 'refused' }] },
  ],
];

test.each(cases)('says what becomes of %s%s', (host, text, answer) => {
  expect(ask(host, text)).toMatchObject(answer);
});

test('says that no Ingress serves a host', () => {
  const { hosts, ...table } = compiled.table;
  const named = { ...compiled, table: { ...table, hosts: hosts.filter(({ name }) => name !== '') } };
  const answer = routeAnswer({ compiled: named, backend: () => undefined }, { host: 'a.b.shop.example', path: '/' });
  expect(answer).toMatchObject({ refused: 'HostUnknown' });
});

test('says so before anything is known', () => {
  expect(routeAnswer(undefined, { host: 'h', path: '/' })).toMatchObject({ refused: 'NoTable' });
});

test('stays small, whatever tenants do', () => {
  const { backend } = ask('www.shop.example', '/many');
  expect(backend).toMatchObject({ total: 100, ready: 100 });
  expect(backend?.endpoints).toHaveLength(32);
});

test.each(['/%', '/%ff', `/${'a'.repeat(8000)}`, '/\u0000', '\\\\x', '/é'])('answers to a path such as %j', (text) => {
  expect(ask('www.shop.example', text)).toMatchObject({ rule: { path: '/' } });
});
