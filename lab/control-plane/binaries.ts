import { createHash } from 'node:crypto';
import { access, readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../src/model/problem.ts';

/** The programs that `make kubernetes` built. */
export interface Binaries {
  /** The folder of the programs; etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl are one file. */
  readonly folder: string;
  readonly kubectl: string;
  readonly kwok: string;
  readonly calicoIpam: string;
  /** Folder of Calico's CustomResourceDefinitions, one YAML file each. */
  readonly calicoCrds: string;
  readonly versions: Versions;
}

/** The releases that were built, and the compiler that built them. */
export interface Versions {
  readonly kubernetes: string;
  readonly etcd: string;
  readonly calico: string;
  readonly kwok: string;
  readonly go: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that the binaries are made from: Go sources, pinned versions, the build program. */
export const sources = join(import.meta.dirname, '../../tools/kubernetes');

/** The file that a build writes last: a folder without it is not complete. */
export const versionsFile = 'versions.json';

/** The folder that holds one folder for each build, named `<key>-<go version>`. */
export function buildsFolder(environment: Environment): string {
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'tideline', 'kubernetes');
}

/** A key of the sources' content and the kind of this machine: other sources give another key. */
export async function sourcesKey(folder = sources): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(folder, { recursive: true })).filter((file) => /\.(go|mod|sum|ts)$/.test(file)).sort();
  for (const file of files) {
    const content = await readFile(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return `${hash.digest('hex').slice(0, 16)}-${process.arch}`;
}

/** The complete builds of a key, the one used last first. */
export async function completeBuilds(folder: string, key: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const found: { readonly build: string; readonly usedAt: number }[] = [];
  for (const name of names.filter((candidate) => candidate.startsWith(`${key}-`))) {
    const build = join(folder, name);
    if (await exists(join(build, versionsFile))) found.push({ build, usedAt: (await stat(build)).mtimeMs });
  }
  return found.sort((a, b) => b.usedAt - a.usedAt).map(({ build }) => build);
}

/** Finds the build of the present sources. Throws an InputError that says what to run when there is none. Needs no Go. */
export async function findBinaries(environment: Environment): Promise<Binaries> {
  const folder = buildsFolder(environment);
  const [build] = await completeBuilds(folder, await sourcesKey());
  if (build === undefined) {
    throw new InputError([
      {
        reason: 'NoControlPlaneBinaries',
        message: `the programs of a Kubernetes control plane are not in ${folder}, or are those of older sources`,
        fix: 'run: make kubernetes',
      },
    ]);
  }
  const bin = join(build, 'bin');
  return {
    folder: bin,
    kubectl: join(bin, 'kubectl'),
    kwok: join(bin, 'kwok'),
    calicoIpam: join(bin, 'calico-ipam'),
    calicoCrds: join(build, 'crds', 'calico'),
    versions: JSON.parse(await readFile(join(build, versionsFile), 'utf8')) as Versions,
  };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
