import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sources } from '../../lab/servers/root.ts';
import { atLeast, go, goVersion } from '../kubernetes/go.ts';

const folder = join(sources, 'programs');
const go126 = 'install Go 1.26 or newer (https://go.dev/dl) and put it on the PATH';

/** Builds the programs that go.mod names as tools into `target`. `say` gets a line for each step. */
export async function makePrograms(target: string, say: (line: string) => void): Promise<void> {
  const compiler = await goVersion();
  if (compiler === undefined) throw new Error(`there is no Go on the PATH\nservers: fix: ${go126}`);
  if (!atLeast(compiler, '1.26.0'))
    throw new Error(`Go 1.26 or newer is needed, this is ${compiler}\nservers: fix: ${go126}`);
  await mkdir(target, { recursive: true });
  let downloads = 0;
  let compiled = 0;
  let saidAt = 0;
  const update = (line: string): void => {
    if (line.startsWith('go: downloading')) downloads += 1;
    else if (!line.startsWith('#') && !line.startsWith('go: ')) compiled += 1;
    if (performance.now() - saidAt < 15_000) return;
    saidAt = performance.now();
    say(`programs of a node: downloaded ${downloads} modules, compiled ${compiled} packages`);
  };
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...(await stamps())].join(' ')];
  await go(['build', '-v', ...flags, '-o', `${target}/`, 'tool'], folder, update);
  await symlink('calico', join(target, 'calico-ipam'));
}

/** The version that kubelet, kube-proxy and Calico tell. There is no commit and no date in a module. */
async function stamps(): Promise<readonly string[]> {
  const modules = await readFile(join(folder, 'go.mod'), 'utf8');
  const kubernetes = /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(modules)?.[1] ?? '';
  const [major = '', minor = ''] = kubernetes.slice(1).split('.');
  const values = { gitVersion: kubernetes, gitMajor: major, gitMinor: minor, gitTreeState: 'clean', gitCommit: '' };
  const stamped = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  return stamped.flatMap((at) => Object.entries(values).map(([field, value]) => `-X ${at}.${field}=${value}`));
}
