import type { IPPool } from '../../../kube/kinds/ip-pool.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { contains, type Prefix, parsePrefix } from '../../../model/address.ts';
import type { Refusal } from '../../../model/problem.ts';
import type { NetworkReason } from '../reasons.ts';

interface Pool {
  readonly prefix: Prefix;
  readonly object: IPPool;
}

const defaultBlockSize = { 4: 26, 6: 122 } as const;

/** The pools of a cluster, as far as BGP is concerned. A disabled pool gives out no new address; its old ones stay routable. */
export class Pools {
  readonly #pools: readonly Pool[];

  constructor(state: ClusterState) {
    this.#pools = [...state.objects.IPPool.values()].flatMap((object) => {
      const prefix = parsePrefix(object.spec?.cidr ?? '');
      return prefix === undefined ? [] : [{ prefix, object }];
    });
  }

  /** Why addresses of this block may not be announced, or undefined when they may. */
  refusal(block: Prefix): Refusal<NetworkReason> | undefined {
    const pool = this.#poolOf(block);
    if (pool === undefined) return { reason: 'PoolMissing', message: 'no IPPool holds it' };
    const { spec, metadata } = pool.object;
    const name = `IPPool ${metadata.name}`;
    if (spec?.disableBGPExport === true) return { reason: 'PoolNotExported', message: `${name} has disableBGPExport` };
    const uses = spec?.allowedUses ?? ['Workload'];
    if (!uses.includes('Workload') && !uses.includes('Tunnel'))
      return { reason: 'PoolNotForWorkloads', message: `${name} is for ${uses.join(', ')}` };
    const size = spec?.blockSize ?? defaultBlockSize[block.family];
    if (block.length !== size) return { reason: 'BlockSizeMismatch', message: `${name} gives out blocks of /${size}` };
    return undefined;
  }

  #poolOf(block: Prefix): Pool | undefined {
    return this.#pools
      .filter(({ prefix }) => contains(prefix, block))
      .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
  }
}
