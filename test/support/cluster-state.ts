import { parseAllDocuments } from 'yaml';
import type { AnyObject, Kind } from '../../src/kube/kinds.ts';
import { kinds, knownKind } from '../../src/kube/kinds.ts';
import type { ObjectKey } from '../../src/kube/objects/metadata.ts';
import { readObject } from '../../src/kube/read-object.ts';
import type { ClusterState } from '../../src/kube/source.ts';
import { stateOf } from '../../src/kube/state.ts';

/** The cluster state that these Kubernetes objects make; throws when one of them is not readable. */
export function stateFromObjects(raw: readonly Readonly<Record<string, unknown>>[], revision = 1): ClusterState {
  const byKind = new Map<Kind, Map<ObjectKey, AnyObject>>(kinds.map((kind) => [kind, new Map()]));
  for (const object of raw) {
    const kind = knownKind(String(object['apiVersion']), String(object['kind']));
    if (kind === undefined) throw new Error(`unknown kind ${String(object['kind'])} ${String(object['apiVersion'])}`);
    const read = readObject(kind, object);
    if (!read.ok) throw new Error(`${kind}: ${read.path} ${read.message}`);
    byKind.get(kind)?.set(read.key, read.object);
  }
  return stateOf(revision, byKind);
}

export function stateFromYaml(text: string, revision = 1): ClusterState {
  return stateFromObjects(rawFromYaml(text), revision);
}

export function rawFromYaml(text: string): readonly Readonly<Record<string, unknown>>[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((value) => value !== null) as Readonly<Record<string, unknown>>[];
}
