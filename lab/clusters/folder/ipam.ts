import type { BlockAffinity } from '../../../src/kube/kinds/block-affinity.ts';
import type { IPPool } from '../../../src/kube/kinds/ip-pool.ts';
import type { IPAMBlock } from '../../../src/kube/kinds/ipam-block.ts';
import { kindFacts } from '../../../src/kube/kinds.ts';

/** A block of 64 addresses that belongs to a worker. */
export interface Block {
  readonly cidr: string;
  readonly node: string;
  /** The pod of each address of the block, by index; null for a free address. */
  readonly allocations: readonly (string | null)[];
}

export const blockSize = 26;
const addressesPerBlock = 64;

/**
 * Gives addresses as Calico's allocator does: a pod's address comes from a block of its node; a node without a free
 * address claims the next free block of the pool. Pure: every call returns the next list of blocks.
 */
export function allocate(
  blocks: readonly Block[],
  pod: { readonly name: string; readonly node: string },
  pool: string,
): { readonly blocks: readonly Block[]; readonly address: string } {
  const own = blocks.find((block) => block.node === pod.node && freeIndex(block) >= 0);
  if (own === undefined) return allocate(claim(blocks, pod.node, nextFreeCidr(blocks, pool)), pod, pool);
  const index = freeIndex(own);
  const changed = { ...own, allocations: own.allocations.with(index, pod.name) };
  return { blocks: blocks.map((block) => (block === own ? changed : block)), address: addressAt(own.cidr, index) };
}

/** Gives a block to a node. Throws when a node has it already. */
export function claim(blocks: readonly Block[], node: string, cidr: string): readonly Block[] {
  if (blocks.some((block) => block.cidr === cidr)) throw new Error(`block ${cidr} is taken`);
  return [...blocks, { cidr, node, allocations: Array.from({ length: addressesPerBlock }, () => null) }];
}

/** The first free block of the pool, from the middle third octet up, so that the nodes' first blocks keep their round numbers. */
export function nextFreeCidr(blocks: readonly Block[], pool: string): string {
  const [a, b] = pool.split('.');
  for (let index = 64 * 4; index < 1024; index += 1) {
    const cidr = `${a}.${b}.${index >> 2}.${(index & 3) * 64}/${blockSize}`;
    if (!blocks.some((block) => block.cidr === cidr)) return cidr;
  }
  throw new Error(`pool ${pool} has no free block`);
}

/**
 * The first free index. Index 0 is never given, because people expect a network address there, although Calico on Linux may use
 * it.
 */
function freeIndex(block: Block): number {
  return block.allocations.findIndex((name, index) => name === null && index > 0);
}

function addressAt(cidr: string, index: number): string {
  const [a, b, c, d] = cidr.slice(0, cidr.indexOf('/')).split('.');
  return `${a}.${b}.${c}.${Number(d) + index}`;
}

export function poolObject(pool: string): IPPool & { readonly apiVersion: string } {
  return {
    apiVersion: kindFacts.IPPool.apiVersions[0],
    kind: 'IPPool',
    metadata: { name: 'default-ipv4-ippool' },
    spec: { cidr: pool, blockSize, disabled: false, disableBGPExport: false, allowedUses: ['Workload', 'Tunnel'] },
  };
}

export function affinityObject(block: Block): BlockAffinity & { readonly apiVersion: string } {
  return {
    apiVersion: kindFacts.BlockAffinity.apiVersions[0],
    kind: 'BlockAffinity',
    metadata: { name: `${block.node}-${dashed(block.cidr)}` },
    spec: { cidr: block.cidr, node: block.node, state: 'confirmed', deleted: 'false', type: 'host' },
  };
}

export function blockObject(block: Block): IPAMBlock & { readonly apiVersion: string } {
  const pods = block.allocations.filter((name) => name !== null);
  return {
    apiVersion: kindFacts.IPAMBlock.apiVersions[0],
    kind: 'IPAMBlock',
    metadata: { name: dashed(block.cidr) },
    spec: {
      cidr: block.cidr,
      affinity: `host:${block.node}`,
      deleted: false,
      allocations: block.allocations.map((name) => (name === null ? null : pods.indexOf(name))),
      attributes: pods.map((name) => ({
        handle_id: `k8s-pod-network.${name}`,
        secondary: { node: block.node, pod: name, namespace: 'video', type: 'Pod' },
      })),
    },
  };
}

function dashed(cidr: string): string {
  return cidr.replaceAll(/[./]/g, '-');
}
