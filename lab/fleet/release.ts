import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Versions } from '../control-plane/binaries.ts';

const run = promisify(execFile);

/**
 * The files of a Release, made of the programs of this machine. Each program is a script of one line that starts the
 * real one in a folder that all servers share: of copies every server would have a gigabyte on its disk, and each its own in memory.
 * They come by the way of any Release: from Salt's file server, by their checksums, into a folder of their version.
 */

/** Where every server has what the scripts start (`shared` of its boot). */
export const shared = {
  controlPlane: '/opt/lab/control-plane',
  node: '/opt/lab/node',
  tideline: '/opt/lab/tideline',
} as const;

interface Part {
  readonly name: string;
  readonly version: string;
  /** The program that the script starts, or for an archive those of each script in it. */
  readonly program?: string;
  readonly programs?: Readonly<Record<string, string>>;
  /** Links in the archive. */
  readonly links?: Readonly<Record<string, string>>;
}

export interface LabArtifact {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly sha256: string;
  readonly package: 'file' | 'tar';
}

/** Writes the files into `folder`/artifacts, and resolves with what a Release says of them. `root` is that of the servers. */
export async function makeRelease(folder: string, versions: Versions): Promise<readonly LabArtifact[]> {
  await mkdir(join(folder, 'artifacts'), { recursive: true });
  return await Promise.all(partsOf(versions).map(async (part) => await makeArtifact(folder, part)));
}

function partsOf(versions: Versions): readonly Part[] {
  const [kubernetes, etcd, calico] = [versions.kubernetes, versions.etcd, versions.calico].map(withoutV) as [
    string,
    string,
    string,
  ];
  const of = (place: string, version: string) => (name: string) => ({ name, version, program: `${place}/${name}` });
  const plugins = ['bandwidth', 'host-local', 'loopback', 'portmap', 'ptp'];
  return [
    { name: 'etcd', version: etcd, program: `${shared.controlPlane}/etcd` },
    ...['etcdctl', 'etcdutl'].map(of(shared.node, etcd)),
    ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'].map(
      of(shared.controlPlane, kubernetes),
    ),
    ...['kubelet', 'kube-proxy'].map(of(shared.node, kubernetes)),
    { name: 'runc', version: '1.1.5', program: '/usr/sbin/runc' },
    // Its name says what it does: `calico` makes interfaces, and `calico-ipam`, which is a link to it, gives addresses.
    { name: 'calico-cni', version: calico, program: `${shared.node}/$(basename "$0")` },
    {
      name: 'containerd',
      version: '1.6.20',
      programs: Object.fromEntries(
        ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) => [name, `/usr/bin/${name}`]),
      ),
    },
    {
      name: 'cni-plugins',
      version: '1.1.1',
      programs: Object.fromEntries(plugins.map((name) => [name, `/usr/lib/cni/${name}`])),
    },
    {
      name: 'tideline',
      version: '0.1.0',
      links: Object.fromEntries(['bin', 'deploy'].map((name) => [name, `${shared.tideline}/${name}`])),
    },
  ];
}

async function makeArtifact(folder: string, part: Part): Promise<LabArtifact> {
  const form = part.program === undefined ? 'tar' : 'file';
  const file = `artifacts/${part.name}-${part.version}${form === 'tar' ? '.tar' : ''}`;
  const path = join(folder, file);
  if (part.program === undefined) await makeArchive(path, part);
  else await writeScript(path, part.program);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { name: part.name, version: part.version, source: `salt://${file}`, sha256, package: form };
}

async function makeArchive(path: string, { programs = {}, links = {} }: Part): Promise<void> {
  const content = `${path}.d`;
  await mkdir(content);
  for (const [name, program] of Object.entries(programs)) await writeScript(join(content, name), program);
  for (const [name, target] of Object.entries(links)) await symlink(target, join(content, name));
  await run('tar', ['--owner=0', '--group=0', '-C', content, '-cf', path, ...Object.keys({ ...programs, ...links })]);
}

async function writeScript(path: string, program: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\nexec ${program} "$@"\n`);
  await chmod(path, 0o755);
}

const withoutV = (version: string): string => version.replace(/^v/, '');
