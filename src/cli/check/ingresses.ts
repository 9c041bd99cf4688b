import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ingress } from '../../kube/kinds/ingress.ts';
import type { FoundObject } from '../../kube/manifests/documents.ts';
import type { ObjectKey } from '../../kube/objects/metadata.ts';
import type { Problem } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { PoolBeforehand } from '../../planes/edge/compile/beforehand.ts';
import type { EdgeProblem } from '../../planes/edge/reasons.ts';
import { readBounded } from '../../runtime/bounded-file.ts';

interface FoundIngress extends FoundObject {
  readonly file: string;
}

/** The Ingresses under the paths of a command. */
export interface FoundIngresses {
  readonly ingresses: readonly FoundIngress[];
  /** The paths that may hold the platform spec: all but those with Ingresses and no document of it. */
  readonly specPaths: readonly string[];
  /** Files beside Ingresses that could not be read, and folders too large to look into. */
  readonly unread: readonly Problem[];
}

/** Finds the Ingresses in files and folders. Files that are no manifests have none; what is wrong with a spec its reader says. */
export async function findIngresses(paths: readonly string[]): Promise<FoundIngresses> {
  const ingresses: FoundIngress[] = [];
  const specPaths: string[] = [];
  const unread: Problem[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    let [manifests, spec] = [false, false];
    const { files, problem } = await filesIn(path);
    const bad: Problem[] = [];
    for (const file of files) {
      const text = await textOf(file, bad);
      const found = (await objectsIn(text)).filter(({ read }) => read.kind === 'Ingress');
      manifests ||= found.length > 0;
      spec ||= specDocument.test(text);
      if (!seen.has(file)) ingresses.push(...found.map((object) => ({ ...object, file })));
      seen.add(file);
    }
    if (spec || !manifests) specPaths.push(path);
    else unread.push(...bad);
    if (problem !== undefined) unread.push(problem);
  }
  return { ingresses, specPaths, unread };
}

/** The beginning of a document of the platform spec, in YAML or JSON. */
const specDocument = /^\s*["']?apiVersion["']?\s*:\s*["']?tideline\.dev\//m;

/** The text of a file; none of one that cannot be read or that agents would refuse for its size, which goes to `bad`. */
async function textOf(file: string, bad: Problem[]): Promise<string> {
  const [{ bounds }, { problemOf }] = await Promise.all([
    import('../../kube/manifests/bounds.ts'),
    import('../../kube/manifests/files.ts'),
  ]);
  try {
    return (await readBounded(file, bounds.fileBytes)).toString('utf8');
  } catch (error) {
    bad.push(problemOf(file, error));
    return '';
  }
}

/** The manifests of a folder as an agent lists them, or the file itself. */
async function filesIn(path: string): Promise<{ readonly files: readonly string[]; readonly problem?: Problem }> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() !== true) return { files: [path] };
  const { listFolder } = await import('../../kube/manifests/folder.ts');
  const listing = await listFolder(path);
  if (listing.ok) return { files: [...listing.files.keys()].map((name) => join(path, name)) };
  if (!listing.tooLarge) return { files: [] };
  const message = 'has more files, folders, levels or bytes than manifests have: no Ingress is looked for in it';
  const fix = 'name the folders with Ingresses one by one';
  return { files: [], problem: { reason: 'FolderTooLarge', file: path, message, fix } };
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
  const { classNameOf } = await import('../../kube/kinds/ingress.ts');
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
