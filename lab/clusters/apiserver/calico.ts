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
  const allocator = new Restarted(() => startCalico({ kubeconfig: plane.kubeconfig, calicoIpam: program }));
  await allocator.now.init({ pools: [{ name: 'default-ipv4-ippool', cidr: pool, blockSize }] });
  return {
    async assign(pod) {
      // A second time, after an apiserver that went away in the middle: what the pod has already.
      const { blocks } = await allocator.now.show();
      const own = blocks.flatMap(({ allocations }) => allocations).find((given) => isOf(given, pod));
      if (own !== undefined) return own.address;
      const { addresses } = await allocator.now.assign(pod);
      const [address] = addresses;
      if (address === undefined) throw new Error(`Calico gave ${pod.pod} no address`);
      return address;
    },
    async release(pod) {
      await allocator.now.release(pod);
    },
    async claimBlock(node) {
      const { blocks } = await allocator.now.show();
      const free = blocks.filter((block) => block.node === node).reduce((sum, block) => sum + block.free, 0);
      if (free > 0) await allocator.now.assign({ node, namespace: 'reserved', pod: node, ipv4: free });
      return allocator.now.claim({ node });
    },
    async blocks() {
      const { blocks } = await allocator.now.show();
      return blocks.flatMap(({ cidr, node }) => (node === undefined ? [] : [{ cidr, node }]));
    },
    stop: () => allocator.stop(),
  };
}

function isOf(
  given: { readonly namespace?: string; readonly pod?: string },
  pod: { readonly namespace: string; readonly pod: string },
): boolean {
  return given.namespace === pod.namespace && given.pod === pod.pod;
}

/** The allocator, started again when it has ended: it may, while its apiserver is away. */
class Restarted {
  readonly #start: () => Calico;
  #calico: Calico | undefined;

  constructor(start: () => Calico) {
    this.#start = start;
  }

  get now(): Calico {
    if (this.#calico === undefined || this.#calico.ended) this.#calico = this.#start();
    return this.#calico;
  }

  async stop(): Promise<void> {
    await this.#calico?.stop();
  }
}
