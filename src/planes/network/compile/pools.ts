import type { IPPool } from '../../../kube/kinds/ip-pool.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { contains, type Prefix, parsePrefix } from '../../../model/address.ts';
import type { Refusal } from '../../../model/problem.ts';
import type { NetworkReason } from '../reasons.ts';

interface Pool {
  readonly prefix: Prefix;
  readonly object: IPPool;
}

/**
 * What a pool has against a block. `effect` says what follows for a block that is ours beyond doubt:
 * - `notice`: it is announced, and a person is told;
 * - `keep`: it stays announced when it was, because the edit of a pool takes no address from a pod; it is not announced anew;
 * - `ban`: a person forbade its export.
 */
export interface PoolFault extends Refusal<NetworkReason> {
  readonly effect: 'notice' | 'keep' | 'ban';
  /** The pool that decided; absent when there is none. */
  readonly pool?: string;
}

const defaultBlockSize = { 4: 26, 6: 122 } as const;

/** The pools of a cluster, as far as BGP is concerned. A disabled pool gives out no new address; its old ones stay routable. */
export class Pools {
  /** The longest prefix first: the first that holds a block decides. */
  readonly #pools: readonly Pool[];

  constructor(state: ClusterState) {
    this.#pools = [...state.objects.IPPool.values()]
      .flatMap((object) => {
        const prefix = parsePrefix(object.spec?.cidr ?? '');
        return prefix === undefined ? [] : [{ prefix, object }];
      })
      .toSorted((a, b) => b.prefix.length - a.prefix.length);
  }

  /** What is to be said against announcing addresses of this block; undefined when nothing is. */
  faultOf(block: Prefix): PoolFault | undefined {
    const object = this.#poolOf(block);
    if (object === undefined) return { effect: 'keep', reason: 'PoolMissing', message: 'no IPPool holds it' };
    const { spec, metadata } = object;
    const name = `IPPool ${metadata.name}`;
    const fault = (effect: PoolFault['effect'], reason: NetworkReason, message: string): PoolFault => ({
      effect,
      reason,
      message,
      pool: metadata.name,
    });
    if (spec?.disableBGPExport === true) return fault('ban', 'PoolNotExported', `${name} has disableBGPExport`);
    const uses = spec?.allowedUses ?? ['Workload'];
    if (!uses.includes('Workload') && !uses.includes('Tunnel'))
      return fault('keep', 'PoolNotForWorkloads', `${name} is for ${uses.join(', ')}`);
    const size = spec?.blockSize ?? defaultBlockSize[block.family];
    if (block.length !== size) return fault('notice', 'BlockSizeMismatch', `${name} gives out blocks of /${size}`);
    return undefined;
  }

  /**
   * How many of these blocks the pool of this name holds, and how many it and the exported pools hold: what the cluster would
   * lose, of what it announces, when the export of this pool is forbidden.
   */
  shareOf(pool: string, blocks: Iterable<Prefix>): { readonly lost: number; readonly all: number } {
    let lost = 0;
    let others = 0;
    for (const block of blocks) {
      const object = this.#poolOf(block);
      if (object?.metadata.name === pool) lost += 1;
      else if (object?.spec?.disableBGPExport !== true) others += 1;
    }
    return { lost, all: lost + others };
  }

  #poolOf(block: Prefix): IPPool | undefined {
    return this.#pools.find(({ prefix }) => contains(prefix, block))?.object;
  }
}
