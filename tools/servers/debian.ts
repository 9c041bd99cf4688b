import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { release, sources } from '../../lab/servers/root.ts';

/** Where Debian keeps the addresses of its mirrors; the first that names the release is used. */
const mirrors = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
/** What a server does not need: it is a third of the size. */
const trimmed = ['doc', 'man', 'locale', 'info', 'lintian'].map((name) => `/usr/share/${name}/*`);
/** Debian starts these when the machine starts. A bare server runs none of them: who builds a cluster enables what it needs. */
const disabled = ['containerd.service', 'exabgp.service', 'nginx.service', 'ssh.service', 'e2scrub_reap.service'];
const noTimers = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
];

/** Makes the root filesystem of a server in `target`, which must not exist. `say` gets a line for each step. */
export async function makeRoot(target: string, say: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-root-'));
  try {
    const options = join(folder, 'apt.conf');
    await writeFile(options, await ownAptSettings());
    const mirror = await ownMirror();
    const args = [
      '--variant=minbase',
      '--format=directory',
      `--include=${(await packages()).join(',')}`,
      `--aptopt=${options}`,
      // A root filesystem that is not whole is thrown away: nothing has to be on the disk at each step.
      '--dpkgopt=force-unsafe-io',
      ...trimmed.map((path) => `--dpkgopt=path-exclude=${path}`),
      ...hooks().map((hook) => `--customize-hook=${hook}`),
      release,
      target,
      ...(mirror === undefined ? [] : [mirror]),
    ];
    await mmdebstrap(args, say);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function packages(): Promise<readonly string[]> {
  const lines = (await readFile(join(sources, 'packages.txt'), 'utf8')).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** The root gets `$1`. Each server makes its own SSH keys and machine id; an absent id would switch every service on again. */
function hooks(): readonly string[] {
  return [
    `copy-in ${join(sources, 'cgroups.service')} /etc/systemd/system`,
    'systemctl --root="$1" --quiet enable cgroups.service',
    `systemctl --root="$1" --quiet disable ${disabled.join(' ')}`,
    `systemctl --root="$1" --quiet mask ${noTimers.join(' ')}`,
    'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/hostname',
    ': >"$1/etc/machine-id"',
  ];
}

/** The mirror of this machine, if it is of the release; otherwise mmdebstrap's own choice. */
async function ownMirror(): Promise<string | undefined> {
  for (const file of mirrors) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (new RegExp(`\\b${release}\\b`).test(text)) return file;
  }
  return undefined;
}

/** How this machine reaches its mirror: proxies, and whether old lists are taken. */
async function ownAptSettings(): Promise<string> {
  const { stdout } = await promisify(execFile)('apt-config', ['dump']);
  const wanted = stdout.split('\n').filter((line) => /^Acquire::(Check-|https?::)\S+ "[^"]+";$/.test(line));
  return `${wanted.join('\n')}\n`;
}

async function mmdebstrap(args: readonly string[], say: (line: string) => void): Promise<void> {
  const child = spawn('mmdebstrap', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const forward = (signal: NodeJS.Signals): boolean => child.kill(signal);
  process.on('SIGTERM', forward).on('SIGINT', forward);
  const said: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    said.push(line);
    const step = /^I: (.*?)\.{3}$/.exec(line)?.[1];
    if (step !== undefined) say(step);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (status) => resolve(status ?? 1));
  });
  process.removeListener('SIGTERM', forward).removeListener('SIGINT', forward);
  if (code !== 0) throw new Error(`mmdebstrap failed:\n${said.slice(-15).join('\n')}`);
}
