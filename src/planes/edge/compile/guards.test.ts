import { describe, expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { problemsBeforehand } from './beforehand.ts';
import { compile } from './compile.ts';
import { guardOfPath, guardOfPattern } from './guards.ts';
import type { CertificateReader } from './tls.ts';

type Raw = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string>>;
const nowMs = Date.parse('2026-11-26T00:00:00Z');
const platform = platformForTests();
const readCertificate: CertificateReader = () => ({
  ok: false,
  fault: { reason: 'CertificateUnreadable', message: 'none here' },
});
const webBackend = { service: { name: 'web', port: { number: 80 } } };
const auth = { 'auth-url': 'https://login.example' };
const list = { 'whitelist-source-range': '10.0.0.0/8' };

interface Asked {
  readonly paths: readonly string[];
  readonly age: number;
  readonly type?: string;
  readonly annotations?: Texts;
  readonly namespace?: string;
  readonly backend?: Raw;
}

function ingress(
  name: string,
  { paths, age, type = 'Prefix', annotations = {}, namespace = 'shop', ...more }: Asked,
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
      rules: [{ host: 'a.example', http: { paths: paths.map((path) => ({ path, pathType: type, backend })) } }],
    },
  };
}

const web = ingress('web', { paths: ['/'], age: 1 });
const services = ['web', 'outside'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: name === 'web' ? { ports: [{ port: 80 }] } : { type: 'ExternalName', externalName: 'x.example' },
}));

function compiled(ingresses: readonly Raw[], pool: Raw = {}) {
  const state = stateFromObjects([...ingresses, ...services]);
  return compile({ state, platform, pool: poolForTests(pool), readCertificate, nowMs });
}

/** What a.example does with each of its paths: the reason why it refuses, `limited`, or `open`. */
function answers({ table }: ReturnType<typeof compiled>): Texts {
  const host = table.hosts.find(({ name }) => name === 'a.example');
  return Object.fromEntries(
    (host?.paths ?? []).map(({ match, path, settings }) => {
      const setting = settings === undefined ? undefined : host?.settings?.[settings];
      const answer = setting?.refused ?? (setting?.allow === undefined ? 'open' : 'limited');
      return [match === 'exact' ? `= ${path}` : path, answer];
    }),
  );
}

function reasons({ conditions }: ReturnType<typeof compiled>, name = 'admin'): readonly string[] | undefined {
  return conditions.find(({ object }) => object === `Ingress/shop/${name}`)?.problems.map(({ reason }) => reason);
}

const regex = { 'use-regex': 'true' };
const guarded = { '/': 'open', '/admin': 'AccessPathRefused' };

describe('a path of an Ingress that limits access', () => {
  test.each([
    ['a regular expression with auth-url', '/admin(/|$)(.*)', 'Prefix', { ...regex, ...auth }],
    ['a rewrite with auth-url', '/admin(/|$)(.*)', 'ImplementationSpecific', { 'rewrite-target': '/$2', ...auth }],
    ['a regular expression with a list', '/admin/(.*)', 'ImplementationSpecific', { ...regex, ...list }],
    ['a regular expression that no annotation names', '/admin/?(.*)', 'ImplementationSpecific', list],
    ['a path that is not normal', '/admin//x', 'Prefix', auth],
    ['a pathType that nobody knows', '/admin', 'Regex', list],
  ])('does not fall to a broader route: %s', (_, path, type, annotations) => {
    expect(answers(compiled([web, ingress('admin', { paths: [path], age: 2, type, annotations })]))).toEqual(guarded);
  });

  test('does not fall to a broader route when its Service is an ExternalName or its backend no Service', () => {
    for (const backend of [
      { service: { name: 'outside', port: { number: 80 } } },
      { resource: { kind: 'Bucket', name: 'b' } },
    ]) {
      const admin = ingress('admin', { paths: ['/admin'], age: 2, annotations: list, backend });
      expect(answers(compiled([web, admin]))).toEqual(guarded);
    }
  });

  test.each([
    ['ObjectBudget', { object: { routes: 1 } }, ['/first', '/admin']],
    ['NamespaceBudget', { namespace: { routes: 2 } }, ['/first', '/admin']],
  ])('does not fall to a broader route when there is no room for it: %s', (reason, limits, paths) => {
    const result = compiled([web, ingress('admin', { paths, age: 2, annotations: list })], { limits });
    expect(answers(result)).toEqual({ ...guarded, '/first': 'limited' });
    expect(reasons(result)).toEqual([reason]);
  });

  test('closes its namespace on the host when there is no room for guards either', () => {
    const paths = Array.from({ length: 6 }, (_, at) => `/admin${at}`);
    const result = compiled([web, ingress('admin', { paths, age: 2, annotations: list })], {
      limits: { namespace: { routes: 2 } },
    });
    expect(answers(result)['/']).toBe('AccessSiblingRefused');
    expect(reasons(result, 'web')).toEqual(['AccessSiblingRefused']);
  });

  test.each(['/wp-.*', '/[ab]/admin', '/admin|/other', '/(.*)'])(
    'closes the broader route of its namespace when the two cannot be told apart: %s',
    (path) => {
      const admin = ingress('admin', { paths: [path], age: 2, annotations: { ...regex, ...list } });
      const foreign = ingress('foreign', { paths: ['/theirs'], age: 3, namespace: 'other' });
      const result = compiled([web, admin, foreign]);
      expect(answers(result)).toMatchObject({ '/': 'AccessSiblingRefused', '/theirs': 'open' });
      expect(reasons(result, 'web')).toEqual(['AccessSiblingRefused']);
      expect(reasons(result)).toEqual(['AnnotationIgnored', 'AccessPathRefused']);
    },
  );

  test('is a finding where ingress-nginx would have limited longer names too', () => {
    const result = compiled([
      web,
      ingress('admin', { paths: ['/wp-login', '/b/'], age: 2, type: 'ImplementationSpecific', annotations: list }),
    ]);
    expect(answers(result)).toEqual({ '/': 'open', '/wp-login': 'limited', '/b': 'limited' });
    expect(reasons(result)).toEqual(['AccessPathByElement']);
  });

  test('is served as it is written, or dropped, when nothing limits access or the pool does not care', () => {
    const plain = ingress('admin', { paths: ['/admin(/|$)(.*)'], age: 2, annotations: regex });
    expect(answers(compiled([web, plain]))).toEqual({ '/': 'open', '/admin(/|$)(.*)': 'open' });
    const careless = ingress('admin', { paths: ['/admin//x'], age: 2, annotations: auth });
    expect(answers(compiled([web, careless], { ignoreAccessAnnotations: true }))).toEqual({ '/': 'open' });
  });
});

test('what is refused in place of a path is said before the Ingress is applied', () => {
  const path = '/wp-(login|admin)';
  const admin = stateFromObjects([
    ingress('admin', { paths: [path, '/a'], age: 2, type: 'ImplementationSpecific', annotations: list }),
  ]).objects.Ingress.get('shop/admin');
  const problems = admin === undefined ? [] : problemsBeforehand('shop/admin', admin, poolForTests().spec);
  expect(problems.map(({ reason, path: field }) => [reason, field])).toEqual([
    ['AccessPathRefused', 'spec.rules[0].http.paths[0].path'],
    ['AccessPathByElement', 'spec.rules[0].http.paths[1].path'],
  ]);
  expect(problems[0]?.message).toContain('every other route of the namespace on this host');
});

describe('what is refused for a path', () => {
  test.each([
    ['/admin(/|$)(.*)', '/admin', false],
    ['/admin(?:/|$)', '/admin', false],
    ['/admin(/.*)?', '/admin', false],
    ['/admin/?(.*)', '/admin', false],
    ['/admin/(.*)', '/admin', false],
    ['/xmlrpc\\.php$', '/xmlrpc.php', false],
    ['/admin.*', '/admin', true],
    ['/a/wp-(login|cron)', '/a/wp-', true],
    ['/a(/|x)', '/a', true],
    ['/v+', '/v', true],
    ['/(.*)', '/', false],
    ['/a|/b', '/', false],
    ['/(a|b)', '/', false],
    ['/a\\(|/b', '/', false],
    ['/a[(]|/b', '/', false],
  ])('%s', (pattern, path, leaks) => {
    expect(guardOfPattern(pattern)).toEqual({
      path: { match: 'prefix', path },
      wider: true,
      ...(leaks ? { leaks } : {}),
    });
  });

  test.each([
    ['/admin//x', '/admin'],
    ['/admin/../x', '/admin'],
    ['/a/b%2fc', '/a'],
    ['admin', '/'],
    [undefined, '/'],
    [`/a/${'x'.repeat(5000)}`, '/a'],
  ])('the elements of %s before the first that is at fault', (path, expected) => {
    expect(guardOfPath(path)).toEqual({ path: { match: 'prefix', path: expected }, wider: true });
  });
});
