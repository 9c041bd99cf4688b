import { contains, type Prefix } from '../../../model/address.ts';
import type { Brake, NetworkNotice, NetworkRefusal } from '../plan.ts';
import type { KnownBlocks } from './known.ts';
import type { PoolFault, Pools } from './pools.ts';

/** Whether the pool of a block lets its addresses out. */
export type Verdict =
  | { readonly announce: true; readonly notice?: NetworkNotice; readonly brake?: Brake }
  | { readonly announce: false; readonly refusal: NetworkRefusal };

export interface StandingInput {
  readonly pools: Pools;
  readonly blocks: KnownBlocks;
  /** The prefixes, as text, that this node has announced until now. */
  readonly kept: ReadonlySet<string>;
  /** Our blackholes in the kernel: a block with one of them in it was announced before. */
  readonly installed: readonly Prefix[];
  /** Pools whose brake has held long enough. */
  readonly brakesOver: ReadonlySet<string>;
}

/** The lengths that Calico allows for blocks; nothing else is a block, whatever its object says. */
const blockLengths = { 4: [20, 32], 6: [116, 128] } as const;

/**
 * Judges blocks by their pools. The edit of a pool moves no pod: what is announced and provably ours stays when its pool
 * vanishes or changes, and a person is told. A ban of the export is obeyed, but one that takes more than half of all that the
 * cluster announces is braked first, because such an edit is more often a mistake than meant.
 */
export class Standing {
  readonly #input: StandingInput;
  readonly #brakes = new Map<string, Brake | undefined>();

  constructor(input: StandingInput) {
    this.#input = input;
  }

  /** Judges what is announced of a block: the block itself, or an address in it. */
  verdict(block: Prefix, part: Prefix = block): Verdict {
    const { pools, kept, installed } = this.#input;
    const fault = pools.faultOf(block);
    if (fault === undefined) return { announce: true };
    const { reason } = fault;
    const notice = (message: string): NetworkNotice => ({ subject: block.text, reason, message });
    const [least, most] = blockLengths[block.family];
    if (fault.effect === 'notice' && block.length >= least && block.length <= most)
      return { announce: true, notice: notice(`${fault.message}; the block is announced all the same`) };
    const wasAnnounced =
      kept.has(part.text) || kept.has(block.text) || installed.some((blackhole) => contains(block, blackhole));
    if (fault.effect === 'keep' && wasAnnounced)
      return { announce: true, notice: notice(`${fault.message}; the block stays announced`) };
    const brake = fault.effect === 'ban' && wasAnnounced ? this.#brakeOf(fault) : undefined;
    if (brake === undefined || this.#input.brakesOver.has(brake.pool))
      return { announce: false, refusal: { subject: block.text, reason, message: fault.message } };
    const message = `${fault.message}, which takes ${brake.lost} of the ${brake.all} blocks that the cluster announces: it waits`;
    return { announce: true, notice: { subject: block.text, reason: 'ExportBanWaits', message }, brake };
  }

  /** The brakes that were met, whether they still hold or not. */
  get brakes(): readonly Brake[] {
    return [...this.#brakes.values()].filter((brake) => brake !== undefined);
  }

  #brakeOf({ pool }: PoolFault): Brake | undefined {
    if (pool === undefined) return undefined;
    if (!this.#brakes.has(pool)) {
      const { pools, blocks } = this.#input;
      const ofHosts = [...blocks.byText.values()].filter(({ object }) => object.spec?.affinity?.startsWith('host:'));
      const share = pools.shareOf(
        pool,
        ofHosts.map(({ prefix }) => prefix),
      );
      this.#brakes.set(pool, share.lost > share.all / 2 ? { pool, ...share } : undefined);
    }
    return this.#brakes.get(pool);
  }
}
