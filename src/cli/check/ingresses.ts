import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ingress } from '../../kube/kinds/ingress.ts';
import type { FoundObject } from '../../kube/manifests/documents.ts';
import type { Problem } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { PoolSettings } from '../../planes/edge/compile/annotations/settings.ts';

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
      const text = await readFile(file, 'utf8').catch(() => '');
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
 * What becomes of Ingresses. Those of the classes of the platform's pools are looked at; where there is no pool all of them,
 * as by one of defaults.
 */
export async function judgeIngresses(
  ingresses: readonly FoundIngress[],
  platform: Platform | undefined,
): Promise<readonly Problem[]> {
  if (ingresses.length === 0) return [];
  const { problemsBeforehand } = await import('../../planes/edge/compile/beforehand.ts');
  const problems: Problem[] = [];
  for (const { file, line, read } of ingresses) {
    if (!read.ok) {
      const { reason, path, message, key } = read;
      problems.push({ reason, file, line, object: `Ingress/${key ?? '?'}`, path, message });
      continue;
    }
    const ingress = read.object as Ingress;
    const pool = await poolOf(ingress, platform);
    if (pool === undefined) continue;
    for (const problem of problemsBeforehand(read.key, ingress, pool)) problems.push({ ...problem, file, line });
  }
  return problems;
}

/** The pool of the Ingress's class; of several, one that refuses more. */
async function poolOf(ingress: Ingress, platform: Platform | undefined): Promise<PoolSettings | undefined> {
  const { defaultPoolSettings } = await import('../../planes/edge/compile/annotations/settings.ts');
  const { classNameOf } = await import('../../planes/edge/compile/ingress.ts');
  const pools = [...(platform?.edgePools.values() ?? [])].map(({ spec }) => spec);
  if (pools.length === 0) return defaultPoolSettings();
  const own = pools.filter(({ ingressClass }) => ingressClass === classNameOf(ingress));
  return own.find(({ ignoreAccessAnnotations }) => !ignoreAccessAnnotations) ?? own[0];
}
