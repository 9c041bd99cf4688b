import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import type { RouteSettings } from '../table.ts';
import { type Compiled, compile } from './compile.ts';
import type { CertificateReader } from './tls.ts';

// What one namespace adds takes nothing from another.

const nowMs = Date.parse('2026-11-26T00:00:00Z');
const platform = platformForTests();
const readCertificate: CertificateReader = () => ({
  ok: false,
  fault: { reason: 'CertificateUnreadable', message: 'none here' },
});

interface Asked {
  readonly name: string;
  readonly age: number;
  readonly host: string;
  readonly paths: readonly string[];
  readonly allow?: string;
}

function ingress({ name, age, host, paths, allow }: Asked): Readonly<Record<string, unknown>> {
  const [namespace = '', ...rest] = name.split('/');
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const metadata = { name: rest.join(), namespace, creationTimestamp: new Date(nowMs + age * 1000).toISOString() };
  const annotations = { 'nginx.ingress.kubernetes.io/whitelist-source-range': allow };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: allow === undefined ? metadata : { ...metadata, annotations },
    spec: {
      ingressClassName: 'tideline',
      rules: [{ host, http: { paths: paths.map((path) => ({ path, pathType: typeOf(path), backend })) } }],
    },
  };
}

/** A regular expression, where it is meant as one. */
function typeOf(path: string): string {
  return path.includes('(') ? 'ImplementationSpecific' : 'Prefix';
}

function compiled(asked: readonly Asked[], limits: object = {}): Compiled {
  const state = stateFromObjects(asked.map(ingress));
  return compile({ state, platform, pool: poolForTests({ limits }), readCertificate, nowMs });
}

/** What a host does with each path of it. */
function answers({ table }: Compiled, name: string): Readonly<Record<string, RouteSettings['refused']>> {
  const host = table.hosts.find((one) => one.name === name);
  return Object.fromEntries(
    (host?.paths ?? []).map(({ path, settings }) => {
      const setting = settings === undefined ? undefined : host?.settings?.[settings];
      return [path, setting?.refused ?? (setting?.allow === undefined ? 'open' : 'limited')];
    }),
  );
}

function problems({ conditions }: Compiled, ...names: readonly string[]): readonly string[] {
  return names.flatMap((name) =>
    (conditions.find(({ object }) => object === `Ingress/${name}`)?.problems ?? [])
      .filter(({ reason }) => reason !== 'ServiceMissing')
      .map(({ reason, message }) => `${reason}: ${message}`),
  );
}

const many = (count: number, prefix: string, tail: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `/${prefix}${at}${'x'.repeat(tail)}`);
const addresses = (count: number, salt = 0): string =>
  Array.from({ length: count }, (_, at) => `2001:db8:${salt.toString(16)}:${at.toString(16)}:1:2:3:4`).join();

describe('the entry of a host', () => {
  const own: Asked = { name: 'a/a', age: 0, host: 'a.example', paths: ['/'] };
  const flood: Asked = {
    name: 'b/f1',
    age: 1,
    host: 'a.example',
    paths: [...many(1400, 'f', 600), ...many(20, 'g', 60), ...many(20, 'h', 10), ...many(26, 'i', 0)],
  };
  const fresh: Asked = { name: 'a/a-new', age: 2, host: 'a.example', paths: ['/new'] };
  const limited: Asked = { name: 'a/a-adm', age: 3, host: 'a.example', paths: ['/adm'], allow: '10.0.0.0/8' };
  const lost: Asked = { ...limited, name: 'a/a-lost', age: 4, paths: ['/adm(/|$)(.*)'] };

  test('has room for its owner, whatever another namespace has on it', () => {
    const result = compiled([own, flood, fresh, limited]);
    expect(answers(result, 'a.example')).toMatchObject({ '/': 'open', '/new': 'open', '/adm': 'limited' });
    expect(problems(result, 'a/a', 'a/a-new', 'a/a-adm')).toEqual([]);
    expect(problems(result, 'b/f1').map((one) => one.replace(/^.*?: \d+ of/, 'some of'))).toEqual([
      'some of 1466 routes have no room: the routes of namespace b on a.example, which namespace a owns, may take 128 KiB',
    ]);
  });

  test('has room for what an owner refuses, whatever others refuse there', () => {
    const guards = Array.from({ length: 6 }, (_, at) => ({
      name: `b${at}/g`,
      age: 1 + at / 10,
      host: 'a.example',
      paths: [...many(400, `${at}-`, 900), ...many(60, `${at}g`, 60), ...many(60, `${at}h`, 0)].map(
        (path) => `${path}(/|$)`,
      ),
      allow: '10.0.0.0/8',
    }));
    for (const list of [guards.slice(0, 1), guards.slice(0, 3)]) {
      const result = compiled([own, ...list, lost]);
      expect(answers(result, 'a.example')).toMatchObject({ '/': 'open' });
      expect(problems(result, 'a/a')).toEqual([]);
    }
  });

  test('has room for a namespace that does not own it, whatever another one has there', () => {
    const guest: Asked = { name: 'c/c', age: 5, host: 'a.example', paths: many(300, 'c', 40) };
    const result = compiled([own, flood, { ...flood, name: 'b/f2', age: 2 }, guest]);
    expect(problems(result, 'c/c')).toEqual([]);
  });

  test('is filled by many namespaces together, and says by which', () => {
    const crowd = ['b', 'c', 'd', 'e', 'f'].map((namespace, at) => ({
      ...flood,
      name: `${namespace}/f`,
      age: 1 + at,
      paths: many(1400, namespace, 600),
    }));
    const result = compiled([own, ...crowd, fresh]);
    expect(problems(result, 'a/a', 'a/a-new')).toEqual([]);
    expect(problems(result, 'f/f')[0]).toMatch(
      /^HostFull: \d+ of 1400 routes have no room: other namespaces fill what is left for routes on a\.example: b \(128 KiB\), c \(128 KiB\)/,
    );
  });

  test('any host has room for everybody as well', () => {
    const result = compiled([
      { ...flood, host: '' },
      { ...own, age: 2, host: '' },
      { ...fresh, age: 3, host: '' },
    ]);
    expect(problems(result, 'a/a', 'a/a-new')).toEqual([]);
  });
});

describe('the memory of nginx', () => {
  test('has room for a younger namespace when one has filled its share with long paths on many hosts', () => {
    const greedy = Array.from({ length: 60 }, (_, at) => ({
      name: `b/b${at}`,
      age: at,
      host: `b${at}.example`,
      paths: many(1000, 'p', 250),
    }));
    const late: Asked = { name: 'a/late', age: 1000, host: 'late.example', paths: ['/'] };
    const result = compiled([...greedy, late], { namespace: { routes: 10_000_000 } });
    expect(problems(result, 'a/late')).toEqual([]);
    expect(problems(result, 'b/b59').join()).toContain('NamespaceBudget');
  });

  test('has room for a younger namespace when one has lists of addresses on many hosts', () => {
    const greedy = Array.from({ length: 100 }, (_, at) => ({
      name: `b/b${at}`,
      age: at,
      host: `b${at}.example`,
      paths: ['/'],
      allow: addresses(4096, at),
    }));
    const late: Asked = { name: 'a/late', age: 1000, host: 'late.example', paths: ['/'] };
    const result = compiled([...greedy, late]);
    expect(answers(result, 'late.example')).toEqual({ '/': 'open' });
    expect(problems(result, 'a/late')).toEqual([]);
    expect(problems(result, 'b/b99').join()).toContain('NamespaceBudget');
  });
});

describe('lists of addresses', () => {
  const crowd = (count: number): readonly Asked[] =>
    Array.from({ length: count }, (_, at) => ({
      name: `b/b${at}`,
      age: at,
      host: `b${at}.example`,
      paths: ['/'],
      allow: addresses(4096, at),
    }));
  const late: Asked = { name: 'a/late', age: 1000, host: 'late.example', paths: ['/'], allow: '10.0.0.0/8' };

  test('are read only while their namespace has room for them; what is refused keeps none, and answers 503', () => {
    const result = compiled([...crowd(100), late], { namespace: { memoryPercent: 10 } });
    const counts = Object.values(Object.groupBy(result.lists.values(), ({ wishes }) => `${wishes.allow?.length}`));
    expect(result.lists.size).toBeLessThan(15);
    expect(counts.map((one) => one?.length)).toEqual([1, result.lists.size - 1]);
    expect(answers(result, 'b99.example')).toEqual({ '/': 'NamespaceBudget' });
    expect(problems(result, 'b/b99')).toEqual([
      'NamespaceBudget: the lists of addresses of namespace b may be 1044 KiB long',
    ]);
    expect(answers(result, 'late.example')).toEqual({ '/': 'limited' });
  });

  test('are refused without room also where the pool ignores limits that it does not support', () => {
    const state = stateFromObjects(crowd(20).map(ingress));
    const pool = poolForTests({ limits: { namespace: { memoryPercent: 10 } }, ignoreAccessAnnotations: true });
    const result = compile({ state, platform, pool, readCertificate, nowMs });
    expect(answers(result, 'b19.example')).toEqual({ '/': 'NamespaceBudget' });
  });

  test('are read once, whatever else changes', () => {
    const state = stateFromObjects(crowd(3).map(ingress));
    const first = compile({ state, platform, pool: poolForTests(), readCertificate, nowMs });
    const second = compile({ state, platform, pool: poolForTests(), readCertificate, nowMs, before: first });
    const [read, again] = [[...first.lists.values()], [...second.lists.values()]];
    expect(read).toHaveLength(3);
    expect(again.map((one) => read.indexOf(one))).toEqual([0, 1, 2]);
  });

  test('of a hundred more objects than there is room for cost less processor time than the lease of a VIP by far', () => {
    const state = stateFromObjects(crowd(207).map(ingress));
    const before = process.cpuUsage();
    compile({ state, platform, pool: poolForTests(), readCertificate, nowMs });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(2.5);
  });
});

test('an object with thousands of mistakes has the first of them in its condition, and costs little time', () => {
  const bad = ingress({ name: 'b/b', age: 0, host: 'b.example', paths: many(5000, '/', 3) });
  const annotations = Object.fromEntries(
    Array.from({ length: 5000 }, (_, at) => [`nginx.ingress.kubernetes.io/whitelist-source-rang${at}`, 'x']),
  );
  const metadata = { ...(bad['metadata'] as object), annotations };
  const before = process.cpuUsage();
  const state = stateFromObjects([{ ...bad, metadata }]);
  const { conditions } = compile({ state, platform, pool: poolForTests(), readCertificate, nowMs });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(1.5);
  const counts = Map.groupBy(conditions[0]?.problems ?? [], ({ reason }) => reason);
  expect([...counts].map(([reason, list]) => [reason, list.length])).toEqual([
    ['AnnotationUnknown', 20],
    ['PathInvalid', 20],
  ]);
  expect(counts.get('PathInvalid')?.at(-1)?.message).toContain('4980 more like this are not listed');
});

test('an object with thousands of hosts and of entries in spec.tls costs little time', () => {
  const hosts = Array.from({ length: 16_000 }, (_, at) => `h${at}.example`);
  const big = ingress({ name: 'b/b', age: 0, host: 'b.example', paths: ['/'] });
  const [rule] = (big['spec'] as { rules: readonly object[] }).rules;
  const rules = hosts.map((host) => ({ ...rule, host }));
  const tls = hosts.map((host) => ({ hosts: [`other-${host}`, host], secretName: 'one' }));
  const state = stateFromObjects([{ ...big, spec: { ingressClassName: 'tideline', rules, tls } }]);
  const before = process.cpuUsage();
  const pool = poolForTests({ limits: { object: { routes: 20_000 }, namespace: { memoryPercent: 100 } } });
  const { table } = compile({ state, platform, pool, readCertificate, nowMs });
  const { user, system } = process.cpuUsage(before);
  // It was ten seconds with a search in all entries for each host.
  expect((user + system) / 1e6).toBeLessThan(3);
  expect(table.hosts).toHaveLength(16_000);
});

test('whatever a namespace adds, what others had is served as before, and there is room for more of it', () => {
  const host = fc.constantFrom('a.example', 'b.example', '');
  const list = fc.option(fc.constantFrom('10.0.0.0/8', 'nonsense', addresses(3000), addresses(4097)), {
    nil: undefined,
  });
  const shape = fc.record({ host, count: fc.constantFrom(1, 30, 600), tail: fc.constantFrom(0, 200, 1000), list });
  const asked =
    (namespace: string, from: number, own: string) =>
    (one: typeof shape extends fc.Arbitrary<infer T> ? T : never, at: number): Asked => ({
      name: `${namespace}/${own}${at}`,
      age: from + at,
      host: one.host,
      paths: many(one.count, `${namespace}${own}${at}-`, one.tail),
      ...(one.list === undefined ? {} : { allow: one.list }),
    });
  const modest = fc.record({
    host,
    count: fc.constantFrom(1, 30),
    tail: fc.constantFrom(0, 200),
    list: fc.constantFrom(undefined, '10.0.0.0/8', 'nonsense'),
  });
  fc.assert(
    fc.property(
      fc.array(modest, { minLength: 1, maxLength: 4 }),
      fc.array(modest, { maxLength: 3 }),
      fc.array(shape, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(-100, 10),
      (before, later, greedy, age) => {
        const own = before.map(asked('a', 0, 'old'));
        const more = later.map(asked('a', 50, 'new'));
        const others = greedy.map(asked('b', age, 'b'));
        const alone = compiled([...own, ...more]);
        const shared = compiled([...own, ...more, ...others]);
        for (const name of ['a.example', 'b.example', ''])
          expect(answers(shared, name)).toMatchObject(answers(alone, name));
        for (const { name } of [...own, ...more]) expect(problems(shared, name)).toEqual(problems(alone, name));
      },
    ),
    { numRuns: 60 },
  );
});
