import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ingress } from '../../kube/kinds/ingress.ts';
import type { FoundObject } from '../../kube/manifests/documents.ts';
import type { ObjectKey } from '../../kube/objects/metadata.ts';
import type { Problem } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { PoolBeforehand } from '../../planes/edge/compile/beforehand.ts';
import type { EdgeProblem } from '../../planes/edge/reasons.ts';

interface FoundIngress extends FoundObject {
  readonly file: string;
}

/** The Ingresses under the paths of a command. */
export interface FoundIngresses {
  readonly ingresses: readonly FoundIngress[];
  /** The paths that may hold the platform spec: all but those with Ingresses and no document of it. */
  readonly specPaths: readonly string[];
}

/** Finds the Ingresses in files and folders. Files that are no manifests have none; what is wrong with them others say. */
export async function findIngresses(paths: readonly string[]): Promise<FoundIngresses> {
  const ingresses: FoundIngress[] = [];
  const specPaths: string[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    let [manifests, spec] = [false, false];
    for (const file of await filesIn(path)) {
      const text = await textOf(file);
      const found = (await objectsIn(text)).filter(({ read }) => read.kind === 'Ingress');
      manifests ||= found.length > 0;
      spec ||= specDocument.test(text);
      if (!seen.has(file)) ingresses.push(...found.map((object) => ({ ...object, file })));
      seen.add(file);
    }
    if (spec || !manifests) specPaths.push(path);
  }
  return { ingresses, specPaths };
}

/** The beginning of a document of the platform spec, in YAML or JSON. */
const specDocument = /^\s*["']?apiVersion["']?\s*:\s*["']?tideline\.dev\//m;

/** The text of a file; none of one that cannot be read or that agents would refuse for its size, which others say. */
async function textOf(file: string): Promise<string> {
  const { bounds } = await import('../../kube/manifests/bounds.ts');
  const size = (await stat(file).catch(() => undefined))?.size ?? 0;
  return size > bounds.fileBytes ? '' : readFile(file, 'utf8').catch(() => '');
}

async function filesIn(path: string): Promise<readonly string[]> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() !== true) return [path];
  const names = await readdir(path, { recursive: true }).catch(() => []);
  return names
    .filter((name) => /\.(yaml|yml|json)$/.test(name) && !/(^|\/)\./.test(name))
    .sort()
    .map((name) => join(path, name));
}

async function objectsIn(text: string): Promise<readonly FoundObject[]> {
  if (!text.includes('Ingress')) return [];
  const { parseManifests } = await import('../../kube/manifests/documents.ts');
  try {
    return (await parseManifests(text)).objects;
  } catch {
    return [];
  }
}

/**
 * What becomes of Ingresses, beside each other. Those of the classes of the platform's pools are looked at; where there is no
 * pool all of them, as by one of defaults.
 */
export async function judgeIngresses(
  ingresses: readonly FoundIngress[],
  platform: Platform | undefined,
): Promise<readonly Problem[]> {
  if (ingresses.length === 0) return [];
  const judge = await judgeOf(ingresses, platform);
  return ingresses.flatMap((found): readonly Problem[] => {
    const { file, line, read } = found;
    if (read.ok) return judge(found).map((problem) => ({ ...problem, file, line }));
    const { reason, path, message, key } = read;
    return [{ reason, file, line, object: `Ingress/${key ?? '?'}`, path, message }];
  });
}

/** Judges all Ingresses of a class together. Of an object that is there twice each is judged as if the other were not. */
async function judgeOf(
  ingresses: readonly FoundIngress[],
  platform: Platform | undefined,
): Promise<(found: FoundIngress) => readonly EdgeProblem[]> {
  const { classNameOf } = await import('../../planes/edge/compile/ingress.ts');
  const { problemsBeforehand } = await import('../../planes/edge/compile/beforehand.ts');
  const { defaultPoolSettings } = await import('../../planes/edge/compile/annotations/settings.ts');
  const groups = new Map<string, Map<ObjectKey, Ingress>>();
  const groupOf = new Map<FoundIngress, string>();
  const seen = new Map<string, number>();
  for (const found of ingresses) {
    if (!found.read.ok) continue;
    const { key } = found.read;
    const ingress = found.read.object as Ingress;
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    const group = `${times} ${classNameOf(ingress) ?? ''}`;
    groups.set(group, (groups.get(group) ?? new Map<ObjectKey, Ingress>()).set(key, ingress));
    groupOf.set(found, group);
  }
  const problems = new Map(
    [...groups].map(([group, members]) => {
      const pool = poolOf(group.slice(group.indexOf(' ') + 1), platform, defaultPoolSettings);
      return [group, pool === undefined ? new Map<string, never>() : problemsBeforehand(members, pool)] as const;
    }),
  );
  return (found) => problems.get(groupOf.get(found) ?? '')?.get(`Ingress/${found.read.key}`) ?? [];
}

/** The pool of a class; of several, one that refuses more. */
function poolOf(
  className: string,
  platform: Platform | undefined,
  defaults: () => PoolBeforehand,
): PoolBeforehand | undefined {
  const pools = [...(platform?.edgePools.values() ?? [])].map(({ spec }) => spec);
  if (pools.length === 0) return defaults();
  const own = pools.filter(({ ingressClass }) => ingressClass === className);
  return own.find(({ ignoreAccessAnnotations }) => !ignoreAccessAnnotations) ?? own[0];
}
