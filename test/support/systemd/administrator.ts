import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { ControlPlaneOptions } from '../../../lab/control-plane/options.ts';
import { binaries } from '../clusters/binaries.ts';
import { startTestControlPlane } from '../clusters/control-plane.ts';
import { commandsOf } from './rack.ts';

const repository = resolve(import.meta.dirname, '../../..');

/** A control plane whose API signs certificates of clients, as every real one does. */
export async function startAdministeredControlPlane(options: Partial<ControlPlaneOptions> = {}): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-control-plane-'));
  const authority = join(folder, 'pki', 'ca');
  const flags = {
    controllers:
      '*,-node-ipam-controller,-node-route-controller,-service-lb-controller,-cloud-node-lifecycle-controller',
    'cluster-signing-cert-file': `${authority}.crt`,
    'cluster-signing-key-file': `${authority}.key`,
    'cluster-signing-duration': '8760h',
  };
  return startTestControlPlane({ ...options, folder, flags: { 'kube-controller-manager': flags } });
}

/** Runs the documented commands as the cluster's administrator, with kubectl in the path, in a folder of its own. */
export class Administrator {
  readonly #plane: ControlPlane;
  readonly #folder: string;
  readonly #enter: readonly string[];

  /** `enter` is a command that runs others in the namespace where the apiserver is reachable; by default they run here. */
  constructor(plane: ControlPlane, folder: string, enter: readonly string[] = []) {
    this.#plane = plane;
    this.#folder = folder;
    this.#enter = enter;
  }

  /** Runs the commands under a heading of a document in docs/operations. */
  async run(document: string, heading: string): Promise<string> {
    return this.sh(await commandsOf(document, heading));
  }

  /** Runs a shell script; resolves with its standard output, rejects with all of its output. */
  async sh(commands: string): Promise<string> {
    const script = commands.replaceAll('/opt/tideline', repository);
    const args = [...this.#enter, 'sh', '-euc', script];
    const env = {
      ...process.env,
      PATH: [await binaries(), process.env.PATH].join(delimiter),
      KUBECONFIG: this.#plane.kubeconfig,
      HOME: this.#folder,
    };
    return new Promise((done, failed) => {
      const child = spawn('env', args, { cwd: this.#folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      let errors = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        errors += chunk.toString();
      });
      child.once('error', failed);
      child.once('close', (code) => {
        if (code === 0) done(output);
        else failed(new Error(`${commands}\nended with ${code}: ${output}${errors}`));
      });
    });
  }
}
