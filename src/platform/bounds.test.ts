import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { objectOf } from '../../test/support/clusters/spec-objects.ts';
import { noTrust, type TrustTopic } from '../model/platform/trust.ts';
import { placeOfApi } from '../model/source-status.ts';
import type { SpecDocument } from '../model/spec/document.ts';
import { type ApiKindName, apiKindNames } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { mostOfOthers } from './admit.ts';
import { type Composed, composePlatform, type Sources } from './compose.ts';
import { readPaths } from './files.ts';
import { type ApiObject, type SpecApi } from './spec-api.ts';

// Whoever administers one cluster tries to speak for others.

let folder: readonly SpecDocument[];
/** What the folder has of each object, by `Kind/name`. */
const written = new Map<string, ApiObject>();
beforeAll(async () => {
  ({ documents: folder } = await readPaths(['examples/hybrid']));
  for (const object of folder.map(objectIn)) written.set(`${object.kind}/${object.name}`, object);
});

function objectIn({ value }: SpecDocument): ApiObject {
  const { kind, metadata, spec } = value as Pick<ApiObject, 'kind' | 'spec'> & {
    readonly metadata: { readonly name: string };
  };
  return { kind, name: metadata.name, spec };
}

const nowMs = Date.parse('2026-01-01T00:00:00Z');

function drain(kind: string, name: string, of = 'd'): ApiObject {
  const spec = { target: { kind, name }, reason: 'disk', expires: '2026-01-02T00:00:00Z' };
  return { kind: 'Drain', name: of, spec };
}

/** An object of the folder, with other fields in its spec, under another name if one is given. */
function copyOf(key: string, more: object = {}, name?: string): ApiObject {
  const found = written.get(key);
  if (found === undefined) throw new Error(`there is no ${key}`);
  return { ...found, name: name ?? found.name, spec: { ...(found.spec as object), ...more } };
}

function apiOf(cluster: string, objects: readonly ApiObject[], ...trust: readonly TrustTopic[]): SpecApi {
  return { place: placeOfApi(cluster), cluster, trust: trust.length === 0 ? noTrust : new Set(trust), objects };
}

function compose(sources: Partial<Sources> & Pick<Sources, 'apis'>): Composed {
  return composePlatform({ folder, inForce: new Map(), nowMs, here: 'newyork', ...sources });
}

/** The verdicts on what one API says: `refused NotTrusted`. */
function said({ verdicts }: Composed, cluster: string): readonly string[] {
  return verdicts.flatMap(({ place, state, reason }) => (place === placeOfApi(cluster) ? [`${state} ${reason}`] : []));
}

const without = (...keys: readonly string[]) =>
  folder.filter((document) => !keys.includes(`${objectIn(document).kind}/${objectIn(document).name}`));

/** What a platform says, without its functions. */
const tables = (platform: Platform) => ({ ...platform, folderOf: undefined });

describe('the administrator of one cluster does not', () => {
  const wider = { prefixes: { pods: ['10.0.0.0/8'], servers: ['10.1.0.0/24'], vips: ['192.0.2.0/24'] } };
  it.each<[string, () => ApiObject, string]>([
    ['widen the prefixes of the own site', () => copyOf('Site/paris', wider), 'refused NotTrusted'],
    ['widen those of another site', () => copyOf('Site/newyork', wider), 'refused NotTrusted'],
    ['add a site', () => copyOf('Site/cloud-asia', {}, 'more'), 'refused NotTrusted'],
    ['put the cluster into another site', () => copyOf('Cluster/paris', { sites: ['newyork'] }), 'refused NotTrusted'],
    ['answer for a zone', () => copyOf('TrafficPolicy/video'), 'refused NotTrusted'],
    ['edit the pool of another cluster', () => copyOf('EdgePool/newyork-edge'), 'refused OfOtherCluster'],
    ['take the name of its pool', () => copyOf('EdgePool/newyork-edge', { cluster: 'paris' }), 'refused NameTaken'],
    [
      'take its blade',
      () => copyOf('EdgePool/paris-edge', { blades: [{ name: 'newyork-blade-1', address: '10.1.0.99' }] }, 'mine'),
      'refused ObjectInvalid',
    ],
    [
      'take its VIP',
      () => copyOf('EdgePool/paris-edge', { ingressClass: 'x', vips: [{ address: '198.51.100.10' }] }, 'mine'),
      'refused ObjectInvalid',
    ],
    ['drain its blade', () => drain('Blade', 'newyork-blade-1'), 'refused OfOtherCluster'],
    ['drain the cluster', () => drain('Cluster', 'newyork'), 'refused OfOtherCluster'],
    ['drain its site', () => drain('Site', 'newyork'), 'refused OfOtherCluster'],
  ])('%s', (_, object, verdict) => {
    const honest = compose({ apis: [] });
    for (const here of ['newyork', 'paris']) {
      const composed = compose({ here, apis: [apiOf('paris', [object()])] });
      expect(said(composed, 'paris')).toEqual([verdict]);
      expect(tables(composed.platform)).toEqual(tables(honest.platform));
    }
  });

  it('drain a worker elsewhere, by its name', () => {
    const api = apiOf('paris', [drain('Worker', 'w1')]);
    expect(compose({ apis: [api] })).toMatchObject({ platform: { drains: new Map() }, verdicts: [] });
    expect(compose({ apis: [api], here: 'paris' }).platform.drains.size).toBe(1);
    expect(compose({ apis: [apiOf('paris', api.objects, 'clusters')] }).platform.drains.size).toBe(1);
  });

  it('harm what another cluster says of itself in its own API', () => {
    const spec = without('EdgePool/newyork-edge');
    const own = apiOf('newyork', [copyOf('EdgePool/newyork-edge'), drain('Blade', 'newyork-blade-1', 'own')]);
    const honest = compose({ folder: spec, apis: [own] });
    expect(honest.platform.drains.size).toBe(1);
    for (const [object, verdict] of [
      [copyOf('EdgePool/newyork-edge', { cluster: 'paris' }), 'refused NameTaken'],
      [drain('Blade', 'paris-blade-1', 'own'), 'refused NameTaken'],
      [drain('Worker', 'w1', 'own'), undefined],
      [drain('Blade', 'newyork-blade-2', 'more'), 'refused OfOtherCluster'],
      [
        copyOf('EdgePool/paris-edge', { blades: [{ name: 'newyork-blade-1', address: '10.1.0.99' }] }, 'a-mine'),
        'refused ObjectInvalid',
      ],
    ] as const)
      for (const apis of [
        [apiOf('paris', [object]), own],
        [own, apiOf('paris', [object])],
      ]) {
        const composed = compose({ folder: spec, apis });
        expect(said(composed, 'paris')).toEqual(verdict === undefined ? [] : [verdict]);
        expect(said(composed, 'newyork')).toEqual(['accepted InForce', 'accepted InForce']);
        expect(tables(composed.platform)).toEqual(tables(honest.platform));
      }
  });

  it('end a Drain of others, or a trusted object, by one that runs into it', () => {
    // The address is that of another cluster in the same site; the problem names that cluster, not the pool.
    const vip = { vips: [{ address: '203.0.113.10' }], blades: [{ name: 'b', address: '10.3.0.1' }] };
    const asia = [
      ...without('Site/cloud-asia'),
      document(copyOf('Site/cloud-asia', { prefixes: { servers: ['10.3.0.0/24'], vips: ['203.0.113.0/28'] } })),
      document(copyOf('Cluster/paris', { sites: ['cloud-asia'], entry: { anycast: ['203.0.113.11'] } }, 'asia')),
    ];
    const bad = copyOf('EdgePool/paris-edge', { cluster: 'asia', ...vip }, 'x');
    const own = apiOf('newyork', [drain('Blade', 'newyork-blade-1', 'own')]);
    const composed = compose({ folder: asia, apis: [apiOf('asia', [bad, drain('Cluster', 'asia')]), own] });
    expect(said(composed, 'asia')).toEqual(['refused ObjectInvalid', 'accepted InForce']);
    expect([...composed.platform.drains.keys()].toSorted()).toEqual(['d', 'own']);
    expect(composed.platform.clusters.has('cloud')).toBe(true);
  });

  it('keep agents elsewhere busy with very many objects', () => {
    const many = Array.from({ length: 3 * mostOfOthers }, (_, index) =>
      drain('Blade', `paris-blade-${1 + (index % 2)}`, `d${index}`),
    );
    const api = apiOf('paris', many);
    expect(compose({ apis: [api] }).platform.drains.size).toBe(mostOfOthers);
    expect(compose({ apis: [api], here: 'paris' }).platform.drains.size).toBe(many.length);
  });

  it('keep in force what a trusted place has taken back', () => {
    const before = compose({ folder: [...folder, document(drain('Site', 'newyork'))], apis: [] });
    expect(before.platform.drains.size).toBe(1);
    const { inForce } = before;
    for (const object of [{ ...drain('Blade', 'paris-blade-1'), spec: { newer: 1 } }, drain('Blade', 'rome-blade-1')]) {
      const after = compose({ apis: [apiOf('paris', [object])], inForce });
      expect(after.platform.drains.size).toBe(0);
      expect(said(after, 'paris')).toEqual([expect.stringMatching(/^refused Object/)]);
    }
    const differs = compose({
      folder: [...folder, document(drain('Cluster', 'paris'))],
      apis: [apiOf('paris', [drain('Blade', 'paris-blade-1')])],
      inForce,
    });
    expect(differs.platform.drains.get('d')?.spec.target.kind).toBe('Cluster');
  });
});

function document(object: ApiObject): SpecDocument {
  const value = {
    apiVersion: 'tideline.dev/v1alpha1',
    kind: object.kind,
    metadata: { name: object.name },
    spec: object.spec,
  };
  return { file: 'more.yaml', folder: '/', broken: false, lineOf: () => 1, value };
}

describe('an API that is trusted', () => {
  it('for sites says Sites, and nothing else of others', () => {
    const objects = [
      copyOf('Site/cloud-asia', {}, 'more'),
      copyOf('Cluster/cloud', {}, 'more'),
      copyOf('TrafficPolicy/video'),
      drain('Site', 'newyork'),
    ];
    const composed = compose({ apis: [apiOf('mgmt', objects, 'sites')] });
    expect(said(composed, 'mgmt')).toEqual([
      'accepted InForce',
      'refused NotTrusted',
      'refused NotTrusted',
      'refused OfOtherCluster',
    ]);
    expect(composed.platform.sites.has('more')).toBe(true);
  });

  it('does not widen a site while another trusted place says otherwise', () => {
    const wide = copyOf('Site/paris', { prefixes: { pods: ['10.0.0.0/8'] } });
    const { inForce, platform } = compose({ apis: [] });
    const composed = compose({ apis: [apiOf('mgmt', [wide], 'sites', 'clusters')], inForce });
    expect(said(composed, 'mgmt')).toEqual(['held CopiesDiffer']);
    expect(composed.platform.sites).toEqual(platform.sites);
  });
});

it('an API that is not trusted changes nothing that concerns others, whatever it says', () => {
  const honest = compose({ apis: [] }).platform;
  const names = [
    'paris',
    'newyork',
    'cloud',
    'paris-edge',
    'newyork-edge',
    'video',
    'paris-blade-1',
    'newyork-blade-1',
  ];
  /** Any object, often under a name that is taken, with clusters and targets that are there. */
  const hostile = fc.constantFrom(...apiKindNames).chain((kind: ApiKindName) =>
    fc.record({
      object: objectOf(kind),
      name: fc.constantFrom(...names, 'fresh'),
      aimed: fc.constantFrom(...names),
    }),
  );
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 6 }), fc.constantFrom('paris', 'newyork'), (found, here) => {
      const objects = found.map(({ object, name, aimed }): ApiObject => {
        const { kind, spec } = object as { readonly kind: ApiKindName; readonly spec: Record<string, unknown> };
        const aim = kind === 'EdgePool' ? { cluster: aimed } : {};
        const target = { kind: ['Site', 'Cluster', 'Blade', 'Worker'][aimed.length % 4], name: aimed };
        return { kind, name, spec: { ...spec, ...(kind === 'Drain' ? { target } : aim) } };
      });
      const { platform } = compose({ here, apis: [apiOf('paris', objects)] });
      expect([platform.sites, platform.clusters, platform.policies, platform.freezes]).toEqual([
        honest.sites,
        honest.clusters,
        honest.policies,
        honest.freezes,
      ]);
      for (const { spec } of [...platform.edgePools.values(), ...platform.drains.values()])
        if ('cluster' in spec)
          expect(['paris', ...(spec.blades[0]?.name.startsWith('newyork') ? ['newyork'] : [])]).toContain(spec.cluster);
        else {
          const { kind, name } = spec.target;
          expect(kind === 'Worker' ? here : name.split('-')[0]).toBe('paris');
          expect(kind).not.toBe('Site');
        }
      expect(platform.edgePools.get('newyork-edge')).toEqual(honest.edgePools.get('newyork-edge'));
    }),
    { numRuns: 100 },
  );
});
