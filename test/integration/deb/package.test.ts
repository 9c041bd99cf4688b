import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Network } from '../../../lab/net/network.ts';
import { findRoot } from '../../../lab/servers/root.ts';
import { bootServer, type Server } from '../../../lab/servers/server.ts';
import type { EdgeStatus, NetworkStatus } from '../../../src/model/status.ts';
import { architectures } from '../../../tools/deb/control.ts';
import { buildPackage } from '../../../tools/deb/package.ts';
import { eventuallyWith } from '../../support/eventually.ts';

const run = promisify(execFile);
const eventually = eventuallyWith({ timeoutMs: 60_000, everyMs: 200 });
const repository = resolve(import.meta.dirname, '../../..');
const network = new Network();
const bridge = { namespace: 'switch', device: 'br0' };
const unique = `${Date.now() % 100_000}`;
let folder: string;
let first: string;
let second: string;
let worker: Server;
let blade: Server;

const build = (place: string, version: string): Promise<string> => {
  const architecture = architectures.find(({ node }) => node === process.arch);
  if (architecture === undefined) throw new Error(`no package is made for ${process.arch}`);
  return buildPackage({
    version,
    architecture,
    epoch: 1_790_000_000,
    folder: join(folder, place),
    say: () => undefined,
  });
};

beforeAll(async () => {
  const root = await findRoot(process.env);
  folder = await mkdtemp(join(tmpdir(), 'tideline-package-'));
  await network.addNamespace(bridge.namespace);
  await network.batch(bridge.namespace, [`link add ${bridge.device} type bridge`, `link set ${bridge.device} up`]);
  const boot = (name: string, address: string): Promise<Server> =>
    bootServer({ name: `${name}${unique}`, root, folder: join(folder, name), network, bridge, addresses: [address] });
  first = await build('first', '1.0.0');
  second = await build('second', '1.0.1');
  [worker, blade] = await Promise.all([boot('w', '10.1.0.11/24'), boot('b', '10.1.0.21/24')]);
  for (const server of [worker, blade]) {
    await server.copyIn(first, `/srv/${basename(first)}`);
    await server.copyIn(second, `/srv/${basename(second)}`);
    await server.copyIn(join(repository, 'examples/hybrid'), '/etc/tideline/platform');
    await server.write('/etc/tideline/kubeconfig', 'no cluster\n', 0o600);
    // The root filesystem of the lab's servers leaves manual pages out; and no disk of a test outlives it.
    await server.exec('echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/99mmdebstrap');
    for (const agent of ['edge', 'network']) await readManifests(server, agent);
  }
});

afterAll(async () => {
  await Promise.all([worker?.remove(), blade?.remove()]);
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

/** The agents read the manifest folders that the example names, and no cluster. */
async function readManifests(server: Server, agent: string): Promise<void> {
  const unit = await readFile(join(repository, `deploy/systemd/tideline-${agent}-agent.service`), 'utf8');
  const start = /^ExecStart=[^]*?[^\\]$/m.exec(unit)?.[0] ?? '';
  const text = `[Service]\nExecStart=\n${start.replace(/^.*--kubeconfig.*\n/m, '')}\n`;
  await server.write(`/etc/systemd/system/tideline-${agent}-agent.service.d/manifests.conf`, text);
}

const fetchText = 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())';

const status = async <T>(server: Server, address: string): Promise<T> =>
  JSON.parse(await server.exec(`python3 -c '${fetchText}' http://${address}/status`)) as T;

describe('the package', () => {
  test('has the same bytes when it is built again', async () => {
    const again = await build('again', '1.0.0');
    expect((await readFile(again)).equals(await readFile(first))).toBe(true);
  });

  test('is smaller than 80 MB, and has nothing but what runs', async () => {
    expect((await stat(first)).size).toBeLessThan(80e6);
    const { stdout } = await run('dpkg-deb', ['--contents', first], { maxBuffer: 16 << 20 });
    const lines = stdout.trim().split('\n');
    const names = lines.map((line) => line.replace(/^(?:\S+\s+){5}/, '')).filter((name) => !name.endsWith('/'));
    expect(names.length).toBeLessThan(6000);
    const places = names.map((name) => /^\.\/(?:opt\/tideline\/[^/]+|[^/]+\/[^/]+\/[^/]+)/.exec(name)?.[0]);
    expect(new Set(places)).toEqual(
      new Set([
        './lib/systemd/system',
        './opt/tideline/bin',
        './opt/tideline/deploy',
        './opt/tideline/docs',
        './opt/tideline/node_modules',
        './opt/tideline/package.json',
        './opt/tideline/src',
        './usr/bin/tideline -> ',
        './usr/lib/sysusers.d',
        './usr/lib/tmpfiles.d',
        './usr/share/doc',
        './usr/share/man',
      ]),
    );
    expect(names.filter((name) => /\.ts$|\.map$|\/tests?\/|\/(?:vitest|typescript|npm|@biomejs)\//.test(name))).toEqual(
      [],
    );
    expect(lines.filter((line) => !/^(?:[-d]rw-r--r--|[-d]rwxr-xr-x|l\S+) root\/root /.test(line))).toEqual([]);
  });
});

describe('a server with the package', () => {
  test('has commands, manual page and units, and runs nothing yet', async () => {
    for (const server of [worker, blade]) await server.exec(`dpkg -i /srv/${basename(first)}`);
    expect(await worker.exec('tideline --version')).toMatch(/^tideline 1\.0\.0 \(Node 24\./);
    expect(await worker.exec('zcat /usr/share/man/man1/tideline.1.gz | head -2')).toContain('.TH TIDELINE 1');
    expect(await worker.exec('dpkg --verify tideline')).toBe('');
    const said = await worker.exec(
      `systemctl is-enabled 'tideline-*' 2>&1 || true; systemctl list-units --no-legend 'tideline*'`,
    );
    expect(said).not.toMatch(/enabled|running/);
    expect(await worker.exec('stat -c "%U %a" /var/lib/tideline/edge')).toBe('tideline 700\n');
  });

  test('becomes a worker, whose agent says what it announces', async () => {
    await worker.exec('/opt/tideline/deploy/install worker paris paris-worker-1 10.1.0.11');
    await eventually('the block of its pods is announced', async () => {
      const { announced } = await status<NetworkStatus>(worker, '10.1.0.11:9463');
      return announced.some(({ prefix }) => prefix === '10.10.1.0/26');
    });
    expect(await worker.exec('ls /etc/systemd/system/tideline-network-agent.service 2>&1 || true')).toContain(
      'No such file',
    );
  });

  test('becomes a blade, whose nginx serves and whose agent answers', async () => {
    await blade.exec('/opt/tideline/deploy/install blade paris-edge paris-blade-1');
    await eventually('the agent is in charge of nginx', async () => {
      const { vips } = await status<EdgeStatus>(blade, '10.1.0.21:9464');
      return vips.length > 0;
    });
    expect(await blade.exec('systemctl is-active tideline-nginx tideline-exabgp tideline-edge-agent')).toBe(
      'active\n'.repeat(3),
    );
    expect(await blade.exec('dpkg --verify tideline')).toBe('');
  });

  test('goes on with what runs when the package is upgraded, until it is restarted', async () => {
    const pids = (): Promise<string> => worker.exec('systemctl show -P MainPID tideline-network-agent tideline-exabgp');
    const before = await pids();
    await worker.exec(`dpkg -i /srv/${basename(second)}`);
    expect(await worker.exec('tideline --version')).toMatch(/^tideline 1\.0\.1 /);
    expect(await pids()).toBe(before);
    await worker.exec('systemctl restart tideline-network-agent');
    await eventually('the new agent answers', async () => {
      const { announced } = await status<NetworkStatus>(worker, '10.1.0.11:9463');
      return announced.length > 0;
    });
  });

  test('stops and disables everything when the package is removed, and forgets what agents wrote when it is purged', async () => {
    await worker.exec('dpkg --remove tideline');
    expect(await worker.exec(`systemctl list-units --no-legend --state=running 'tideline*'`)).toBe('');
    expect(await worker.exec('find /etc/systemd/system -name "tideline*" -type l')).toBe('');
    expect(await worker.exec('ls /var/lib/tideline')).toContain('network');
    await worker.exec('dpkg --purge tideline');
    expect(
      await worker.exec('ls -d /opt/tideline /var/lib/tideline /var/cache/tideline /run/tideline 2>/dev/null || true'),
    ).toBe('');
    expect(await worker.exec('ls /etc/tideline')).toBe('kubeconfig\nplatform\nserver.env\n');
    expect(await worker.exec('systemctl is-system-running')).toBe('running\n');
  });
});
