import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { type Compiled, compile } from './compile.ts';
import type { CertificateReader } from './tls.ts';

type Raw = Readonly<Record<string, unknown>>;
const nowMs = Date.parse('2026-11-26T00:00:00Z');
const platform = platformForTests();

/** The Secrets that were parsed: one without room costs no time. */
const parsed: string[] = [];
const readCertificate: CertificateReader = ({ metadata }) => {
  const id = `${metadata.namespace}-${metadata.name}`;
  parsed.push(id);
  const facts = { notBeforeMs: 0, notAfterMs: Infinity, names: ['*.example'] };
  return { ok: true, certificate: { id, chain: '', key: '' }, facts };
};

interface Tenant {
  readonly namespace: string;
  /** Its Ingresses are as old as their number: a lower one is older. */
  readonly age: number;
  readonly paths?: readonly string[];
  readonly host?: string;
  readonly pods?: number;
  readonly certificateKb?: number | undefined;
}

/** An Ingress with a Service, its endpoints and a Secret of its own. */
function objectsOf({ namespace, age, paths = ['/'], host, pods = 0, certificateKb }: Tenant): readonly Raw[] {
  const name = `i${age}`;
  const backend = { service: { name, port: { number: 80 } } };
  const hostName = host ?? `${namespace}-${age}.example`;
  const metadata = { name, namespace };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { ...metadata, creationTimestamp: new Date(nowMs + age * 1000).toISOString() },
      spec: {
        ingressClassName: 'tideline',
        tls: certificateKb === undefined ? [] : [{ hosts: [hostName], secretName: name }],
        rules: [{ host: hostName, http: { paths: paths.map((path) => ({ path, pathType: 'Exact', backend })) } }],
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
      ports: [{ port: 3000 }],
      endpoints: Array.from({ length: pods }, (_, pod) => ({ addresses: [`10.10.${pod >> 8}.${pod & 255}`] })),
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata,
      data: { 'tls.crt': 'A'.repeat(((certificateKb ?? 1) * 4000) / 3) },
    },
  ];
}

function compiled(tenants: readonly Tenant[], limits: object, before?: Compiled): Compiled {
  const state = stateFromObjects(tenants.flatMap(objectsOf));
  const pool = poolForTests({ limits });
  return compile({ state, platform, pool, readCertificate, nowMs, ...(before === undefined ? {} : { before }) });
}

/** The reasons of every object that has a problem, and what it says first. */
function problems({ conditions }: Compiled): Readonly<Record<string, readonly string[]>> {
  const troubled = conditions.filter((condition) => condition.problems.length > 0);
  return Object.fromEntries(troubled.map((one) => [one.object, one.problems.map(({ reason }) => reason)]));
}

function paths({ table }: Compiled): Readonly<Record<string, number>> {
  return Object.fromEntries(table.hosts.map((host) => [host.name, host.paths.length]));
}

const many = (count: number, tail = ''): readonly string[] => Array.from({ length: count }, (_, at) => `/${at}${tail}`);

describe('what one Ingress, one namespace and the whole table may have', () => {
  const limits = {
    namespace: { routes: 10, endpoints: 10, certificateKiB: 20 },
    object: { routes: 6, endpoints: 8, certificateKiB: 12 },
  };

  test('routes: an object keeps its first ones, a namespace those of its oldest objects, others are not touched', () => {
    const result = compiled(
      [
        { namespace: 'greedy', age: 1, paths: many(9) },
        { namespace: 'greedy', age: 2, paths: many(6) },
        { namespace: 'greedy', age: 3 },
        { namespace: 'modest', age: 4, paths: many(6) },
        { namespace: 'wordy', age: 5, paths: many(3, 'x'.repeat(600)) },
      ],
      limits,
    );
    expect(paths(result)).toEqual({
      'greedy-1.example': 6,
      'greedy-2.example': 4,
      'modest-4.example': 6,
      'wordy-5.example': 2,
    });
    expect(problems(result)).toEqual({
      'Ingress/greedy/i1': ['ObjectBudget'],
      'Ingress/greedy/i2': ['NamespaceBudget'],
      'Ingress/greedy/i3': ['NamespaceBudget'],
      'Ingress/wordy/i5': ['ObjectBudget'],
    });
    expect(result.conditions.find(({ object }) => object === 'Ingress/greedy/i1')?.problems[0]?.message).toBe(
      '3 of 9 routes have no room: one Ingress may have 6 (a long path counts as several, and so does a list of addresses on each host)',
    );
    expect(result.conditions.find(({ object }) => object === 'Ingress/greedy/i3')?.state).toBe('refused');
  });

  test('endpoints: never none, and all again when there is room', () => {
    const tenants: readonly Tenant[] = [
      { namespace: 'greedy', age: 1, pods: 9 },
      { namespace: 'greedy', age: 2, pods: 5 },
      { namespace: 'greedy', age: 3, pods: 5 },
      { namespace: 'modest', age: 4, pods: 8 },
    ];
    const result = compiled(tenants, limits);
    const counts = (of: Compiled) => of.table.backends.map(({ endpoints }) => endpoints.length);
    expect(counts(result)).toEqual([8, 2, 1, 8]);
    expect(problems(result)).toEqual({
      'EndpointSlice/greedy/i1': ['ObjectBudget'],
      'EndpointSlice/greedy/i2': ['NamespaceBudget'],
      'EndpointSlice/greedy/i3': ['NamespaceBudget'],
    });
    const roomy = compiled(tenants.slice(1), limits, result);
    expect(counts(roomy)).toEqual([5, 5, 8]);
    expect(problems(roomy)).toEqual({});
  });

  test('endpoints: those of one namespace fill no more than its part of the memory, and leave that of others alone', () => {
    const roomy = { routes: 100, endpoints: 100_000, certificateKiB: 20 };
    const tenants = [1, 2, 3, 4, 5].map((age) => ({ namespace: age < 5 ? 'greedy' : 'modest', age, pods: 5000 }));
    const result = compiled(tenants, {
      namespace: { ...roomy, memoryPercent: 1 },
      object: { ...roomy, certificateKiB: 12 },
    });
    const counts = result.table.backends.map(({ endpoints }) => endpoints.length);
    expect([counts[0], counts[4]]).toEqual([5000, 5000]);
    expect(counts[3]).toBeLessThan(5000);
    expect(problems(result)['EndpointSlice/greedy/i4']).toEqual(['NamespaceBudget']);
    expect(problems(result)['EndpointSlice/modest/i5']).toBeUndefined();
  });

  test('certificates: the host of one without room has the default certificate, and its Secret is not parsed', () => {
    parsed.length = 0;
    const result = compiled(
      [
        { namespace: 'greedy', age: 1, certificateKb: 13 },
        { namespace: 'greedy', age: 2, certificateKb: 9 },
        { namespace: 'greedy', age: 3, certificateKb: 9 },
        { namespace: 'greedy', age: 4, certificateKb: 9 },
        { namespace: 'modest', age: 5, certificateKb: 9 },
      ],
      limits,
    );
    expect(result.table.certificates.map(({ id }) => id)).toEqual(['greedy-i2', 'greedy-i3', 'modest-i5']);
    expect(parsed).toEqual(['greedy-i2', 'greedy-i3', 'modest-i5']);
    expect(problems(result)).toEqual({
      'Ingress/greedy/i1': ['ObjectBudget'],
      'Ingress/greedy/i4': ['NamespaceBudget'],
    });
  });

  test('a host: its entry stays far below what nginx takes in one message, whoever fills it', () => {
    const long = 'x'.repeat(4000);
    const filler = (age: number): Tenant => ({
      namespace: `n${age}`,
      age,
      host: 'shared.example',
      paths: many(60, `-${age}${long}`),
    });
    const result = compiled([...[1, 2, 3].map(filler), { namespace: 'own', age: 4 }], {});
    const host = result.table.hosts.find(({ name }) => name === 'shared.example');
    expect(JSON.stringify(host).length).toBeLessThan(1024 * 1024);
    expect(problems(result)).toEqual({ 'Ingress/n2/i2': ['HostFull'], 'Ingress/n3/i3': ['HostFull'] });
    expect(paths(result)['own-4.example']).toBe(1);
  });

  test('the table: the youngest are refused, whatever the pool allows', () => {
    const huge = { routes: 1_000_000, endpoints: 1_000_000, certificateKiB: 1_000_000 };
    const crowd = Array.from({ length: 2000 }, (_, age) => ({ namespace: `n${age}`, age, certificateKb: 60 }));
    const result = compiled(crowd, { namespace: huge, object: { ...huge, certificateKiB: 64 } });
    const kept = result.table.certificates.length;
    expect(kept).toBeGreaterThan(1000);
    expect(kept).toBeLessThan(2000);
    const refused = Object.entries(problems(result));
    expect(refused).toHaveLength(2000 - kept);
    expect(refused.every(([, reasons]) => reasons.join() === 'TableFull')).toBe(true);
    expect(problems(result)[`Ingress/n${kept - 1}/i${kept - 1}`]).toBeUndefined();
  });

  test('a younger object changes nothing of an older one, and the order in which objects are read changes nothing', () => {
    const tenant = fc.record({
      namespace: fc.constantFrom('a', 'b'),
      paths: fc.nat(8).map((count) => many(count + 1)),
      pods: fc.nat(9),
      certificateKb: fc.option(fc.nat(14), { nil: undefined }),
    });
    const name = (namespace: string, age: number): string => `${namespace}-${age}.example`;
    fc.assert(
      fc.property(fc.array(tenant, { minLength: 1, maxLength: 8 }), (list) => {
        const tenants = list.map((one, age) => ({ ...one, age }));
        const all = compiled(tenants, limits);
        expect(compiled(tenants.toReversed(), limits).table).toEqual(all.table);
        const older = compiled(tenants.slice(0, -1), limits);
        for (const { namespace, age } of tenants.slice(0, -1)) {
          const of = ({ table }: Compiled) => [
            table.hosts.find((host) => host.name === name(namespace, age)),
            table.backends.find(({ key }) => key === `${namespace}/i${age}/80`),
          ];
          expect(of(all)).toEqual(of(older));
        }
      }),
      { numRuns: 60 },
    );
  });
});
