import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../src/model/problem.ts';
import { rootsFolder, sources } from './root.ts';

/** The programs of a Kubernetes node and of an etcd member, as `make servers` built them; none is linked to C. */
export const nodePrograms = ['kubelet', 'kube-proxy', 'etcdctl', 'etcdutl', 'calico', 'calico-ipam'] as const;

export type NodeProgram = (typeof nodePrograms)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/** A key of the pinned modules and the program that builds them; unlike the control plane's it knows no compiler. */
export const programsKey = (): Promise<string> => keyOf('programs');

/** The same for Felix, which takes modules of its own: those of the release of Calico. */
export const felixKey = (): Promise<string> => keyOf('felix');

/** And for the minor version before, which only tests of an upgrade need. */
export const previousKey = (): Promise<string> => keyOf('previous');

async function keyOf(what: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [`${what}/go.mod`, `${what}/go.sum`, `${what}.ts`]) {
    const content = await readFile(join(sources, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return `${what}-${hash.digest('hex').slice(0, 16)}-${process.arch}`;
}

/** Finds the folder of the programs of the present sources. Throws an InputError that says what to run when there is none. */
export const findNodePrograms = (environment: Environment): Promise<string> => find(environment, programsKey);

/** Finds the program of Felix, as `findNodePrograms` finds the others. */
export const findFelix = async (environment: Environment): Promise<string> =>
  join(await find(environment, felixKey), 'calico-felix');

/** Finds the folder of the minor version of Kubernetes before: control plane, kubectl, kubelet and kube-proxy. */
export const findPrevious = (environment: Environment): Promise<string> =>
  find(environment, previousKey, 'make kubernetes-previous');

async function find(environment: Environment, key: () => Promise<string>, command = 'make servers'): Promise<string> {
  const folder = rootsFolder(environment);
  const programs = join(folder, await key());
  const missing = await access(programs).then(
    () => false,
    () => true,
  );
  if (!missing) return programs;
  throw new InputError([
    {
      reason: 'NoNodePrograms',
      message: `the programs of a Kubernetes node are not in ${folder}, or are those of older sources`,
      fix: `run: ${command}`,
    },
  ]);
}
