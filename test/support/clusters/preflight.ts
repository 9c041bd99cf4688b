import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { findBinaries } from '../../../lab/control-plane/binaries.ts';
import type { AuditEvent, ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { Finding } from '../../../src/preflight/finding.ts';
import { eventually, withControlPlane } from './control-plane.ts';

const root = resolve(import.meta.dirname, '../../..');

interface CheckResult {
  readonly code: number;
  readonly stderr: string;
  readonly tookMs: number;
  readonly findings: readonly Finding[];
  /** The findings that are not ok, as `state reason`. */
  readonly bad: readonly string[];
}

/** Runs `tideline check --cluster ... --output json` as a person would, from the root of the checkout. */
export async function check(...args: readonly string[]): Promise<CheckResult> {
  const began = performance.now();
  const { code, stdout, stderr } = await run(process.execPath, [
    'src/cli/main.ts',
    'check',
    '--output',
    'json',
    ...args,
  ]);
  const tookMs = performance.now() - began;
  const findings = stdout === '' ? [] : (JSON.parse(stdout) as { findings: readonly Finding[] }).findings;
  const bad = findings.filter(({ state }) => state !== 'ok').map(({ state, reason }) => `${state} ${reason}`);
  return { code, stderr, tookMs, findings, bad };
}

/** Pastes a fix into a shell whose kubectl runs as the administrator. */
async function paste(plane: ControlPlane, kubectl: string, fix: string | undefined, folder = root): Promise<string> {
  if (fix === undefined) throw new Error('there is no fix');
  const environment = { PATH: `${dirname(kubectl)}:${process.env['PATH']}`, KUBECONFIG: plane.kubeconfig };
  const { code, stdout, stderr } = await run('sh', ['-c', fix], { folder, environment });
  if (code !== 0) throw new Error(`${fix}\n${stderr}`);
  return stdout;
}

function run(
  command: string,
  args: readonly string[],
  { folder = root, environment = {} as Readonly<Record<string, string>> } = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...environment } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => done({ code: code ?? -1, stdout, stderr }));
  });
}

export const bad = ({ findings }: CheckResult): readonly Finding[] => findings.filter(({ state }) => state !== 'ok');

/** Whether a request stores nothing. */
function isHarmless({ verb, resource }: AuditEvent): boolean {
  return (
    verb === 'get' ||
    verb === 'list' ||
    (verb === 'create' && /^(selfsubject(access|rules)?|subjectaccess)reviews$/.test(resource))
  );
}

/**
 * A control plane with everything that the cluster `paris` of examples/hybrid needs. The functions work only inside tests
 * and hooks.
 */
export function withHealthyCluster() {
  const plane = withControlPlane();
  let [kubectl, folder, ops] = ['', '', ''];
  beforeAll(async () => {
    const binaries = await findBinaries(process.env);
    kubectl = binaries.kubectl;
    folder = await mkdtemp(join(tmpdir(), 'tideline-check-'));
    await plane().kubectl(['apply', '--server-side', '-k', 'deploy']);
    const crds = (await readdir(binaries.calicoCrds)).filter((file) => file.startsWith('crd.projectcalico.org_'));
    await plane().kubectl([
      'apply',
      '--server-side',
      ...crds.flatMap((file) => ['-f', join(binaries.calicoCrds, file)]),
    ]);
    await plane().kubectl(['wait', '--for=condition=Established', '--timeout=120s', 'crd', '--all']);
    await plane().apply(...healthyObjects());
    const addresses = [{ type: 'InternalIP', address: '10.1.0.11' }];
    const status = JSON.stringify({ status: { addresses } });
    await plane().kubectl(['patch', 'node/paris-worker-1', '--subresource=status', '--type=merge', '-p', status]);
    ops = await plane().kubeconfigFor({ user: 'ops', groups: ['tideline:edge', 'tideline:network', 'tideline:check'] });
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  const rig = {
    plane,
    folder: () => folder,
    /** A kubeconfig with the rights of both agents and of the check, and no more. */
    ops: () => ops,
    paris: (kubeconfig: string, ...more: readonly string[]) =>
      check('--cluster', 'paris', '--kubeconfig', kubeconfig, ...more, 'examples/hybrid'),
    /** The requests of these users that stored something. */
    async writes(...users: readonly string[]): Promise<readonly AuditEvent[]> {
      return (await plane().audit(({ user }) => users.includes(user))).filter((request) => !isHarmless(request));
    },
    paste: (fix: string | undefined, where?: string) => paste(plane(), kubectl, fix, where),
    patch: (object: string, content: object) =>
      plane().kubectl(['patch', object, '--type=merge', '-p', JSON.stringify(content)]),
    /** Causes a fault, expects exactly this finding, pastes its fix, and expects that no finding is left. */
    async faultAndFix(fault: () => Promise<unknown>, expected: string, found: RegExp): Promise<void> {
      await fault();
      const broken = await eventually(async () => {
        const result = await rig.paris(ops);
        return result.bad.length > 0 && result;
      });
      expect(broken.bad).toEqual([expected]);
      expect(broken.code).toBe(expected.startsWith('failed') ? 1 : 0);
      const [finding] = bad(broken);
      expect(finding?.found).toMatch(found);
      await rig.paste(finding?.fix);
      await eventually(async () => (await rig.paris(ops)).bad.length === 0);
    },
  };
  return rig;
}

function healthyObjects(): readonly object[] {
  const calico = (kind: string, name: string, spec: object) => ({
    apiVersion: 'crd.projectcalico.org/v1',
    kind,
    metadata: { name },
    spec,
  });
  return [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'paris-worker-1' } },
    calico('IPPool', 'pods', { cidr: '10.10.0.0/16', ipipMode: 'Never', vxlanMode: 'Never', nodeSelector: 'all()' }),
    calico('ClusterInformation', 'default', { datastoreReady: true }),
    calico('IPAMConfig', 'default', { strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: 20 }),
    calico('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
    calico('BlockAffinity', 'paris-worker-1-10-10-0-0-26', {
      cidr: '10.10.0.0/26',
      node: 'paris-worker-1',
      state: 'confirmed',
      deleted: 'false',
    }),
  ];
}
