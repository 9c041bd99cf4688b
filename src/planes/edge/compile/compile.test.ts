import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { compile } from './compile.ts';
import type { CertificateReader } from './tls.ts';

const nowMs = Date.parse('2026-11-26T00:00:00Z');

type Raw = Readonly<Record<string, unknown>>;
const pool = poolForTests();
const platform = platformForTests();
const readCertificate: CertificateReader = (secret) => {
  const chain = secret.data?.['tls.crt'] ?? '';
  return chain === ''
    ? { ok: false, fault: { reason: 'CertificateUnreadable', message: 'empty' } }
    : {
        ok: true,
        certificate: { id: chain, chain, key: 'key' },
        facts: { notBeforeMs: 0, notAfterMs: Infinity, names: ['*.example', 'c.example'] },
      };
};

function compileObjects(objects: readonly Raw[]) {
  return compile({ state: stateFromObjects(objects), platform, pool, readCertificate, nowMs });
}

function ingress(name: string, spec: Raw, metadata: Raw = {}): Raw {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { ingressClassName: 'tideline', ...spec },
  };
}

function rule(host: string, path: string, service: string, pathType = 'Prefix'): Raw {
  return { host, http: { paths: [{ path, pathType, backend: { service: { name: service, port: { number: 80 } } } }] } };
}

function service(name: string, namespace = 'shop'): Raw {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ port: 80 }] } };
}

function slice(name: string, of: string, addresses: readonly string[]): Raw {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    ports: [{ port: 3000 }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  };
}

const few = <T>(...values: T[]) => fc.constantFrom(...values);
const anIngress = fc
  .record({
    host: few('a.example', 'b.example', '*.example', ''),
    path: few('/', '/a', '/a/', '/a/b'),
    pathType: few('Exact', 'Prefix', 'ImplementationSpecific'),
    target: few('one', 'two', 'missing'),
    age: few('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', undefined),
    secret: few('good', 'bad', undefined),
  })
  .map(({ host, path, pathType, target, age, secret }) => {
    const { host: _, ...anyHost } = rule(host, path, target, pathType);
    return [
      {
        rules: [host === '' ? anyHost : rule(host, path, target, pathType)],
        ...(secret === undefined ? {} : { tls: [{ secretName: secret }] }),
      },
      age === undefined ? {} : { creationTimestamp: age },
    ] as const;
  });
const aWorld = fc.array(anIngress, { maxLength: 8 }).map((specs) => [
  ...specs.map(([spec, metadata], index) => ingress(`i${index}`, spec, metadata)),
  service('one'),
  service('two'),
  slice('one-1', 'one', ['10.10.1.5', '10.10.1.6']),
  slice('one-2', 'one', ['10.10.2.5']),
  {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'good', namespace: 'shop' },
    data: { 'tls.crt': 'Zm9v' },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'bad', namespace: 'shop' },
    data: {},
  },
]);

describe('compile', () => {
  test('gives the same bytes whatever the order of the objects', () => {
    fc.assert(
      fc.property(
        aWorld.chain((world) => fc.tuple(fc.constant(world), fc.shuffledSubarray(world, { minLength: world.length }))),
        ([world, shuffled]) => {
          const [a, b] = [compileObjects(world), compileObjects(shuffled)];
          expect(JSON.stringify(b.table)).toBe(JSON.stringify(a.table));
          expect(JSON.stringify(b.conditions)).toBe(JSON.stringify(a.conditions));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('adding an Ingress that is refused changes nothing for the others, whatever it asks for', () => {
    const payload = fc.string({
      unit: few(';', '{', '}', '"', "'", '\\', '#', '$', '\r', '\n', '\0', ' ', '/', 'a', '.', '*'),
    });
    const bad = fc
      .record({ host: payload, path: payload, name: payload, age: few('1990-01-01T00:00:00Z', 'never') })
      .map((evil) =>
        ingress(
          'zz-bad',
          {
            rules: [
              {
                host: `;${evil.host}`,
                http: {
                  paths: [
                    { path: '/', pathType: 'Prefix', backend: { service: { name: 'one', port: { number: 80 } } } },
                  ],
                },
              },
              {
                host: 'a.example',
                http: {
                  paths: [
                    { path: evil.path, pathType: 'Regex', backend: { service: { name: 'one', port: { number: 80 } } } },
                  ],
                },
              },
              {
                host: 'a.example',
                http: {
                  paths: [
                    {
                      path: '/',
                      pathType: 'Prefix',
                      backend: { service: { name: `.${evil.name}`, port: { number: 80 } } },
                    },
                  ],
                },
              },
            ],
            defaultBackend: { resource: { kind: evil.name, name: evil.name } },
            tls: [{ hosts: ['a.example'], secretName: 'good' }],
          },
          { creationTimestamp: evil.age },
        ),
      );
    fc.assert(
      fc.property(aWorld, bad, (world, evil) => {
        const before = compileObjects(world);
        const after = compileObjects([...world, evil]);
        expect(after.table).toEqual(before.table);
        expect(after.conditions.filter(({ object }) => object !== 'Ingress/shop/zz-bad')).toEqual(before.conditions);
        expect(after.conditions.find(({ object }) => object === 'Ingress/shop/zz-bad')?.state).toBe('refused');
      }),
      { numRuns: 100 },
    );
  });

  test('leaves Ingresses alone whose class belongs to another controller, though it has our class name', () => {
    const foreign = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'tideline' },
      spec: { controller: 'k8s.io/other' },
    };
    const { table, conditions } = compileObjects([
      foreign,
      ingress('web', { rules: [rule('a.example', '/', 'one')] }),
      service('one'),
    ]);
    expect(table.hosts).toEqual([]);
    expect(conditions).toEqual([]);
  });

  test('an older Ingress keeps its certificate claim while its Secret is bad', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'good', namespace: 'shop' },
      data: { 'tls.crt': 'Zm9v' },
    };
    const { table, conditions } = compileObjects([
      ingress(
        'old',
        { rules: [rule('a.example', '/', 'one')], tls: [{ secretName: 'missing' }] },
        { creationTimestamp: '2026-01-01T00:00:00Z' },
      ),
      ingress(
        'young',
        { rules: [rule('a.example', '/young', 'one')], tls: [{ secretName: 'good' }] },
        { creationTimestamp: '2026-01-02T00:00:00Z' },
      ),
      service('one'),
      secret,
    ]);
    expect(table.hosts[0]?.certificate).toBeUndefined();
    expect(conditions.map(({ problems }) => problems.map(({ reason }) => reason))).toEqual([
      ['SecretMissing'],
      ['TlsConflict'],
    ]);
  });

  test("the pool's default certificate is the certificate of the host without a name; a missing one is a condition", () => {
    const own = poolForTests({ defaultCertificate: { namespace: 'edge', secret: 'default' } });
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'default', namespace: 'edge' },
      data: { 'tls.crt': 'Zm9v' },
    };
    const withSecret = compile({ state: stateFromObjects([secret]), platform, pool: own, readCertificate, nowMs });
    expect(withSecret.table.hosts).toEqual([{ name: '', paths: [], certificate: 'Zm9v' }]);
    expect(withSecret.conditions).toEqual([]);
    const without = compile({ state: stateFromObjects([]), platform, pool: own, readCertificate, nowMs });
    expect(without.table.hosts).toEqual([]);
    expect(without.conditions[0]).toMatchObject({
      object: 'EdgePool/paris-edge',
      problems: [{ reason: 'SecretMissing' }],
    });
  });

  test('5,000 Ingresses with 50,000 endpoints compile in under a second of processor time', () => {
    const world: Raw[] = [];
    for (let at = 0; at < 5000; at += 1) {
      world.push(ingress(`i${at}`, { rules: [rule(`h${at}.example`, '/', `s${at}`)] }), service(`s${at}`));
      world.push(
        slice(
          `e${at}`,
          `s${at}`,
          Array.from({ length: 10 }, (_, pod) => `10.10.${(at * 10 + pod) >> 8}.${(at * 10 + pod) & 255}`),
        ),
      );
    }
    const state = stateFromObjects(world);
    compile({ state, platform, pool, readCertificate, nowMs });
    const before = process.threadCpuUsage();
    const { table } = compile({ state, platform, pool, readCertificate, nowMs });
    const { user, system } = process.threadCpuUsage(before);
    expect(table.hosts).toHaveLength(5000);
    expect(new Set(table.backends.map(({ endpoints }) => endpoints.length))).toEqual(new Set([10]));
    expect((user + system) / 1000).toBeLessThan(3000);
  });

  test('a certificate from another namespace than the host is a problem of both Ingresses, or is refused when the pool says so', () => {
    const from = (namespace: string, created: string, spec: Raw): Raw =>
      ingress(namespace, spec, { namespace, creationTimestamp: created });
    const secretOf = (namespace: string): Raw => ({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'tls', namespace },
      data: { 'tls.crt': namespace },
    });
    const tls = [{ hosts: ['a.example'], secretName: 'tls' }];
    const owner = from('owner', '2026-01-01T00:00:00Z', { rules: [rule('a.example', '/', 'web')] });
    const giver = from('giver', '2026-01-02T00:00:00Z', { rules: [rule('a.example', '/x', 'web')], tls });
    const late = from('owner', '2026-01-03T00:00:00Z', { rules: [rule('a.example', '/y', 'web')], tls });
    const objects = [
      owner,
      giver,
      { ...late, metadata: { ...(late['metadata'] as Raw), name: 'late' } },
      secretOf('owner'),
      secretOf('giver'),
    ];
    const results = [false, true].map((hostOwnerOwnsCertificate) => {
      const input = { state: stateFromObjects(objects), platform, pool: poolForTests({ hostOwnerOwnsCertificate }) };
      const { table, conditions } = compile({ ...input, readCertificate, nowMs });
      const tlsProblems = conditions.map(({ object, problems }) => [
        object,
        problems.map(({ reason }) => reason).filter((reason) => reason.startsWith('Tls')),
      ]);
      return { certificate: table.hosts[0]?.certificate, problems: Object.fromEntries(tlsProblems) };
    });
    expect(results).toEqual([
      {
        certificate: 'giver',
        problems: {
          'Ingress/giver/giver': ['TlsForeign'],
          'Ingress/owner/owner': ['TlsForeign'],
          'Ingress/owner/late': ['TlsConflict'],
        },
      },
      {
        certificate: 'owner',
        problems: { 'Ingress/giver/giver': ['TlsOfHostOwner'], 'Ingress/owner/owner': [], 'Ingress/owner/late': [] },
      },
    ]);
  });
});
