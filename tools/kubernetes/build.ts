import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import {
  buildsFolder,
  completeBuilds,
  sources,
  sourcesKey,
  type Versions,
  versionsFile,
} from '../../lab/control-plane/binaries.ts';
import { messageOf } from '../../src/model/values.ts';
import { underLock } from '../under-lock.ts';
import { atLeast, go, goVersion } from './go.ts';
import { Progress } from './progress.ts';

/**
 * `make kubernetes`: builds etcd, the Kubernetes control plane, kubectl, kwok and calico-ipam into the cache folder, once for
 * each state of the sources and each compiler. Nothing to do costs nothing. A build is made beside its place and moved there
 * when it is whole; a lock lets one build work at a time.
 */
const builds = buildsFolder(process.env);
const kwokFolder = join(sources, 'kwok');
const programs = ['etcd', 'etcdutl', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
const ours = ['./control-plane', './calico-ipam'];
const kwok = 'sigs.k8s.io/kwok/cmd/kwok';
const calico = 'github.com/projectcalico/calico';
/** The release of the commit that go.mod names: Calico's tags are no versions of its module. */
const calicoRelease = 'v3.31.0';
const unfinished = 'unfinished-';
const keptBuilds = 2;

async function main(locked: boolean): Promise<number> {
  const key = await sourcesKey();
  const compiler = await goVersion();
  const found = await completeBuilds(builds, key);
  const wanted = compiler === undefined ? found[0] : join(builds, `${key}-${compiler}`);
  if (wanted !== undefined && found.includes(wanted)) {
    await utimes(wanted, new Date(), new Date());
    return 0;
  }
  const modules = await requirements(sources);
  const needed = /^go (\S+)$/m.exec(await readFile(join(sources, 'go.mod'), 'utf8'))?.[1] ?? '0';
  if (compiler === undefined) return refuse('there is no Go on the PATH', needed);
  if (!atLeast(compiler, needed)) return refuse(`Go ${needed} or newer is needed, this is ${compiler}`, needed);
  if (!locked)
    return await underLock(builds, import.meta.filename, () => {
      process.stderr.write('kubernetes: another build is at work; waiting for it\n');
    });
  await build(`${key}-${compiler}`, {
    kubernetes: modules('k8s.io/kubernetes'),
    etcd: modules('go.etcd.io/etcd/server/v3'),
    calico: calicoRelease,
    kwok: (await requirements(kwokFolder))('sigs.k8s.io/kwok'),
    go: compiler,
  });
  await prune();
  return 0;
}

function refuse(what: string, needed: string): number {
  process.stderr.write(
    `kubernetes: ${what}\nkubernetes: fix: install Go ${needed} or newer (https://go.dev/dl) and put it on the PATH\n`,
  );
  return 1;
}

/** What a go.mod requires, by module. */
async function requirements(folder: string): Promise<(module: string) => string> {
  const text = await readFile(join(folder, 'go.mod'), 'utf8');
  return (module) => new RegExp(`^\\s*(?:require )?${module} (v\\S+)`, 'm').exec(text)?.[1] ?? '';
}

async function build(name: string, versions: Versions): Promise<void> {
  const progress = new Progress();
  progress.say(`building Kubernetes ${versions.kubernetes}, etcd, Calico's allocator and kwok with ${versions.go}`);
  progress.say('once: 10 to 15 minutes on 2 idle cores, 0.25 GB of downloads, 4 GB in the caches of Go');
  for (const left of await readdir(builds))
    if (left.startsWith(unfinished)) await rm(join(builds, left), { recursive: true, force: true });
  const folder = join(builds, `${unfinished}${process.pid}`);
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  await compile(progress, sources, ours, `${bin}/`, stamps(versions));
  progress.say('the control plane is built; now kwok');
  await compile(progress, kwokFolder, [kwok], `${bin}/`, []);
  for (const program of programs) await symlink('control-plane', join(bin, program));
  await copyCrds(join(folder, 'crds', 'calico'));
  await writeFile(join(folder, versionsFile), `${JSON.stringify(versions, undefined, 2)}\n`);
  await rename(folder, join(builds, name));
  progress.say(`done in ${progress.elapsed()}: ${join(builds, name)}`);
}

/** The version that the programs tell. There is no commit and no date in a module, and today's date would change the bytes. */
function stamps({ kubernetes }: Versions): readonly string[] {
  const [major = '', minor = ''] = kubernetes.slice(1).split('.');
  const values = { gitVersion: kubernetes, gitMajor: major, gitMinor: minor, gitTreeState: 'clean', gitCommit: '' };
  const stamped = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const flags = stamped.flatMap((at) => Object.entries(values).map(([field, value]) => `-X ${at}.${field}=${value}`));
  return [...flags, '-X go.etcd.io/etcd/api/v3/version.GitSHA=unknown'];
}

/** Listing the packages that are not compiled yet downloads the modules that they are in. */
async function compile(
  progress: Progress,
  folder: string,
  packages: readonly string[],
  output: string,
  stamped: readonly string[],
): Promise<void> {
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...stamped].join(' ')];
  let downloads = 0;
  const template = '{{if .Stale}}{{.ImportPath}}{{end}}';
  const stale = await go(['list', '-deps', ...flags, '-f', template, ...packages], folder, (line) => {
    if (!line.startsWith('go: downloading')) return;
    downloads += 1;
    progress.update(`downloaded ${downloads} modules`);
  });
  // The programs themselves are always stale here: their stamps are.
  const total = stale.filter((line) => line !== '').length - packages.length;
  let compiled = 0;
  const timer = setInterval(() => {
    const percent = Math.floor((100 * compiled) / Math.max(total, 1));
    progress.update(compiled < total ? `compiled ${compiled} of ${total} packages (${percent} %)` : 'linking');
  }, 200);
  try {
    await go(['build', '-v', ...flags, '-o', output, ...packages], folder, (line) => {
      if (!line.startsWith('#') && !line.startsWith('go: ')) compiled += 1;
    });
  } finally {
    clearInterval(timer);
  }
}

async function copyCrds(target: string): Promise<void> {
  const [module = ''] = await go(['list', '-m', '-f', '{{.Dir}}', calico], sources);
  const source = join(module, 'libcalico-go', 'config', 'crd');
  await mkdir(target, { recursive: true });
  for (const file of await readdir(source))
    if (file.endsWith('.yaml')) await copyFile(join(source, file), join(target, file));
}

/** Keeps the builds used last, and what a process still runs. */
async function prune(): Promise<void> {
  const names = (await readdir(builds)).filter((name) => /^[0-9a-f]{16}-/.test(name));
  const ages = await Promise.all(
    names.map(async (name) => ({ name, usedAt: (await stat(join(builds, name))).mtimeMs })),
  );
  const old = ages.sort((a, b) => b.usedAt - a.usedAt).slice(keptBuilds);
  const running = await executables();
  for (const { name } of old)
    if (!running.some((file) => file.startsWith(`${join(builds, name)}/`)))
      await rm(join(builds, name), { recursive: true });
}

async function executables(): Promise<readonly string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return await Promise.all(processes.map((id) => readlink(`/proc/${id}/exe`).catch(() => '')));
}

process.exitCode = await main(process.argv.includes('--locked')).catch((error: unknown) => {
  process.stderr.write(`kubernetes: ${messageOf(error)}\n`);
  return 1;
});
