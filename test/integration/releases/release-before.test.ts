import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import { Network } from '../../../lab/net/network.ts';
import { agentPorts } from '../../../src/model/contract.ts';
import type { EdgeStatus, NetworkStatus } from '../../../src/model/status.ts';
import { compileCache } from '../../support/compile-cache.ts';
import { eventuallyWith } from '../../support/eventually.ts';
import { writeReleaseBefore } from '../../support/release-before.ts';

/**
 * In the middle of an upgrade: one blade and one worker of the release before beside a blade of today, on one spec. They have neither nginx nor ExaBGP
 * here; what is tested is what they understand of the spec and of each other.
 */
const agents = {
  'paris-blade-1': {
    is: 'before',
    address: '10.1.0.21',
    plane: 'edge',
    more: ['--pool', 'paris-edge', '--blade', 'paris-blade-1'],
  },
  'paris-blade-2': {
    is: 'today',
    address: '10.1.0.22',
    plane: 'edge',
    more: ['--pool', 'paris-edge', '--blade', 'paris-blade-2'],
  },
  'paris-worker-1': {
    is: 'before',
    address: '10.1.0.11',
    plane: 'network',
    more: ['--cluster', 'paris', '--node', 'paris-worker-1'],
  },
} as const;
type Name = keyof typeof agents;
const names = Object.keys(agents) as readonly Name[];
const main = 'src/cli/main.ts';
const eventually = eventuallyWith({ timeoutMs: 60_000, everyMs: 250 });
const network = new Network();
const running: Daemon[] = [];
let folder: string;
let spec: string;

async function statusOf<Status = EdgeStatus>(name: Name): Promise<Status> {
  const { address, plane } = agents[name];
  return (await (await fetch(`http://${address}:${agentPorts[plane]}/status`)).json()) as Status;
}

async function start(name: Name): Promise<void> {
  const { is, address, plane, more } = agents[name];
  await network.ip('own', 'address', 'replace', `${address}/32`, 'dev', 'lo');
  const runDir = join(folder, name);
  await mkdir(runDir);
  const at = ['--metrics-address', `${address}:${agentPorts[plane]}`, '--run-dir', runDir];
  running.push(
    startDaemon({
      network,
      namespace: 'own',
      command: process.execPath,
      args: [
        is === 'before' ? join(folder, 'before', main) : resolve(main),
        plane,
        'agent',
        '--platform',
        spec,
        ...more,
        ...at,
      ],
      logFile: join(folder, `${name}.log`),
      env: { NODE_COMPILE_CACHE: is === 'before' ? join(compileCache, 'before') : compileCache },
    }),
  );
}

/** What a command of today says, whatever its exit code is. */
async function tideline(...words: readonly string[]): Promise<string> {
  const { promise, resolve: done } = Promise.withResolvers<string>();
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache, XDG_STATE_HOME: folder };
  const command = ['--disable-warning=ExperimentalWarning', main, ...words];
  execFile(process.execPath, command, { env, maxBuffer: 16 << 20 }, (_, stdout, stderr) => done(`${stdout}${stderr}`));
  return promise;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-before-'));
  spec = join(folder, 'spec');
  await cp('examples/hybrid', spec, { recursive: true });
  await writeReleaseBefore(join(folder, 'before'));
  await network.adoptOwn('own');
  await Promise.all(names.map(start));
}, 120_000);

afterAll(async () => {
  await Promise.all(running.map((daemon) => daemon.stop()));
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

it('both obey the same spec, and blades of both hear each other about the VIPs', async () => {
  await eventually(async () => {
    const [before, today] = await Promise.all([statusOf('paris-blade-1'), statusOf('paris-blade-2')]);
    const heard = [before, today].map(({ peers }) =>
      peers.map(({ blade, vips }) => `${blade} ${Object.keys(vips).join()}`),
    );
    return heard.flat().join('; ') === 'paris-blade-2 192.0.2.10; paris-blade-1 192.0.2.10';
  });
  const digests = (await Promise.all(names.map((name) => statusOf(name)))).map(({ platform }) => platform.digest);
  expect(new Set(digests).size).toBe(1);
});

it('an agent of the release before keeps the last good of an object with a newer field, says so, and obeys what else is new', async () => {
  const file = join(spec, 'clusters.yaml');
  const text = await readFile(file, 'utf8');
  const cluster = /(metadata: \{ name: newyork \}\nspec:\n)/;
  expect(text).toMatch(cluster);
  await writeFile(join(spec, '.new'), text.replace(cluster, '$1  healthCheck: { minHealthyAddresses: 1 }\n'));
  await rename(join(spec, '.new'), file);
  const drain = { target: { kind: 'Blade', name: 'paris-blade-1' }, reason: 'disk', expires: '2099-01-01T00:00:00Z' };
  const object = { apiVersion: 'tideline.dev/v1alpha1', kind: 'Drain', metadata: { name: 'disk' }, spec: drain };
  await appendFile(join(spec, 'drain.yaml'), JSON.stringify(object));
  await eventually(async () => (await statusOf('paris-blade-1')).draining);
  const { platform } = await statusOf('paris-blade-1');
  expect(JSON.stringify(platform)).toMatch(/minHealthyAddresses/);
  // Each agent reads the folder in its own time, and the worker must come to what the blade of its release holds.
  await eventually(async () => (await statusOf<NetworkStatus>('paris-worker-1')).platform.digest === platform.digest);
  await eventually(async () => (await statusOf('paris-blade-2')).platform.digest !== platform.digest);
  expect(JSON.stringify((await statusOf('paris-blade-2')).platform)).not.toMatch(/minHealthyAddresses/);
});

it('commands of today read what agents of both say', async () => {
  const [status, drains, why] = await Promise.all([
    tideline('status', spec, '-o', 'json'),
    tideline('drains', spec),
    tideline('why', 'blade', 'paris-blade-1', spec),
  ]);
  const { findings } = JSON.parse(status) as { readonly findings: readonly { subject: string; what: string }[] };
  const differ = findings.find(({ subject }) => subject === 'the platform spec of cluster paris');
  expect(differ?.what).toMatch(/^differs between agents: \w+ on 2; \w+ on paris-blade-2$/);
  const silent = findings.filter(({ what }) => /does not answer|not understood|cannot be read/.test(what));
  expect(silent.filter(({ subject }) => names.some((name) => subject.includes(name)))).toEqual([]);
  for (const name of names) expect(status).toContain(name);
  expect(drains).toMatch(/^blade paris-blade-1 /m);
  expect(drains).not.toMatch(/paris-blade-1 (does not answer|has an agent whose answer)/);
  expect(why).toMatch(/disk/);
});
