import { beforeAll, expect, it } from 'vitest';
import { noTrust } from '../model/platform/trust.ts';
import { placeOfApi } from '../model/source-status.ts';
import { drainInApis, drainInFolder, undrainEverywhere } from './drain-edits.ts';
import type { NewDrain } from './drain-files.ts';
import { type ApiObject, type SpecApi } from './spec-api.ts';
import { readValid } from './spec-edit.ts';
import type { WholeSpec } from './whole.ts';

const paths = ['examples/hybrid'];
const now = Date.UTC(2026, 10, 27);
const expires = '2026-11-27T02:00:00Z';
const blade = { kind: 'Blade', name: 'paris-blade-1' } as const;
const wanted: NewDrain = { target: blade, reason: 'disks', expires };

let folder: WholeSpec['folder'];
beforeAll(async () => {
  folder = (await readValid(paths, now)).documents;
});

function drainObject(name: string, target: object = blade, more: object = {}): ApiObject {
  return { kind: 'Drain', name, spec: { target, reason: 'disks', expires, ...more } };
}

function apiOf(cluster: string, ...objects: readonly ApiObject[]): SpecApi {
  return { place: placeOfApi(cluster), cluster, trust: noTrust, objects };
}

function specOf(apis: readonly SpecApi[] = [], unread: Readonly<Record<string, string>> = {}): WholeSpec {
  return { folder, apis, unread: new Map(Object.entries(unread)) };
}

const drained = ({
  drains,
}: {
  readonly drains: ReadonlyMap<string, { readonly spec: { readonly target: object } }>;
}) => [...drains.values()].map(({ spec }) => spec.target);

it('puts a Drain into the API of the cluster concerned, and writes no file', () => {
  const edit = drainInApis(
    paths,
    specOf([apiOf('newyork'), apiOf('paris')]),
    { drain: wanted, clusters: ['paris'] },
    now,
  );
  expect([drained(edit.before), drained(edit.after)]).toEqual([[], [blade]]);
  expect(edit).toMatchObject({
    files: [],
    objects: [{ cluster: 'paris', name: 'blade-paris-blade-1', spec: { target: blade, reason: 'disks', expires } }],
  });
});

it('a second one takes the place of the first', () => {
  const spec = specOf([apiOf('paris', drainObject('blade-paris-blade-1', blade, { reason: 'power' }))]);
  const { after } = drainInApis(paths, spec, { drain: wanted, clusters: ['paris'] }, now);
  expect([...after.drains.values()].map(({ spec: { reason } }) => reason)).toEqual(['disks']);
});

it('a Drain that the agents of the cluster would not obey is refused', () => {
  const rome = { ...wanted, target: { kind: 'Cluster', name: 'newyork' } as const };
  expect(() => drainInApis(paths, specOf([apiOf('paris')]), { drain: rome, clusters: ['paris'] }, now)).toThrow(
    /would not obey it in the API of cluster paris: it drains newyork.*OfOtherCluster/,
  );
});

it('the folder counts what stands in APIs, and says what it does not know of them', async () => {
  const api = apiOf('paris', drainObject('by-hand', { kind: 'Blade', name: 'paris-blade-2' }));
  const edit = await drainInFolder(paths, specOf([api], { newyork: 'no route: SourceUnreachable' }), wanted, now);
  expect(drained(edit.before)).toHaveLength(1);
  expect(drained(edit.after)).toHaveLength(2);
  expect(edit.unknown).toEqual(['what stands in the API of cluster newyork (no route: SourceUnreachable)']);
});

it.each([
  [
    'a field that is not known',
    drainObject('d', blade, { newer: 1 }),
    /^which version agents obey of API of cluster paris: Drain\/d/,
  ],
  ['one that is not for this API', drainObject('d', { kind: 'Site', name: 'paris' }), undefined],
])('of a Drain in an API with %s says so where it may matter', async (_, object, says) => {
  const { unknown } = await drainInFolder(paths, specOf([apiOf('paris', object)]), wanted, now);
  expect(unknown).toEqual(says === undefined ? [] : [expect.stringMatching(says)]);
});

it('a version beside another one, which would not come into force, is refused in both directions', async () => {
  const older = drainObject('blade-paris-blade-1', blade, { reason: 'power' });
  await expect(drainInFolder(paths, specOf([apiOf('paris', older)]), wanted, now)).rejects.toThrow(
    /API of cluster paris has this Drain already.*CopyElsewhere/,
  );
  const same = drainObject('blade-paris-blade-1');
  expect((await drainInFolder(paths, specOf([apiOf('paris', same)]), wanted, now)).files).toHaveLength(1);
  const copy = await drainInFolder(paths, specOf(), wanted, now);
  const { text = '' } = copy.files[0] ?? {};
  expect(text).toContain('disks');
  const inFolder = { ...specOf([apiOf('paris')]), folder: [...folder, documentWith(older)] };
  expect(() => drainInApis(paths, inFolder, { drain: wanted, clusters: ['paris'] }, now)).toThrow(/CopyElsewhere/);
});

function documentWith({ kind, name, spec }: ApiObject): WholeSpec['folder'][number] {
  const value = { apiVersion: 'tideline.dev/v1alpha1', kind, metadata: { name }, spec };
  return { file: 'drain.yaml', folder: '/', value, broken: false, lineOf: () => 1 };
}

it('undrain removes every Drain of the target from the APIs that obey it, by whatever name', async () => {
  const unreadable = drainObject('newer', blade, { newer: 1 });
  const other = drainObject('other', { kind: 'Blade', name: 'paris-blade-2' });
  const spec = specOf([
    apiOf('newyork', drainObject('foreign')),
    apiOf('paris', drainObject('by-hand'), unreadable, other),
  ]);
  const edit = await undrainEverywhere(paths, spec, blade, now);
  expect(edit.objects).toEqual([
    { cluster: 'paris', name: 'by-hand', spec: undefined },
    { cluster: 'paris', name: 'newer', spec: undefined },
  ]);
  expect(edit.files).toEqual([]);
  expect(drained(edit.after)).toEqual([{ kind: 'Blade', name: 'paris-blade-2' }]);
});

it('what is not drained needs no edit, of a target that is there, where every API could be read', async () => {
  expect(await undrainEverywhere(paths, specOf(), blade, now)).toMatchObject({ files: [], objects: [] });
  await expect(undrainEverywhere(paths, specOf(), { kind: 'Blade', name: 'paris-blad-1' }, now)).rejects.toThrow(
    /did you mean "paris-blade-1"/,
  );
  await expect(undrainEverywhere(paths, specOf([], { paris: 'no: SourceForbidden' }), blade, now)).rejects.toThrow(
    /stands where it could be read; not known: what stands in the API of cluster paris \(no: SourceForbidden\)/,
  );
});
