import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Calico, startCalico } from '../../control-plane/calico.ts';
import type { ControlPlane } from '../../control-plane/control-plane.ts';
import type { Addresses } from './addresses.ts';

export interface CalicoOptions {
  readonly plane: ControlPlane;
  /** The program calico-ipam. */
  readonly program: string;
  /** Folder of Calico's CustomResourceDefinitions. */
  readonly crds: string;
  /** The prefix of the IPPool. */
  readonly pool: string;
}

/** The kinds that Calico's allocator reads and writes; CRDs of other kinds are not installed. */
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
  const allocator = new RestartingAllocator(() => startCalico({ kubeconfig: plane.kubeconfig, calicoIpam: program }));
  await allocator.current.init({ pools: [{ name: 'default-ipv4-ippool', cidr: pool, blockSize }] });
  return {
    async assign(pod) {
      // An earlier call may have assigned an address before the apiserver went away: then the pod keeps that one.
      const { blocks } = await allocator.current.show();
      const own = blocks.flatMap(({ allocations }) => allocations).find((given) => belongsTo(given, pod));
      if (own !== undefined) return own.address;
      const { addresses } = await allocator.current.assign(pod);
      const [address] = addresses;
      if (address === undefined) throw new Error(`Calico gave ${pod.pod} no address`);
      return address;
    },
    async release(pod) {
      await allocator.current.release(pod);
    },
    async claimBlock(node) {
      const { blocks } = await allocator.current.show();
      const free = blocks.filter((block) => block.node === node).reduce((sum, block) => sum + block.free, 0);
      if (free > 0) await allocator.current.assign({ node, namespace: 'reserved', pod: node, ipv4: free });
      return allocator.current.claim({ node });
    },
    async blocks() {
      const { blocks } = await allocator.current.show();
      return blocks.flatMap(({ cidr, node }) => (node === undefined ? [] : [{ cidr, node }]));
    },
    stop: () => allocator.stop(),
  };
}

function belongsTo(
  given: { readonly namespace?: string; readonly pod?: string },
  pod: { readonly namespace: string; readonly pod: string },
): boolean {
  return given.namespace === pod.namespace && given.pod === pod.pod;
}

/** Starts the allocator anew when it has ended, which it does at times while its apiserver is away. */
class RestartingAllocator {
  readonly #start: () => Calico;
  #calico: Calico | undefined;

  constructor(start: () => Calico) {
    this.#start = start;
  }

  get current(): Calico {
    if (this.#calico === undefined || this.#calico.ended) this.#calico = this.#start();
    return this.#calico;
  }

  async stop(): Promise<void> {
    await this.#calico?.stop();
  }
}
