import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Pool {
  readonly name: string;
  readonly cidr: string;
  readonly blockSize?: number;
  readonly disabled?: boolean;
  readonly disableBGPExport?: boolean;
  readonly natOutgoing?: boolean;
  readonly nodeSelector?: string;
  readonly allowedUses?: readonly ('Workload' | 'Tunnel' | 'LoadBalancer')[];
}

/** A pod on a node. The handle by which its addresses are released is made of its names when none is given. */
export interface Workload {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly handle?: string;
}

export interface Assigned {
  readonly addresses: readonly string[];
  readonly handle: string;
}

export interface Allocations {
  readonly blocks: readonly {
    readonly cidr: string;
    /** The node that owns the block; absent when it released the block while addresses were in use. */
    readonly node?: string;
    readonly free: number;
    readonly allocations: readonly {
      readonly address: string;
      readonly handle?: string;
      readonly node?: string;
      readonly namespace?: string;
      readonly pod?: string;
    }[];
  }[];
  readonly affinities: readonly { readonly node: string; readonly cidr: string; readonly state: string }[];
}

/** Calico's own allocator at work in one cluster. Every method rejects with the allocator's message. */
export interface Calico {
  /** Writes what an installation of Calico writes: a ready ClusterInformation, the allocator's configuration, the missing pools. */
  init(options: {
    readonly pools: readonly Pool[];
    readonly strictAffinity?: boolean;
    readonly maxBlocksPerHost?: number;
  }): Promise<void>;
  /** Gives a pod addresses, all or none: the next free ones (by default one of IPv4), or `address`. The Node must exist. */
  assign(
    pod: Workload & {
      readonly address?: string;
      readonly ipv4?: number;
      readonly ipv6?: number;
      readonly pools?: readonly string[];
      readonly maxBlocks?: number;
    },
  ): Promise<Assigned>;
  /** Gives a pod an address out of a block of the node `from`. */
  borrow(pod: Workload & { readonly from: string }): Promise<Assigned>;
  /** Takes back the addresses of a pod or of a handle, or the given addresses; resolves with those it took back. */
  release(
    what:
      | { readonly namespace: string; readonly pod: string }
      | { readonly handle: string }
      | { readonly addresses: readonly string[] },
  ): Promise<readonly string[]>;
  /** Gives a node a block: the one named, or the first that is free. Resolves with its prefix. */
  claim(what: { readonly node: string; readonly block?: string; readonly pool?: string }): Promise<string>;
  /** Takes one block or all from a node. A block with addresses in use stays, without a node, unless `mustBeEmpty` refuses that. */
  releaseAffinity(what: {
    readonly node: string;
    readonly block?: string;
    readonly mustBeEmpty?: boolean;
  }): Promise<void>;
  show(): Promise<Allocations>;
  /** True when the process has ended; every further request is rejected. */
  readonly ended: boolean;
  /** Ends the process. Never rejects. */
  stop(): Promise<void>;
}

interface Answer {
  readonly id: number | null;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * Starts `calico-ipam serve`; requests are answered in order. The CRDs must be in the cluster before the first one. The
 * process ends with this one, since its input does.
 */
export function startCalico(options: { readonly kubeconfig: string; readonly calicoIpam: string }): Calico {
  const child = spawn(options.calicoIpam, ['--kubeconfig', options.kubeconfig, 'serve'], { stdio: 'pipe' });
  const waiting = new Map<number, Waiting>();
  let complaint = '';
  let ended = false;
  let next = 0;
  child.stderr.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-4000);
  });
  createInterface(child.stdout).on('line', (line) => {
    const { id, result, error } = JSON.parse(line) as Answer;
    const asked = id === null ? undefined : waiting.get(id);
    if (id !== null) waiting.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new Error(error));
  });
  const gone = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      ended = true;
      for (const asked of waiting.values()) asked.reject(new Error(`calico-ipam ended (${why}): ${complaint}`));
      waiting.clear();
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code, signal) => end(String(code ?? signal)));
  });
  child.stdin.on('error', () => undefined); // The end of the process tells it as well.

  const ask = (operation: string, args: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(new Error(`calico-ipam has ended: ${complaint}`));
      next += 1;
      waiting.set(next, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: next, operation, arguments: args })}\n`);
    });

  return {
    get ended() {
      return ended;
    },
    init: async (args) => void (await ask('init', args)),
    assign: async (args) => (await ask('assign', args)) as Assigned,
    borrow: async (args) => (await ask('borrow', args)) as Assigned,
    release: async (args) => ((await ask('release', args)) as { readonly addresses: readonly string[] }).addresses,
    claim: async (args) => ((await ask('claim', args)) as { readonly block: string }).block,
    releaseAffinity: async (args) => void (await ask('release-affinity', args)),
    show: async () => (await ask('show', {})) as Allocations,
    async stop() {
      child.stdin.end();
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await gone;
      clearTimeout(late);
    },
  };
}
