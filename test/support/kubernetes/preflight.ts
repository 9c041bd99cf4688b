import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import type { Finding } from '../../../src/kube/preflight/finding.ts';
import type { ControlPlane } from '../../../src/lab/kubernetes/control-plane.ts';

const root = resolve(import.meta.dirname, '../../..');

export interface CheckResult {
  readonly code: number;
  readonly stderr: string;
  readonly tookMs: number;
  readonly findings: readonly Finding[];
  /** What is not ok, as `state reason`. */
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

/** Pastes a fix into a shell whose kubectl speaks as the administrator. */
export async function paste(
  plane: ControlPlane,
  kubectl: string,
  fix: string | undefined,
  folder = root,
): Promise<string> {
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
