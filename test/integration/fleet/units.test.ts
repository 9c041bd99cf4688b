import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileFleet } from '../../../src/planes/fleet/compile/compile.ts';
import { fleetPlatform, shippedUnits } from '../../support/fleet.ts';

const { documents } = compileFleet(fleetPlatform(), shippedUnits());
const servers = [...documents.values()].flatMap(({ components }) => components);
const units = new Map(servers.flatMap((component) => Object.entries(component.units)));
const text = (path: string) => servers.map(({ files }) => files[path]?.text).find((found) => found !== undefined) ?? '';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-units-'));
  for (const [name, unit] of units) await writeFile(join(folder, name), unit.text);
});
afterAll(() => rm(folder, { recursive: true }));

/** What a program says on both outputs, whatever its exit code. */
async function said(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: folder }).catch((error: unknown) => {
    if (error instanceof Error && 'stdout' in error && 'stderr' in error)
      return error as unknown as Record<'stdout' | 'stderr', string>;
    throw error;
  });
  return stdout + stderr;
}

it('systemd takes every unit: it misses the programs alone, which are not here', async () => {
  const names = [...units.keys()].map((name) => join(folder, name));
  const lines = (await said('systemd-analyze', 'verify', '--man=no', ...names)).split('\n');
  const ours = lines.filter((line) => [...units.keys()].some((name) => line.includes(name)));
  expect(ours.filter((line) => !line.includes('is not executable'))).toEqual([]);
});

/** How much a unit leaves open, by `systemd-analyze security`: 0 is nothing, 10 all. containerd and kubelet mount for pods and are root. */
const exposures = {
  'etcd.service': 1.5,
  'etcd-snapshot.service': 1.5,
  'kube-apiserver.service': 1.5,
  'kube-controller-manager.service': 1.5,
  'kube-scheduler.service': 1.5,
  'kube-proxy.service': 2,
  'calico-felix.service': 2.5,
  'tideline-api-vip.service': 1.7,
  'tideline-api-vip-address.service': 2.1,
} as const;

it.each(Object.entries(exposures))('%s leaves at most %f open', async (unit, most) => {
  const report = await said('systemd-analyze', 'security', '--offline=true', '--no-pager', join(folder, unit));
  const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(report) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(most);
});

it('every unit of ours has a bound above, but for those that mount for pods', () => {
  const rendered = [...units.keys()].filter((name) => name.endsWith('.service') && !(name in shippedUnits()));
  expect(rendered.toSorted()).toEqual(['containerd.service', 'kubelet.service', ...Object.keys(exposures)].toSorted());
});

it('ExaBGP takes the configuration of a control plane', async () => {
  const conf = join(folder, 'exabgp.conf');
  await writeFile(conf, text('/etc/tideline-api-vip/exabgp.conf'));
  const report = await said('/usr/sbin/exabgp', '--test', conf);
  expect(report).not.toMatch(/error|invalid|unknown|missing/i);
});

it("ExaBGP's health check takes its configuration, and announces the VIP of an API server that is ready", async () => {
  const conf = join(folder, 'healthcheck.conf');
  const once = text('/etc/tideline-api-vip/healthcheck.conf')
    .replace(/^command = .*$/m, 'command = /bin/true')
    .replace(/^interval = .*$/m, 'interval = 0');
  await writeFile(conf, once);
  const report = await said('/usr/bin/python3', '-m', 'exabgp', 'healthcheck', '--config', conf);
  expect(report).toContain('announce route 192.0.0.1/32 next-hop self');
});

it('the shell takes the script of snapshots', async () => {
  const script = join(folder, 'etcd-snapshot');
  await writeFile(script, text('/usr/local/lib/tideline/etcd-snapshot'));
  expect(await said('/bin/sh', '-n', script)).toBe('');
});
