import { isDeepStrictEqual } from 'node:util';
import { noTrust } from '../model/platform/trust.ts';
import { InputError } from '../model/problem.ts';
import { shellWords } from '../model/shell-words.ts';
import { placeOfApi } from '../model/source-status.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { Platform } from '../model/spec/platform.ts';
import { readObject } from '../model/spec/read.ts';
import { withoutUndefined } from '../model/values.ts';
import { checkTarget, type DrainTarget, draining, isOn, type NewDrain, nameOf, undraining } from './drain-files.ts';
import { type ApiObject, documentOf, keyOf, type SpecApi } from './spec-api.ts';
import type { FileEdit } from './spec-edit.ts';
import { oddText, type WholePlatform, type WholeSpec, wholeOf } from './whole.ts';

/** A Drain to be put into the API of a cluster, or to be removed there where `spec` is undefined. */
export interface DrainObjectEdit {
  readonly cluster: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>> | undefined;
}

/** A change of drains that is not written yet, in the folder and in APIs. Both platforms are what the agents obey as a whole. */
export interface DrainEdit {
  readonly before: Platform;
  readonly after: Platform;
  readonly files: readonly FileEdit[];
  readonly objects: readonly DrainObjectEdit[];
  /** What could not be read of the spec, or is not in force as it stands there, and could matter; a clause each. */
  readonly unknown: readonly string[];
}

/**
 * The edit that puts a Drain into the folder. Throws an InputError (`CopyElsewhere`) where an API has a Drain of this name that differs: the
 * version on which the places agreed last would stay in force.
 */
export async function drainInFolder(
  paths: readonly string[],
  spec: WholeSpec,
  drain: NewDrain,
  nowMs: number,
): Promise<DrainEdit> {
  const edit = await draining(paths, drain, nowMs);
  const name = nameOf(drain.target);
  for (const api of spec.apis)
    for (const object of api.objects)
      if (object.kind === 'Drain' && object.name === name && !means(documentOf(api, object), drain))
        throw new InputError(copyElsewhere(name, api.place, paths, drain.target));
  return joined(spec, { ...spec, folder: edit.documents }, { files: edit.edits, objects: [] }, nowMs);
}

/**
 * The edit that puts a Drain into the API of each of these clusters. Throws an InputError when one of them would not obey it there, and
 * (`CopyElsewhere`) where the folder has another version of it.
 */
export function drainInApis(
  paths: readonly string[],
  spec: WholeSpec,
  { drain, clusters }: { readonly drain: NewDrain; readonly clusters: readonly string[] },
  nowMs: number,
): DrainEdit {
  const name = nameOf(drain.target);
  const inFolder = spec.folder.find((document) => keyOf(document) === `Drain/${name}`);
  if (inFolder !== undefined && !means(inFolder, drain))
    throw new InputError(copyElsewhere(name, inFolder.file, paths, drain.target));
  const object: ApiObject = { kind: 'Drain', name, spec: specOf(drain) };
  const apis = spec.apis.map((api) =>
    clusters.includes(api.cluster) ? { ...api, objects: [...api.objects.filter(isNot(name)), object] } : api,
  );
  const objects = clusters.map((cluster) => ({ cluster, name, spec: specOf(drain) }));
  const edit = joined(spec, { ...spec, apis }, { files: [], objects }, nowMs);
  checkObeyed(wholeOf({ ...spec, apis }, nowMs), name, clusters);
  return edit;
}

/**
 * The edit that removes every Drain of a target, wherever it stands; it is empty when there is none. Throws an InputError then for a target that
 * the spec does not have, and an Error when there may be a Drain in an API that could not be read.
 */
export async function undrainEverywhere(
  paths: readonly string[],
  spec: WholeSpec,
  target: DrainTarget,
  nowMs: number,
): Promise<DrainEdit> {
  const edit = await undraining(paths, target, nowMs);
  const objects: DrainObjectEdit[] = [];
  const apis = spec.apis.map((api) => {
    // The others are no Drains of this target, or do nothing where they stand and are another administrator's.
    const gone = api.objects.filter((object) => isDrainOf(api, object, target) && isHeeded(spec, api, object, nowMs));
    objects.push(...gone.map(({ name }) => ({ cluster: api.cluster, name, spec: undefined })));
    return { ...api, objects: api.objects.filter((object) => !gone.includes(object)) };
  });
  if (edit.edits.length + objects.length === 0) checkNotDrained(target, spec, nowMs);
  return joined(spec, { ...spec, folder: edit.documents, apis }, { files: edit.edits, objects }, nowMs);
}

function joined(
  before: WholeSpec,
  after: WholeSpec,
  written: Pick<DrainEdit, 'files' | 'objects'>,
  nowMs: number,
): DrainEdit {
  const [old, next] = [wholeOf(before, nowMs), wholeOf(after, nowMs)];
  return { before: old.platform, after: next.platform, ...written, unknown: doubtful(next) };
}

/** Of an object that cannot be taken as it stands another version may be in force with agents, which only they know. */
export function doubtful({ odd, unknown }: WholePlatform): readonly string[] {
  const held = odd.filter(
    ({ reason }) => reason !== 'NotTrusted' && reason !== 'OfOtherCluster' && reason !== 'NameTaken',
  );
  return [...unknown, ...held.map((verdict) => `which version agents obey of ${oddText(verdict)}`)];
}

function isHeeded(spec: WholeSpec, api: SpecApi, { name }: ApiObject, nowMs: number): boolean {
  const { odd } = wholeOf({ ...spec, apis: [api] }, nowMs);
  const verdict = odd.find((one) => one.kind === 'Drain' && one.name === name);
  return verdict === undefined || !['NotTrusted', 'OfOtherCluster', 'NameTaken'].includes(verdict.reason);
}

function isDrainOf(api: SpecApi, object: ApiObject, target: DrainTarget): boolean {
  return object.kind === 'Drain' && isOn(documentOf(api, object), target);
}

function isNot(name: string): (object: ApiObject) => boolean {
  return (object) => object.kind !== 'Drain' || object.name !== name;
}

function specOf({ target, reason, force, expires }: NewDrain): Readonly<Record<string, unknown>> {
  return { target, ...withoutUndefined({ force }), reason, expires };
}

/** Whether a document says the same as a Drain that is to be written; notation and defaults do not count. */
function means(document: SpecDocument, drain: NewDrain): boolean {
  const object: ApiObject = { kind: 'Drain', name: nameOf(drain.target), spec: specOf(drain) };
  const wanted = documentOf({ place: '', cluster: '', trust: noTrust, objects: [] }, object);
  const specs = [document, wanted].map((one) => valueAt(readObject(one).value, ['spec']));
  return specs[0] !== undefined && isDeepStrictEqual(specs[0], specs[1]);
}

/** Throws when the agents of a cluster would not take the Drain from their API. */
function checkObeyed({ odd }: WholePlatform, name: string, clusters: readonly string[]): void {
  const verdict = odd.find(
    (one) => one.kind === 'Drain' && one.name === name && clusters.some((cluster) => one.place === placeOfApi(cluster)),
  );
  if (verdict === undefined) return;
  throw new InputError({
    reason: verdict.reason,
    object: `Drain/${name}`,
    message: `agents would not obey it in the ${verdict.place}: ${verdict.message}`,
    fix: 'write it into the folder: leave --to-api out',
  });
}

function copyElsewhere(name: string, place: string, paths: readonly string[], { kind, name: target }: DrainTarget) {
  return {
    reason: 'CopyElsewhere',
    object: `Drain/${name}`,
    message: `${place} has this Drain already, and another version beside it would not come into force`,
    fix: `change it there, or first: ${shellWords(['tideline', 'undrain', kind.toLowerCase(), target, ...paths, '--yes'])}`,
  };
}

/** A Drain of a target that has left the spec can be removed; nothing can be said of one that never was there. */
function checkNotDrained(target: DrainTarget, spec: WholeSpec, nowMs: number): void {
  const { platform, unknown } = wholeOf(spec, nowMs);
  checkTarget(target, platform);
  if (unknown.length === 0) return;
  const subject = `${target.kind.toLowerCase()} ${target.name}`;
  throw new Error(`no Drain of ${subject} stands where it could be read; not known: ${unknown.join('; ')}`);
}
