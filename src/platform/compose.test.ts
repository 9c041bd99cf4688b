import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { fullTrust, noTrust, type Trust } from '../model/platform/trust.ts';
import { InputError } from '../model/problem.ts';
import { placeOfApi } from '../model/source-status.ts';
import type { SpecDocument } from '../model/spec/document.ts';
import { mostObjects } from './admit.ts';
import { type Composed, composePlatform, type InForce } from './compose.ts';
import { readPaths } from './files.ts';
import type { SpecApiReason } from './reasons.ts';
import { specApiReasons } from './reasons.ts';
import { type ApiObject, type SpecApi } from './spec-api.ts';

let folder: readonly SpecDocument[];
beforeAll(async () => {
  ({ documents: folder } = await readPaths(['examples/hybrid']));
});

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const seen = new Set<SpecApiReason>();

function drain(target: object, more: object = {}, name = 'd'): ApiObject {
  const spec = { target, reason: 'disk', expires: '2026-01-02T00:00:00Z', ...more };
  return { kind: 'Drain', name, spec, generation: 3 };
}
const blade = (name: string) => ({ kind: 'Blade', name });

function apiOf(cluster: string, objects: readonly ApiObject[], trust: Trust = noTrust): SpecApi {
  return { place: placeOfApi(cluster), cluster, trust, objects };
}

function compose(
  apis: readonly SpecApi[],
  before: { readonly inForce?: InForce; readonly folder?: readonly SpecDocument[] } = {},
): Composed {
  const composed = composePlatform({ folder, apis, inForce: new Map(), nowMs, here: 'paris', ...before });
  for (const { reason } of composed.verdicts) seen.add(reason);
  return composed;
}

const verdictsOf = ({ verdicts }: Composed) => verdicts.map(({ state, reason }) => `${state} ${reason}`);

/** The object of the folder as the API of a cluster would have it, with other fields in its spec. */
function copyOf(kind: ApiObject['kind'], name: string, more: object = {}): ApiObject {
  const found = folder.find(({ value }) => {
    const object = value as { readonly kind: string; readonly metadata: { readonly name: string } };
    return object.kind === kind && object.metadata.name === name;
  });
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return { kind, name, spec: { ...(found.value as { readonly spec: object }).spec, ...more } };
}

describe('what the API of a cluster may say', () => {
  it.each([
    ['a Drain of its blade', drain(blade('paris-blade-1')), 'accepted InForce'],
    ['a Drain of a worker', drain({ kind: 'Worker', name: 'w1' }), 'accepted InForce'],
    ['a Drain of itself', drain({ kind: 'Cluster', name: 'paris' }), 'accepted InForce'],
    ['a Drain of another cluster', drain({ kind: 'Cluster', name: 'newyork' }), 'refused OfOtherCluster'],
    ['a Drain of a site', drain({ kind: 'Site', name: 'paris' }), 'refused OfOtherCluster'],
    ['a Drain of the blade of another cluster', drain(blade('newyork-blade-1')), 'refused OfOtherCluster'],
    ['a Drain of a blade that nobody knows', drain(blade('rome-blade-1')), 'refused ObjectInvalid'],
    ['a Drain with a field that is not known', drain(blade('paris-blade-1'), { newer: 1 }), 'refused ObjectUnreadable'],
    ['a Site', { kind: 'Site', name: 'rome', spec: {} }, 'refused NotTrusted'],
    ['a Cluster', { kind: 'Cluster', name: 'rome', spec: {} }, 'refused NotTrusted'],
    ['a TrafficPolicy', { kind: 'TrafficPolicy', name: 'rome', spec: {} }, 'refused NotTrusted'],
    [
      'a pool of another cluster',
      { kind: 'EdgePool', name: 'rome', spec: { cluster: 'rome' } },
      'refused OfOtherCluster',
    ],
  ] as const)('%s', (_, object, verdict) => {
    const composed = compose([apiOf('paris', [object])]);
    expect(verdictsOf(composed)).toEqual([verdict]);
    expect(composed.platform.drains.size).toBe(verdict.startsWith('accepted') ? 1 : 0);
    expect(composed.platform.sites.size).toBe(5);
  });

  it('a trusted API may say everything, and the folder may be empty', () => {
    const objects = folder.map(({ value }) => {
      const { kind, metadata, spec } = value as {
        readonly kind: ApiObject['kind'];
        readonly metadata: { readonly name: string };
        readonly spec: unknown;
      };
      return { kind, name: metadata.name, spec };
    });
    const { platform, verdicts } = compose([apiOf('paris', objects, fullTrust)], { folder: [] });
    expect(verdicts.filter(({ state }) => state !== 'accepted')).toEqual([]);
    expect(platform.sites.size).toBe(5);
  });

  it('an API says nothing under a name that a trusted place uses for others', () => {
    const theirs = folder.concat({
      file: 'drains.yaml',
      folder: '/',
      broken: false,
      lineOf: () => 1,
      value: {
        apiVersion: 'tideline.dev/v1alpha1',
        kind: 'Drain',
        metadata: { name: 'd' },
        spec: drain(blade('newyork-blade-1')).spec,
      },
    });
    const composed = compose([apiOf('paris', [drain(blade('paris-blade-1'))])], { folder: theirs });
    expect(verdictsOf(composed)).toEqual(['refused NameTaken']);
    expect(composed.platform.drains.get('d')?.spec.target.name).toBe('newyork-blade-1');
  });

  it('an API that is not trusted takes no name from another one', () => {
    const own = (cluster: string) => apiOf(cluster, [drain(blade(`${cluster}-blade-1`))]);
    expect(verdictsOf(compose([own('paris'), own('newyork')]))).toEqual(['accepted InForce', 'refused NameTaken']);
  });

  it('of very many objects the first by name count, in whatever order the API gives them', () => {
    const many = Array.from({ length: mostObjects + 2 }, (_, index) =>
      drain({ kind: 'Worker', name: `w${index}` }, {}, `d${index}`),
    );
    const composed = compose([apiOf('paris', many)]);
    expect(composed.platform.drains.size).toBe(mostObjects);
    expect(verdictsOf(composed).filter((verdict) => verdict === 'refused TooManyObjects')).toHaveLength(2);
    const reversed = compose([apiOf('paris', many.toReversed())]);
    expect([...reversed.platform.drains.keys()]).toEqual([...composed.platform.drains.keys()]);
  });
});

describe('one object in several places', () => {
  it('is one object while the copies are equal, however they are written', () => {
    const composed = compose([apiOf('paris', [copyOf('EdgePool', 'paris-edge')])]);
    expect(verdictsOf(composed)).toEqual(['accepted InForce']);
    expect(composed.platform.edgePools.size).toBe(2);
    const short = drain({ kind: 'Worker', name: 'w1' });
    const long = drain({ kind: 'Worker', name: 'w1' }, { force: false });
    expect(verdictsOf(compose([apiOf('paris', [short]), apiOf('p2', [long], fullTrust)]))).toEqual([
      'accepted InForce',
      'accepted InForce',
    ]);
  });

  it('that was never the same is that of the folder, and both places are named', () => {
    const composed = compose([apiOf('paris', [copyOf('EdgePool', 'paris-edge', { ingressClass: 'other' })])]);
    expect(verdictsOf(composed)).toEqual(['held CopiesDiffer']);
    expect(composed.verdicts[0]?.message).toMatch(/examples\/hybrid\/.*yaml and API of cluster paris differ/);
    expect(composed.platform.edgePools).toEqual(compose([]).platform.edgePools);
  });

  it('stays as the copies agreed last, until they agree again or one is gone', () => {
    const agreed = compose([
      apiOf('paris', [drain(blade('paris-blade-1'))]),
      apiOf('p2', [drain(blade('paris-blade-1'))], fullTrust),
    ]);
    expect(verdictsOf(agreed)).toEqual(['accepted InForce', 'accepted InForce']);
    const changed = drain(blade('paris-blade-1'), { reason: 'fan' });
    const { inForce } = agreed;
    const differ = compose([apiOf('paris', [drain(blade('paris-blade-1'))]), apiOf('p2', [changed], fullTrust)], {
      inForce,
    });
    expect(verdictsOf(differ)).toEqual(['accepted CopiesDiffer', 'held CopiesDiffer']);
    expect(differ.platform.drains.get('d')?.spec.reason).toBe('disk');
    const first = compose([apiOf('paris', [changed]), apiOf('p2', [drain(blade('paris-blade-1'))], fullTrust)], {
      inForce,
    });
    expect(first.platform.drains.get('d')?.spec.reason).toBe('disk');
    const again = compose([apiOf('paris', [changed]), apiOf('p2', [changed], fullTrust)], { inForce: differ.inForce });
    expect(again.platform.drains.get('d')?.spec.reason).toBe('fan');
    const alone = compose([apiOf('paris', []), apiOf('p2', [changed], fullTrust)], { inForce: differ.inForce });
    expect(alone.platform.drains.get('d')?.spec.reason).toBe('fan');
  });
});

describe('an object that turns bad', () => {
  it.each([
    ['has a field that is not known', drain(blade('paris-blade-1'), { newer: 1 }), 'ObjectUnreadable'],
    ['does not go together with the rest', drain(blade('rome-blade-1')), 'ObjectInvalid'],
  ])('%s: its last good version stays, and everything else goes on', (_, bad, reason) => {
    const { inForce } = compose([apiOf('paris', [drain(blade('paris-blade-1'))])]);
    const other = drain({ kind: 'Worker', name: 'w1' }, {}, 'other');
    const composed = compose([apiOf('paris', [bad, other])], { inForce });
    expect(verdictsOf(composed)).toEqual([`held ${reason}`, 'accepted InForce']);
    expect([...composed.platform.drains.keys()].toSorted()).toEqual(['d', 'other']);
    expect(composed.platform.drains.get('d')?.spec.target.name).toBe('paris-blade-1');
  });

  it('that makes an object of the folder bad is left out', () => {
    const taken = copyOf('EdgePool', 'paris-edge');
    const composed = compose([apiOf('paris', [{ ...taken, name: 'another' }])]);
    expect(verdictsOf(composed)).toEqual(['refused ObjectInvalid']);
    expect(composed.platform.edgePools.has('another')).toBe(false);
  });

  it('in the folder is an error, as it is without an API', () => {
    const bad = folder.filter(({ value }) => (value as { readonly kind: string }).kind !== 'Site');
    expect(() => compose([apiOf('paris', [drain(blade('paris-blade-1'))])], { folder: bad })).toThrow(InputError);
  });
});

it('gives every reason of the catalogue, and the operations guide has each that is a fault', async () => {
  expect([...seen].toSorted()).toEqual(Object.keys(specApiReasons).toSorted());
  const guide = await readFile('docs/operations/spec.md', 'utf8');
  const rows = [...guide.matchAll(/^\| `([A-Z][A-Za-z]+)` \| (?!of )/gm)].map(([, reason = '']) => reason);
  expect(rows.filter((row) => row in specApiReasons).toSorted()).toEqual(
    Object.keys(specApiReasons)
      .filter((reason) => reason !== 'InForce')
      .toSorted(),
  );
});
