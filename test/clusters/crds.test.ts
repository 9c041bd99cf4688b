import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { apiVersion } from '../../src/model/contract.ts';
import { countries } from '../../src/model/geo/countries.ts';
import { valueAt } from '../../src/model/spec/document.ts';
import { type ApiKindName, apiKindNames, isApiKind, isKindName, kinds } from '../../src/model/spec/kinds.ts';
import type { SpecReason } from '../../src/model/spec/reasons.ts';
import { crdOf } from '../../tools/spec/crd.ts';
import { type differences, seenByServer } from '../../tools/spec/differences.ts';
import { scopes } from '../../tools/spec/scopes.ts';
import { eventually, withControlPlane } from '../support/clusters/control-plane.ts';
import { RawClient } from '../support/clusters/raw.ts';
import { spoilt } from '../support/clusters/spec-faults.ts';
import { objectOf } from '../support/clusters/spec-objects.ts';
import { disagreement, loaderReasons, loaderVerdict, serverVerdict } from '../support/clusters/verdicts.ts';

const root = resolve(import.meta.dirname, '../..');
const plane = withControlPlane();
let client: RawClient;
beforeAll(async () => {
  client = new RawClient(plane().kubeconfig);
  await plane().kubectl(['apply', '-f', join(root, 'deploy/crds')]);
  await eventually(async () => {
    const { body } = await client.send('GET', `/apis/${apiVersion}`);
    return (valueAt(body, ['resources']) as readonly unknown[] | undefined)?.length === 2 * apiKindNames.length;
  });
});
afterAll(async () => {
  await client.close();
});

const pathOf = (kind: ApiKindName): string => `/apis/${apiVersion}/${crdOf(kind).spec.names.plural}`;

interface Minimal {
  readonly kind: ApiKindName;
  readonly spec: object;
}
const proposal = {
  policy: 'video',
  owner: 'optimiser',
  expires: '2026-12-24T18:00:00Z',
  rules: [{ countries: ['FR'], clusters: [{ name: 'paris' }] }],
};
const minimal: readonly Minimal[] = [
  { kind: 'Site', spec: { type: 'cloud', location: { country: 'FR', latitude: 1, longitude: 2 }, prefixes: {} } },
  { kind: 'Cluster', spec: { sites: ['paris'], source: { none: true }, entry: { edgePool: 'paris-edge' } } },
  {
    kind: 'EdgePool',
    spec: { cluster: 'paris', blades: [{ name: 'b', address: '10.1.0.21' }], vips: [{ address: '192.0.2.10' }] },
  },
  {
    kind: 'TrafficPolicy',
    spec: {
      hosts: ['www.video.example'],
      dns: { zone: 'video.example', providers: ['route53'] },
      rules: [{ countries: ['FR'], clusters: [{ name: 'paris' }] }],
      default: { clusters: [{ name: 'paris' }] },
    },
  },
  { kind: 'Drain', spec: { target: { kind: 'Worker', name: 'w' }, reason: 'x', expires: '2026-12-24T18:00:00Z' } },
  { kind: 'Freeze', spec: { reason: 'x', by: 'anna', since: '2026-12-24T18:00:00Z' } },
  { kind: 'TrafficOverlay', spec: { ...proposal, reason: 'x' } },
  {
    kind: 'TrafficVerdict',
    spec: { overlay: 'x', verdict: 'approve', by: 'anna', at: '2026-12-24T18:00:00Z', reason: 'x', proposal },
  },
];
const named = ({ kind, spec }: Minimal, more: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  spec,
  ...more,
});

describe('the CRDs', () => {
  test.each(apiKindNames)('%s is established and structural', async (kind) => {
    const name = crdOf(kind).metadata.name;
    const { body } = await client.send('GET', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`);
    const conditions = valueAt(body, ['status', 'conditions']) as readonly { type: string; status: string }[];
    expect(
      conditions
        .filter(({ status }) => status === 'True')
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['Established', 'NamesAccepted']);
    expect(conditions.map(({ type }) => type)).not.toContain('NonStructuralSchema');
  });

  test('no short name is one of another resource', async () => {
    const table = await plane().kubectl(['api-resources', '--no-headers']);
    const words = table.split('\n').map((line) => line.trim().split(/\s+/));
    for (const kind of apiKindNames) {
      const { plural, singular, shortNames } = crdOf(kind).spec.names;
      for (const name of [plural, singular, ...shortNames]) {
        const users = words.filter((columns) => columns[0] === name || columns[1]?.split(',').includes(name) === true);
        expect(users.length, name).toBe(name === singular ? 0 : 1);
      }
    }
  });

  test.each(minimal)('$kind gets the defaults of the loader', async (object) => {
    const { status, body } = await client.send('POST', `${pathOf(object.kind)}?dryRun=All`, named(object));
    expect(status, JSON.stringify(body)).toBe(201);
    const loaded = kinds[object.kind].parse(named(object));
    const text = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value, (_, inner: unknown) => valueAt(inner, ['text']) ?? inner));
    expect(valueAt(body, ['spec'])).toEqual(text(loaded.spec));
  });

  test('the status of an EdgePool is shown, and only well-formed conditions are taken', async () => {
    const object = minimal.find(({ kind }) => kind === 'EdgePool');
    await plane().apply(named(object as Minimal));
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'VipsAnnounced',
      message: '',
      lastTransitionTime: '2026-06-01T00:00:00Z',
    };
    const write = async (status: object) =>
      client.send('PATCH', `${pathOf('EdgePool')}/x/status`, { status }, 'application/merge-patch+json');
    const addresses = ['192.0.2.10', '192.0.2.11'].map((value) => ({ type: 'IPAddress', value }));
    const lists = { vipList: '192.0.2.10,192.0.2.11,192.0.2.12', addressList: '192.0.2.10,192.0.2.11' };
    expect((await write({ observedGeneration: 1, addresses, ...lists, conditions: [condition] })).status).toBe(200);
    expect((await write({ conditions: [{ ...condition, reason: 'not one' }] })).status).toBe(422);
    expect((await write({ conditions: [condition, condition] })).status).toBe(422);
    expect((await write({ addresses: [{ type: 'IPAddress', value: 'x.example' }] })).status).toBe(422);
    expect(await plane().kubectl(['get', 'epool', 'x'])).toMatch(
      /^NAME +CLUSTER +VIPS +CLASS +ADDRESSES +SAMESPEC +PROGRAMMED +READY +AGE\nx +paris +192.0.2.10,192.0.2.11,192.0.2.12 +tideline +192.0.2.10,192.0.2.11 +True +\d+s/,
    );
    await plane().kubectl(['delete', 'epool', 'x']);
  });

  test('every column shows all values of a list', async () => {
    const [cluster, policy] = (['Cluster', 'TrafficPolicy'] as const).map((of) =>
      minimal.find(({ kind }) => kind === of),
    );
    const more = {
      ...policy?.spec,
      default: {
        clusters: [
          { name: 'paris', weight: 2 },
          { name: 'tokyo', weight: 1 },
        ],
      },
    };
    await plane().apply(
      named({ ...cluster, spec: { ...cluster?.spec, sites: ['paris', 'lyon'] } } as Minimal),
      named({ ...policy, spec: more } as Minimal),
    );
    expect(await plane().kubectl(['get', 'tcluster', 'x'])).toMatch(/\nx +\["paris","lyon"\] /);
    const shown = await plane().kubectl(['get', 'tpol', 'x']);
    expect(shown).toMatch(/"name":"paris".*"name":"tokyo"/);
    await plane().kubectl(['delete', 'tcluster,tpol', 'x']);
    // Such a path prints its first value only, whatever the object has.
    const paths = apiKindNames.flatMap((kind) =>
      crdOf(kind).spec.versions.flatMap((version) => version.additionalPrinterColumns.map(({ jsonPath }) => jsonPath)),
    );
    expect(paths.filter((path) => path.includes('[*]'))).toEqual([]);
  });
});

describe('what the loader refuses the API server refuses, and nothing else', () => {
  const golden = join(root, 'test/golden/check');
  const objects = readdirSync(golden).flatMap((name) => {
    const file = join(golden, name, 'input.yaml');
    if (!existsSync(file) || !readFileSync(file).equals(Buffer.from(readFileSync(file, 'utf8')))) return [];
    const documents = parseAllDocuments(readFileSync(file, 'utf8'));
    const good = Array.isArray(documents)
      ? documents.filter(({ errors, warnings }) => errors.length + warnings.length === 0)
      : [];
    return good.flatMap((document) => {
      const value = plain(document);
      // Servers and what belongs to them are read from files only: the API server has no such kinds.
      const kind = valueAt(value, ['kind']);
      if (isKindName(kind) && !isApiKind(kind)) return [];
      return typeof value === 'object' && value !== null ? [[name, value] as const] : [];
    });
  });

  test('every object of test/golden/check: the same faults at the same places', async () => {
    expect(objects.length).toBeGreaterThan(150);
    const seen = new Set<string>();
    const wrong: string[] = [];
    for (const [name, value] of objects) {
      const loader = loaderVerdict(seenByServer(value));
      for (const { reasons } of loaderVerdict(value).faults) for (const reason of reasons) seen.add(reason);
      const found = disagreement(loader, await serverVerdict(client, value));
      if (found.length > 0) wrong.push(`${name}: ${found.join('; ')}`);
    }
    expect(wrong).toEqual([]);
    const possible = Object.entries(scopes).filter(([, scope]) => scope === 'object' || scope === 'both');
    const unseen = possible.map(([reason]) => reason).filter((reason) => !seen.has(reason));
    // Examples of these two are in the next test: a wrong choice hides the faults inside it, and the golden for a duplicate name
    // has two objects.
    expect(unseen).toEqual(['WrongChoice', 'DuplicateName']);
  });

  test.each([
    [
      'Cluster',
      { source: { manifests: 'a', kubeconfig: 'b' } },
      'spec.source',
      'WrongChoice: exactly one of manifests, kubeconfig or none',
    ],
    ['Cluster', { entry: {} }, 'spec.entry', 'WrongChoice: exactly one of edgePool or anycast'],
    [
      'Cluster',
      { source: { none: true, context: 'c' } },
      'spec.source.context',
      'UnknownField: context goes with kubeconfig',
    ],
    ['Drain', { expires: ['2026-12-24T18:00:00Z'] }, 'spec.expires', 'must be of type string'],
    [
      'EdgePool',
      { blades: ['192.0.2.1', '192.0.2.2'].map((address) => ({ name: 'b', address })) },
      'spec.blades[1]',
      'Duplicate value: {"name":"b"}',
    ],
  ] as const)('%s with %j', async (kind, change, path, message) => {
    const { spec = {} } = minimal.find((one) => one.kind === kind) ?? {};
    const object = named({ kind, spec: { ...spec, ...change } });
    expect(loaderVerdict(object).faults.length).toBe(1);
    const { faults } = await serverVerdict(client, object);
    expect(faults).toEqual([expect.objectContaining({ path, message: expect.stringContaining(message) })]);
  });

  test.each([1, '', 'c'.repeat(254), null])('a field of another choice that is %j besides', async (context) => {
    const { spec } = minimal.find(({ kind }) => kind === 'Cluster') ?? {};
    const object = named({ kind: 'Cluster', spec: { ...spec, source: { manifests: 'a', context } } });
    const loader = loaderVerdict(seenByServer(object));
    expect(loader.accepted).toBe(context === null);
    expect(disagreement(loader, await serverVerdict(client, object))).toEqual([]);
  });

  /** Random objects, of which about half are refused. */
  const runs = {
    Site: 800,
    Cluster: 1000,
    EdgePool: 800,
    TrafficPolicy: 600,
    Drain: 800,
    Freeze: 400,
    TrafficOverlay: 400,
    TrafficVerdict: 400,
  } as const;

  test.each(apiKindNames)('any %s, right or spoilt', async (kind) => {
    const counts = { accepted: 0, refused: 0 };
    const startedAt = performance.now();
    const property = fc.asyncProperty(spoilt(objectOf(kind)), async (object) => {
      const loader = loaderVerdict(seenByServer(object));
      counts[loader.accepted ? 'accepted' : 'refused'] += 1;
      expect(disagreement(loader, await serverVerdict(client, object))).toEqual([]);
    });
    const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
    await fc.assert(property, { numRuns: runs[kind], seed, interruptAfterTimeLimit: 120_000 });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(
      `${kind}: ${counts.accepted} accepted, ${counts.refused} refused in ${seconds} s (seed ${seed})\n`,
    );
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(20);
  });

  test('the longest lists that are allowed do not cost too much', async () => {
    for (const object of largest()) {
      expect(loaderVerdict(object).faults).toEqual([]);
      expect(await serverVerdict(client, object)).toEqual({ accepted: true, faults: [], partial: false });
    }
  });
});

describe('where the two differ', () => {
  const site = minimal[0] as Minimal;
  const policy = minimal.find(({ kind }) => kind === 'TrafficPolicy') as Minimal;
  const never = [{ clusters: ['paris'], countries: ['FR'] }];
  interface Case {
    readonly object: object;
    readonly query: string;
    readonly kind?: ApiKindName;
    /** What the loader says, where that is not about one value of the object. */
    readonly reason?: SpecReason;
  }
  const cases: Readonly<Record<keyof typeof differences, Case>> = {
    never: {
      object: named({ ...policy, spec: { ...policy.spec, never } }),
      query: 'Strict',
      kind: 'TrafficPolicy',
      reason: 'ForbiddenChoice',
    },
    networks: {
      object: named({
        ...policy,
        spec: {
          ...policy.spec,
          rules: [{ networks: ['198.51.0.0/16', '198.51.100.0/24'], clusters: [{ name: 'paris' }] }],
        },
      }),
      query: 'Strict',
      kind: 'TrafficPolicy',
      reason: 'NetworksOverlap',
    },
    null: { object: named({ ...site, spec: { ...site.spec, limits: null } }), query: 'Strict' },
    status: { object: named(site, { status: { conditions: [] } }), query: 'Strict' },
    metadata: { object: named(site, { metadata: { name: 'x', finalizers: ['tideline.dev/x'] } }), query: 'Strict' },
    unknownField: { object: named({ ...site, spec: { ...site.spec, limit: 1 } }), query: 'Warn' },
  };
  test.each(Object.entries(cases))('%s', async (_, { object, query, kind = 'Site', reason }) => {
    if (reason === undefined) expect(loaderVerdict(object).accepted).toBe(false);
    else expect(loaderReasons(object)).toContain(reason);
    const path = `${pathOf(kind)}?dryRun=All&fieldValidation=${query}`;
    expect((await client.send('POST', path, object)).status).toBe(201);
  });

  test('kubectl asks for strict validation unless it is told otherwise', async () => {
    const text = JSON.stringify(cases.unknownField.object);
    const apply = ['apply', '--dry-run=server', '-f', '-'];
    await expect(plane().kubectl(apply, text)).rejects.toThrow('unknown field "spec.limit"');
    await plane().kubectl([...apply, '--validate=false'], text);
  });
});

/** A document as plain data; undefined when its aliases have no anchor or expand without bounds, which is a fault of the text. */
function plain(document: { toJS: () => unknown }): unknown {
  try {
    return document.toJS();
  } catch {
    return undefined;
  }
}

/** Objects in which every list is as long as it may be, with long entries. */
function largest(): readonly object[] {
  const many = <T>(length: number, make: (index: number) => T): T[] =>
    Array.from({ length }, (_, index) => make(index));
  const long = (index: number): string => `${'n'.repeat(59)}-${String(index).padStart(3, '0')}`;
  const address = (index: number): string => `2001:db8:1111:2222:3333:4444:5555:${(0x1000 + index).toString(16)}`;
  const prefix = (role: number) => (index: number) =>
    `2001:db8:${role}${role}${role}${role}:${(0x1000 + index).toString(16)}::/64`;
  const clusters = many(16, (index) => ({ name: long(index), weight: 1 }));
  const failover = many(16, (index) => long(index + 16));
  const codes = countries.map(({ code }) => code);
  const zone = `${'z'.repeat(60)}.example`;
  return [
    named({
      kind: 'Site',
      spec: {
        type: 'cloud',
        location: { country: 'FR', latitude: 1, longitude: 2 },
        serverAsn: 1,
        routers: many(64, (index) => ({ name: long(index), address: address(index), asn: 1 })),
        prefixes: { pods: many(64, prefix(1)), servers: many(64, prefix(2)), vips: many(64, prefix(3)) },
      },
    }),
    named({
      kind: 'Cluster',
      spec: { sites: many(64, long), source: { none: true }, entry: { anycast: many(64, address) } },
    }),
    named({
      kind: 'EdgePool',
      spec: {
        cluster: 'paris',
        blades: many(128, (index) => ({ name: long(index), address: address(index) })),
        vips: many(128, (index) => ({ address: address(index + 128) })),
      },
    }),
    named({
      kind: 'TrafficPolicy',
      spec: {
        hosts: many(500, (index) => `${long(index)}.${long(index)}.${zone}`),
        dns: { zone, providers: ['route53'] },
        rules: many(100, (index) => ({
          countries: codes.filter((__, at) => at % 100 === index),
          networks: many(250, (at) => `2001:${(0x1000 + index).toString(16)}:${(0x1000 + at).toString(16)}::/48`),
          clusters,
          failover,
        })),
        default: { clusters, failover },
        never: many(32, (index) => ({
          clusters: many(32, (at) => long(at + 32)),
          countries: codes,
          continents: ['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'],
          unknownLocation: index > 0,
        })),
      },
    }),
  ];
}
