import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Lab, RunningCluster } from '../lab.ts';

const modes = ['vanished', 'empty', 'garbage'] as const;

/** `paris/vanished`, `paris/empty`, `paris/garbage`, and so for every cluster. */
export function inputTargets(lab: Lab): readonly string[] {
  return [...lab.clusters.keys()].flatMap((cluster) => modes.map((mode) => `${cluster}/${mode}`));
}

/** Breaks the manifests of one cluster; its pods and everything else go on. */
export async function breakInput(lab: Lab, target: string): Promise<void> {
  const [cluster, mode] = target.split('/');
  const { folder } = runningCluster(lab, cluster);
  if (mode === 'vanished') {
    await rename(folder, awayFrom(folder));
    return;
  }
  const content = mode === 'empty' ? '' : 'kind: [Service\n\u0007\u0000 {{ not yaml\n  - at all';
  for (const file of await readdir(folder)) await writeFile(join(folder, file), content);
}

/** The manifests are what the cluster says again. */
export async function mendInput(lab: Lab, target: string): Promise<void> {
  const { folder, manifests } = runningCluster(lab, target.split('/')[0]);
  await rm(awayFrom(folder), { recursive: true, force: true });
  await manifests.write();
}

function runningCluster(lab: Lab, name: string | undefined): RunningCluster {
  const cluster = lab.clusters.get(name ?? '');
  if (cluster === undefined) throw new Error(`the lab runs no cluster ${name}`);
  return cluster;
}

/** A hidden folder beside it: what it holds must not be read as part of the platform spec. */
function awayFrom(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}-away`);
}
