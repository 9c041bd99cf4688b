import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { type Daemon, startDaemon } from '../../lab/daemons/process.ts';
import { Network } from '../../lab/net/network.ts';
import { agentPorts } from '../../src/model/contract.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { objectsOf } from '../support/clusters/pool-definition.ts';
import { compileCache } from '../support/compile-cache.ts';

const run = promisify(execFile);
const main = resolve('src/cli/main.ts');

/**
 * The agents of a blade, of a worker and of DNS on a server that has never run, without a folder of the spec: the variable that names it is
 * empty, as in deploy/systemd/examples/without-folder.env. All that they know comes from a real API.
 */
const blade = { name: 'paris-blade-1', address: '10.1.0.21' };
const agents = {
  edge: ['--pool', 'paris-edge', '--blade', blade.name],
  network: ['--node', 'paris-worker-1'],
  steering: ['--provider', 'route53'],
} as const;
type Plane = keyof typeof agents;
const planes = Object.keys(agents) as readonly Plane[];
const renderings = {
  edge: ['--pool', 'paris-edge', '--user', 'root'],
  bgp: ['--server', blade.name],
} as const;
const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const env = { TIDELINE_PLATFORM: '', NODE_COMPILE_CACHE: compileCache, ...keys };

const network = new Network();
let plane: ControlPlane;
let folder: string;
const running = new Map<Plane, Daemon>();
const runDir = (agent: Plane): string => join(folder, agent);
const logOf = (agent: Plane): Promise<string> => readFile(join(folder, `${agent}.log`), 'utf8');

async function startAgent(agent: Plane): Promise<void> {
  await mkdir(runDir(agent), { recursive: true });
  const kubeconfig = await plane.kubeconfigFor({ user: `tideline:${agent}:1`, groups: [`tideline:${agent}`] });
  const source = ['--cluster', 'paris', '--platform-trust', 'paris', '--kubeconfig', kubeconfig];
  const daemon = startDaemon({
    network,
    namespace: 'own',
    command: process.execPath,
    args: [main, agent, 'agent', ...source, '--run-dir', runDir(agent), ...agents[agent]],
    logFile: join(folder, `${agent}.log`),
    env,
  });
  running.set(agent, daemon);
}

/** The digest of the spec that an agent obeys; undefined while it has no endpoint. */
async function digestOf(agent: Plane): Promise<string | undefined> {
  const host = agent === 'edge' ? blade.address : '127.0.0.1';
  const answer = await fetch(`http://${host}:${agentPorts[agent]}/status`).catch(() => undefined);
  const status = (await answer?.json()) as { readonly platform: { readonly digest: string } } | undefined;
  return status?.platform.digest;
}

/** Renders the configuration of this blade from `place`; resolves with what is said on standard error. */
function render(what: keyof typeof renderings, to: string, place: readonly string[]): Promise<string> {
  const words = [what, 'render', ...place, ...renderings[what], '--run-dir', '/run/tideline'];
  const command = ['--disable-warning=ExperimentalWarning', main, ...words, '--to', join(folder, to, what)];
  return run(process.execPath, command, { env: { ...process.env, ...env } }).then(
    ({ stderr }) => stderr,
    (error: { readonly code: number; readonly stderr: string }) => `exit ${error.code}: ${error.stderr}`,
  );
}

/** The files of a rendering by name, with its own folder left out; a certificate is made anew each time. */
async function filesOf(path: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('default.'));
  const texts = files.map(async ({ parentPath, name }) => {
    const text = await readFile(join(parentPath, name), 'utf8');
    return [join(parentPath, name).replace(path, ''), text.replaceAll(path, '')] as const;
  });
  return Object.fromEntries(await Promise.all(texts));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-first-'));
  await network.adoptOwn('own');
  await run('ip', ['addr', 'replace', `${blade.address}/32`, 'dev', 'lo']);
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  for (const file of ['rbac/edge', 'rbac/network', 'rbac/steering', 'components/platform-spec/rights'])
    await plane.apply(...(await objectsOf(`deploy/${file}.yaml`)));
  await plane.kubectl(['apply', '--server-side', '-f', 'deploy/crds']);
});

afterAll(async () => {
  await Promise.all([...running.values()].map((daemon) => daemon.stop()));
  await plane?.stop();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

it('waits and says for what, and nothing can be rendered yet', async () => {
  for (const agent of planes) await startAgent(agent);
  // DNS needs no object: a platform without any is one.
  for (const agent of ['edge', 'network'] as const)
    await eventually(async () => /"reason":"PlatformMissing"/.test(await logOf(agent)));
  expect([await digestOf('edge'), await digestOf('network')]).toEqual([undefined, undefined]);
  for (const what of ['edge', 'bgp'] as const)
    expect(await render(what, 'early', ['--platform-copy', runDir('edge')])).toMatch(
      /^exit 2: .*no agent has kept a platform spec in .* yet \(PlatformMissing\)/,
    );
  expect([...running.values()].every((daemon) => daemon.running)).toBe(true);
});

it('obeys the spec once it is applied, all agents the same', async () => {
  for (const file of ['sites', 'clusters', 'traffic'])
    await plane.apply(...(await objectsOf(`examples/hybrid/${file}.yaml`)));
  await eventually(async () => {
    const digests = await Promise.all(planes.map(digestOf));
    return digests[0] !== undefined && new Set(digests).size === 1;
  });
  expect([...running.values()].every((daemon) => daemon.running)).toBe(true);
});

it.each(['edge', 'bgp'] as const)(
  'renders for %s from the copy what a folder of the same spec would give',
  async (what) => {
    const said = await eventually(async () => {
      const text = await render(what, 'copy', ['--platform-copy', runDir('edge')]);
      return !text.startsWith('exit') && text;
    });
    expect(said).toMatch(
      /^read what the API of cluster paris said last, kept in .*platform-edge-paris\.json on 20\S+Z\n$/,
    );
    expect(await render(what, 'folder', ['--platform', 'examples/hybrid'])).toBe('');
    const copied = await filesOf(join(folder, 'copy', what));
    expect(Object.keys(copied)).not.toEqual([]);
    expect(copied).toEqual(await filesOf(join(folder, 'folder', what)));
  },
);

it('was denied nothing', async () => {
  const asked = await plane.audit(({ user }) => user.startsWith('tideline:'));
  expect(new Set(asked.map(({ user }) => user)).size).toBe(planes.length);
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
});
