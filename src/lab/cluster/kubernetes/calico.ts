import { type ChildProcess, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ControlPlane } from '../../kubernetes/control-plane.ts';
import type { Addresses } from './addresses.ts';

export interface CalicoOptions {
  readonly plane: ControlPlane;
  /** The program calico-ipam. */
  readonly program: string;
  /** Folder of Calico's CustomResourceDefinitions. */
  readonly crds: string;
  /** The IPPool, a prefix. */
  readonly pool: string;
}

/** What its allocator reads and writes; the rest of Calico is not here. */
const kinds =
  /_(blockaffinities|clusterinformations|ipamblocks|ipamconfigs|ipamhandles|ippools|ipreservations|tiers)\.yaml$/;
const blockSize = 26;

/** Installs Calico's CRDs and a pool, and gives addresses by Calico's own allocator. Nodes must be registered before they get any. */
export async function calicoAddresses(options: CalicoOptions): Promise<Addresses> {
  const { plane, program, crds, pool } = options;
  const files = (await readdir(crds)).filter((file) => kinds.test(file));
  await plane.kubectl(['apply', '--server-side', ...files.flatMap((file) => ['-f', join(crds, file)])]);
  const names = files.map((file) => `crd/${file.replace(/^.*_|\.yaml$/g, '')}.crd.projectcalico.org`);
  await plane.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names]);
  const allocator = new Allocator(program, plane.kubeconfig);
  await allocator.ask('init', { pools: [{ name: 'default-ipv4-ippool', cidr: pool, blockSize }] });
  return {
    async assign(pod) {
      // A second time, after an apiserver that went away in the middle: what the pod has already.
      const { blocks } = await allocator.ask<Shown>('show', {});
      const own = blocks.flatMap(({ allocations }) => allocations).find((given) => isOf(given, pod));
      if (own !== undefined) return own.address;
      const { addresses } = await allocator.ask<{ readonly addresses: readonly string[] }>('assign', pod);
      const [address] = addresses;
      if (address === undefined) throw new Error(`Calico gave ${pod.pod} no address`);
      return address;
    },
    async release(pod) {
      await allocator.ask('release', pod);
    },
    async claimBlock(node) {
      const { blocks } = await allocator.ask<Shown>('show', {});
      const free = blocks.filter((block) => block.node === node).reduce((sum, block) => sum + block.free, 0);
      if (free > 0) await allocator.ask('assign', { node, handle: `reserved.${node}`, ipv4: free });
      const { block } = await allocator.ask<{ readonly block: string }>('claim', { node });
      return block;
    },
    async blocks() {
      const { blocks } = await allocator.ask<Shown>('show', {});
      return blocks.flatMap(({ cidr, node }) => (node === undefined ? [] : [{ cidr, node }]));
    },
    stop: () => allocator.stop(),
  };
}

interface Shown {
  readonly blocks: readonly {
    readonly cidr: string;
    readonly node?: string;
    readonly free: number;
    readonly allocations: readonly { readonly address: string; readonly namespace?: string; readonly pod?: string }[];
  }[];
}

function isOf(
  given: { readonly namespace?: string; readonly pod?: string },
  pod: { readonly namespace: string; readonly pod: string },
): boolean {
  return given.namespace === pod.namespace && given.pod === pod.pod;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** `calico-ipam serve`: requests and answers as lines of JSON. Started again when it has ended. */
class Allocator {
  readonly #program: string;
  readonly #kubeconfig: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #child: ChildProcess | undefined;
  #next = 1;

  constructor(program: string, kubeconfig: string) {
    this.#program = program;
    this.#kubeconfig = kubeconfig;
  }

  /** Rejects with what the allocator said. */
  async ask<T>(operation: string, args: object): Promise<T> {
    this.#child ??= this.#spawn();
    const id = this.#next++;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ id, operation, arguments: args })}\n`);
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`calico-ipam: ${error}`);
    return result as T;
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGKILL');
  }

  #spawn(): ChildProcess {
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', this.#program, '--kubeconfig', this.#kubeconfig, 'serve'],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    const ended = (): void => {
      if (this.#child === child) this.#child = undefined;
      for (const [id, answer] of this.#waiting) answer({ id, error: 'it ended' });
      this.#waiting.clear();
    };
    child.once('exit', ended);
    child.once('error', ended);
    return child;
  }
}
