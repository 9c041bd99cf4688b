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
  /** Our blackholes in the kernel: a block with one of them in it was announced before, or an address of it. */
  readonly installed: readonly Prefix[];
  /** Blocks, as text, whose export the pool that held them last forbade. */
  readonly banned: ReadonlySet<string>;
  /** Names of brakes that have held long enough. */
  readonly brakesOver: ReadonlySet<string>;
}

/** What is announced of a block. */
export interface Claim {
  readonly block: Prefix;
  /** The block itself, or an address in it. */
  readonly part: Prefix;
  /** Pods of this node use addresses of it, by its IPAMBlock. */
  readonly usedHere: boolean;
}

/** The lengths that Calico allows for blocks; nothing else is a block, whatever its object says. */
const blockLengths = { 4: [20, 32], 6: [116, 128] } as const;

/**
 * Judges blocks by their pools. The edit of a pool moves no pod: what is provably ours, and was announced or is in use here, is
 * announced when its pool vanishes or changes, and a person is told. What was announced is forgotten in a Drain or a reboot;
 * what is in use is written in the IPAMBlock. A ban of the export is obeyed, also after its pool was deleted, but one that takes more than half of all that the
 * cluster announces is braked first, because such an edit is more often a mistake than meant.
 */
export class Standing {
  readonly #input: StandingInput;
  readonly #brakes = new Map<string, Brake | undefined>();
  readonly #banned = new Set<string>();

  constructor(input: StandingInput) {
    this.#input = input;
  }

  verdict({ block, part, usedHere }: Claim): Verdict {
    const { pools, kept, installed, banned } = this.#input;
    const fault = pools.faultOf(block);
    if (fault === undefined) return { announce: true };
    const { reason, effect, message } = fault;
    const notice = (then: string): Verdict => {
      return { announce: true, notice: { subject: block.text, reason, message: `${message}; ${then}` } };
    };
    const refusal = (more = ''): Verdict => {
      return { announce: false, refusal: { subject: block.text, reason, message: `${message}${more}` } };
    };
    const [least, most] = blockLengths[block.family];
    if (effect === 'notice' && block.length >= least && block.length <= most)
      return notice('the block is announced all the same');
    if (effect === 'keep' && banned.has(block.text)) {
      this.#banned.add(block.text);
      return refusal(', and the pool that held it before forbade its export');
    }
    const wasAnnounced =
      kept.has(part.text) || kept.has(block.text) || installed.some((blackhole) => contains(block, blackhole));
    if (effect === 'keep' && wasAnnounced) return notice('what was announced of the block stays announced');
    if (effect === 'keep' && usedHere)
      return notice('pods of this worker use addresses of the block, so they are announced');
    if (effect !== 'ban') return refusal();
    const brake = wasAnnounced ? this.#brakeOf(fault) : undefined;
    if (brake !== undefined && !this.#input.brakesOver.has(brake.cause)) return waits(block, fault, brake);
    this.#banned.add(block.text);
    return refusal();
  }

  /** The brakes that were met, whether they still hold or not. */
  get brakes(): readonly Brake[] {
    return [...this.#brakes.values()].filter((brake) => brake !== undefined);
  }

  /** The blocks that the workers of the cluster announce as far as their pools let them. */
  get fleet(): readonly Prefix[] {
    const { pools, blocks } = this.#input;
    return blocksOfHosts(blocks).filter((block) => pools.faultOf(block)?.effect !== 'ban');
  }

  /** The blocks, as text, that were judged and whose export is forbidden by the pool that holds them, or held them last. */
  get banned(): ReadonlySet<string> {
    return this.#banned;
  }

  #brakeOf({ pool }: PoolFault): Brake | undefined {
    if (pool === undefined) return undefined;
    if (!this.#brakes.has(pool)) {
      const { pools, blocks } = this.#input;
      const share = pools.shareOf(pool, blocksOfHosts(blocks));
      this.#brakes.set(
        pool,
        share.lost > share.all / 2 ? { reason: 'ExportBanWaits', cause: `IPPool ${pool}`, ...share } : undefined,
      );
    }
    return this.#brakes.get(pool);
  }
}

function waits(block: Prefix, fault: PoolFault, brake: Brake): Verdict {
  const message = `${fault.message}, which takes ${brake.lost} of the ${brake.all} blocks that the cluster announces: it waits`;
  return { announce: true, notice: { subject: block.text, reason: 'ExportBanWaits', message }, brake };
}

/** The blocks that Calico gave to nodes; those of load balancers are announced by nobody. */
function blocksOfHosts({ byText }: KnownBlocks): readonly Prefix[] {
  const ofHosts = [...byText.values()].filter(({ object }) => object.spec?.affinity?.startsWith('host:'));
  return ofHosts.map(({ prefix }) => prefix);
}
