import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinaries } from '../../../lab/control-plane/binaries.ts';
import { Network } from '../../../lab/net/network.ts';
import { findNodePrograms } from '../../../lab/servers/programs.ts';
import { findRoot, rootKey, sources } from '../../../lab/servers/root.ts';
import { bootServer, type Server } from '../../../lab/servers/server.ts';
import { eventuallyWith } from '../../support/eventually.ts';

const run = promisify(execFile);
const eventually = eventuallyWith({ timeoutMs: 30_000, everyMs: 100 });
const network = new Network();
const bridge = { namespace: 'switch', device: 'br0' };
let folder: string;
let root: string;
let alpha: Server;
let beta: Server;

/** The control groups of servers on this machine, of whatever test. */
async function groups(): Promise<readonly string[]> {
  const { stdout } = await run('find', ['/sys/fs/cgroup', '-type', 'd', '-name', 'tideline-server-*', '-prune']);
  return stdout.split('\n').filter((line) => line !== '');
}

const groupsOf = async (name: string): Promise<readonly string[]> =>
  (await groups()).filter((group) => group.includes(`tideline-server-${name}-`));

const boot = (name: string, address: string): Promise<Server> =>
  bootServer({ name, root, folder: join(folder, name), network, bridge, addresses: [address] });

/** Names that no other run on this machine has, because control groups are the whole machine's. */
const unique = `${Date.now() % 100_000}`;
const names = { alpha: `a${unique}`, beta: `b${unique}`, orphan: `o${unique}` };

beforeAll(async () => {
  root = await findRoot(process.env);
  folder = await mkdtemp(join(tmpdir(), 'tideline-servers-'));
  await network.addNamespace(bridge.namespace);
  await network.batch(bridge.namespace, [`link add ${bridge.device} type bridge`, `link set ${bridge.device} up`]);
  [alpha, beta] = await Promise.all([boot(names.alpha, '10.77.0.1/24'), boot(names.beta, '10.77.0.2/24')]);
});

afterAll(async () => {
  await Promise.all([alpha?.remove(), beta?.remove()]);
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe('servers', () => {
  test('run systemd and reach each other', async () => {
    expect(await alpha.exec('hostname; systemctl is-system-running')).toBe(`${names.alpha}\nrunning\n`);
    expect(await alpha.exec('ping -c 1 -W 5 10.77.0.2')).toContain('1 received');
    expect(await beta.exec('ping -c 1 -W 5 10.77.0.1')).toContain('1 received');
  });

  test('have units, files and control groups of their own', async () => {
    await alpha.write('/etc/systemd/system/answer.service', '[Service]\nExecStart=/bin/sleep 3600\n');
    await alpha.exec('systemctl daemon-reload; systemctl start answer');
    expect(await alpha.exec('systemctl is-active answer')).toBe('active\n');
    await expect(beta.exec('systemctl start answer')).rejects.toThrow('answer.service not found');
    expect(await alpha.exec('mkdir /sys/fs/cgroup/pids/made; rmdir /sys/fs/cgroup/pids/made; echo writable')).toBe(
      'writable\n',
    );
    await alpha.exec('systemctl stop answer; rm /etc/systemd/system/answer.service; systemctl daemon-reload');
  });

  test('take files, and show them outside, also while they are off', async () => {
    const file = join(folder, 'script.sh');
    await writeFile(file, '#!/bin/sh\necho copied\n', { mode: 0o755 });
    await beta.copyIn(file, '/usr/local/bin/script');
    expect(await beta.exec('script')).toBe('copied\n');
    expect(await beta.exec('cat >/srv/input; wc -c </srv/input', 'twelve bytes')).toBe('12\n');
    expect(await readFile(beta.outside('/srv/input'), 'utf8')).toBe('twelve bytes');
    expect(await beta.powerOff()).toBe(true);
    expect(beta.running).toBe(false);
    expect(await readFile(beta.outside('/srv/input'), 'utf8')).toBe('twelve bytes');
    await expect(beta.exec('true')).rejects.toThrow('is off');
    await beta.powerOn();
    expect(await beta.exec('cat /srv/input')).toBe('twelve bytes');
  });

  test('lose what was in memory with their power, and keep their disk', async () => {
    await alpha.exec('echo kept >/srv/kept; sync; echo lost >/run/lost; echo image >/var/lib/containerd/image');
    const id = await alpha.exec('cat /etc/machine-id');
    await alpha.powerCut();
    expect(await groupsOf(names.alpha)).toEqual([]);
    expect(await network.ip(bridge.namespace, 'link')).not.toContain(names.alpha);
    await alpha.powerOn();
    expect(await alpha.exec('cat /srv/kept /var/lib/containerd/image; [ ! -e /run/lost ] && echo gone')).toBe(
      'kept\nimage\ngone\n',
    );
    expect(await alpha.exec('cat /etc/machine-id')).toBe(id);
    expect(await beta.exec('ping -c 1 -W 5 10.77.0.1')).toContain('1 received');
  });

  test('restart in order', async () => {
    await beta.exec('touch /run/before');
    await beta.restart();
    expect(await beta.exec('[ ! -e /run/before ] && systemctl is-system-running')).toBe('running\n');
  });

  test('a unit that fails at the start fails the start, with its name', async () => {
    await beta.write(
      '/etc/systemd/system/broken.service',
      '[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n',
    );
    await beta.exec('systemctl --quiet enable broken');
    await beta.powerOff();
    await expect(beta.powerOn()).rejects.toThrow('broken.service');
    await beta.exec('systemctl --quiet disable broken');
    await beta.restart();
  });

  test('end with their owner when it is killed', async () => {
    const program = join(import.meta.dirname, '../../support/servers/owner.ts');
    const owner = spawn(process.execPath, [program, root, join(folder, names.orphan), names.orphan], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const init = Number((await new Promise<Buffer>((resolve) => owner.stdout.once('data', resolve))).toString());
    expect(await readdir(`/proc/${init}`)).toContain('comm');
    owner.kill('SIGKILL');
    await eventually('the processes of the server are gone', async () => {
      const processes = await Promise.all(
        (await groupsOf(names.orphan)).map((group) =>
          run('find', [group, '-name', 'cgroup.procs', '-exec', 'cat', '{}', '+']),
        ),
      );
      return processes.every(({ stdout }) => stdout === '');
    });
    expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(join(folder, names.orphan));

    // Its control groups are empty. The next server of this owner removes them once they are old.
    const left = await groupsOf(names.orphan);
    expect(left).not.toEqual([]);
    await beta.restart();
    expect(await groupsOf(names.orphan)).toEqual(left);
    await Promise.all(left.map((group) => utimes(group, 0, 0)));
    await beta.restart();
    expect(await groupsOf(names.orphan)).toEqual([]);
  });

  test('leave nothing', async () => {
    await Promise.all([alpha.remove(), beta.remove()]);
    expect([...(await groupsOf(names.alpha)), ...(await groupsOf(names.beta))]).toEqual([]);
    expect(await network.ip(bridge.namespace, 'link')).not.toMatch(new RegExp(`${names.alpha}|${names.beta}`));
    expect((await run('ip', ['netns', 'list'])).stdout).not.toMatch(new RegExp(`${names.alpha}|${names.beta}`));
    expect((await readdir(folder)).filter((name) => name === names.alpha || name === names.beta)).toEqual([]);
  });
});

describe('make servers', () => {
  test('again does nothing and says nothing', async () => {
    const { stdout, stderr } = await run(process.execPath, [join(sources, 'build.ts')]);
    expect([stdout, stderr.replaceAll(/.*ExperimentalWarning.*\n|.*--trace-warnings.*\n/g, '')]).toEqual(['', '']);
  });

  test('every program of a node tells the version that go.mod names', async () => {
    const programs = await findNodePrograms(process.env);
    const modules = await readFile(join(sources, 'programs/go.mod'), 'utf8');
    const kubernetes = /k8s\.io\/kubernetes (v\S+)/.exec(modules)?.[1];
    const etcd = /etcdctl\/v3 v(\S+)/.exec(modules)?.[1];
    for (const name of ['kubelet', 'kube-proxy'])
      expect((await run(join(programs, name), ['--version'])).stdout).toBe(`Kubernetes ${kubernetes}\n`);
    for (const name of ['etcdctl', 'etcdutl'])
      expect((await run(join(programs, name), ['version'])).stdout).toContain(`${name} version: ${etcd}\n`);
    const plugin = { env: { ...process.env, CNI_COMMAND: 'VERSION' } };
    for (const name of ['calico', 'calico-ipam']) {
      const answer = run(join(programs, name), [], plugin);
      answer.child.stdin?.end('{"cniVersion":"0.3.1"}');
      expect(JSON.parse((await answer).stdout)).toMatchObject({ supportedVersions: expect.arrayContaining(['0.3.1']) });
    }
    // They are the releases of the control plane.
    expect(modules).toContain(`k8s.io/kubernetes ${(await findBinaries(process.env)).versions.kubernetes}`);
  });

  test('nothing made is an error that says what to run', async () => {
    const nowhere = { XDG_CACHE_HOME: join(tmpdir(), 'tideline-no-such-cache') };
    await expect(findNodePrograms(nowhere)).rejects.toThrow('run: make servers');
    await expect(findRoot(nowhere)).rejects.toThrow('run: make servers');
    expect(await rootKey()).toMatch(/^bookworm-[0-9a-f]{16}-/);
  });
});
