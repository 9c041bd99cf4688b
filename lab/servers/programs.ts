import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../src/model/problem.ts';
import { rootsFolder, sources } from './root.ts';

/** The programs of a Kubernetes node and of an etcd member, as `make servers` built them; none is linked to C. */
export const nodePrograms = ['kubelet', 'kube-proxy', 'etcdctl', 'etcdutl', 'calico', 'calico-ipam'] as const;

export type NodeProgram = (typeof nodePrograms)[number];

const inputs = ['programs/go.mod', 'programs/go.sum', 'programs.ts'];

/** A key of the pinned modules and the program that builds them; unlike the control plane's it knows no compiler. */
export async function programsKey(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of inputs) {
    const content = await readFile(join(sources, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return `programs-${hash.digest('hex').slice(0, 16)}-${process.arch}`;
}

/** Finds the folder of the programs of the present sources. Throws an InputError that says what to run when there is none. */
export async function findNodePrograms(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const folder = rootsFolder(environment);
  const programs = join(folder, await programsKey());
  const missing = await access(programs).then(
    () => false,
    () => true,
  );
  if (!missing) return programs;
  throw new InputError([
    {
      reason: 'NoNodePrograms',
      message: `the programs of a Kubernetes node are not in ${folder}, or are those of older sources`,
      fix: 'run: make servers',
    },
  ]);
}
