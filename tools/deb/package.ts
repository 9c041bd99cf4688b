import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Architecture, controlText, sumsText } from './control.ts';
import { copyModules } from './modules.ts';
import { writeProgram } from './program.ts';

export const checkout = resolve(import.meta.dirname, '../..');
const scripts = join(import.meta.dirname, 'scripts');
const run = promisify(execFile);
/** Where units of `deploy/systemd` look for the program. */
const home = 'opt/tideline';

export interface PackageOptions {
  readonly version: string;
  readonly architecture: Architecture;
  /** Seconds since 1970: the time of every file. */
  readonly epoch: number;
  /** Where the package is written; the folder is made. */
  readonly folder: string;
  readonly say: (step: string) => void;
}

/** Makes the package; resolves with its path. Equal options and an equal checkout give equal bytes. */
export async function buildPackage(options: PackageOptions): Promise<string> {
  const { version, architecture, epoch, folder, say } = options;
  if (!/^\d[A-Za-z0-9.+~]*$/.test(version)) throw new Error(`${version} is no version that Debian takes`);
  const root = await mkdtemp(join(tmpdir(), 'tideline-deb-'));
  try {
    say('the program');
    await mkdir(join(root, home), { recursive: true });
    await writeProgram(checkout, join(root, home), version);
    say('npm packages and Node');
    await copyModules(checkout, join(root, home));
    await placeNode(root, architecture);
    await placeForSystem(root, epoch);
    await setModes(root);
    await writeControl(root, version, architecture.debian);
    say('packing');
    await mkdir(folder, { recursive: true });
    const file = join(folder, `tideline_${version}_${architecture.debian}.deb`);
    const how = ['--root-owner-group', '-Zzstd', '-z9', '--threads-max=1'];
    await run('dpkg-deb', [...how, '--build', root, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    });
    return file;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** The pinned Node: that of this checkout, or for another processor the one of the same version that npm has. */
async function placeNode(root: string, { node }: Architecture): Promise<void> {
  const target = join(root, home, 'node_modules/node/bin/node');
  await mkdir(dirname(target), { recursive: true });
  if (node === process.arch) {
    await copyFile(join(checkout, 'node_modules/node/bin/node'), target);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'tideline-node-'));
  try {
    const spec = `node-linux-${node}@${process.versions.node}`;
    const { stdout } = await run('npm', ['pack', spec, '--silent', '--pack-destination', folder]);
    await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', folder, 'package/bin/node']);
    await copyFile(join(folder, 'package/bin/node'), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What systemd, man and the shell look for in places of their own. */
async function placeForSystem(root: string, epoch: number): Promise<void> {
  const shipped = join(checkout, 'deploy/systemd');
  const units = (await readdir(shipped)).filter((name) => /\.(service|target)$/.test(name));
  for (const unit of units) await place(root, `lib/systemd/system/${unit}`, await readFile(join(shipped, unit)));
  for (const kind of ['sysusers', 'tmpfiles'])
    await place(root, `usr/lib/${kind}.d/tideline.conf`, await readFile(join(shipped, `tideline.${kind}.conf`)));
  const page = await readFile(join(checkout, 'docs/reference/tideline.1'));
  await place(root, 'usr/share/man/man1/tideline.1.gz', gzipSync(page, { level: 9 }));
  const doc = 'usr/share/doc/tideline';
  await place(root, `${doc}/copyright`, await readFile(join(scripts, 'copyright')));
  await place(root, `${doc}/changelog.gz`, gzipSync(changelog(epoch), { level: 9 }));
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await symlink(`/${home}/bin/tideline`, join(root, 'usr/bin/tideline'));
}

const changelog = (epoch: number): string =>
  `tideline (of ${new Date(epoch * 1000).toISOString().slice(0, 10)})\n\n  * The log of the repository says what changed.\n`;

async function place(root: string, path: string, content: Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

/** Whatever the umask of who builds: what a script or a program is may be run, everything may be read. */
async function setModes(root: string): Promise<void> {
  await chmod(root, 0o755);
  const runs = new Set([`${home}/bin/tideline`, `${home}/node_modules/node/bin/node`]);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) {
      const name = path.slice(root.length + 1);
      const script = name.startsWith(`${home}/deploy/`) && ((await stat(path)).mode & 0o100) !== 0;
      await chmod(path, runs.has(name) || script ? 0o755 : 0o644);
    }
  }
}

async function writeControl(root: string, version: string, architecture: string): Promise<void> {
  const files = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
  const sums: [string, string][] = [];
  let bytes = 0;
  for (const path of files) {
    const content = await readFile(join(root, path));
    bytes += content.length;
    sums.push([path, createHash('md5').update(content).digest('hex')]);
  }
  const control = join(root, 'DEBIAN');
  await mkdir(control, { mode: 0o755 });
  const kibibytes = Math.ceil(bytes / 1024);
  await writeFile(join(control, 'control'), controlText({ version, architecture, kibibytes }), { mode: 0o644 });
  await writeFile(join(control, 'md5sums'), sumsText(sums), { mode: 0o644 });
  for (const name of ['postinst', 'prerm', 'postrm']) {
    await copyFile(join(scripts, name), join(control, name));
    await chmod(join(control, name), 0o755);
  }
}
