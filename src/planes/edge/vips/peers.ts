import { agentPaths } from '../../../model/contract.ts';
import type { PeerVipView } from '../../../model/status.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { PeerAnswer } from '../step/view.ts';
import { getJson } from './probe.ts';

export interface Peer {
  readonly name: string;
  readonly address: string;
}

/**
 * The other blades of the pool, which are asked over HTTP what they announce. A blade that does not answer counts as
 * one that announces nothing.
 */
export interface Peers {
  start(): void;
  /** Asks every peer now; resolves when each has answered or timed out. */
  ask(): Promise<void>;
  /** The last answer of each peer that answered its last question. */
  answers(): readonly PeerAnswer[];
  stop(): void;
}

export interface HttpPeersOptions {
  readonly clock: Clock;
  readonly port: number;
  readonly peers: () => readonly Peer[];
  /** The VIPs of the pool: nothing else in an answer is believed. */
  readonly vips: () => readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export class HttpPeers implements Peers {
  readonly #options: HttpPeersOptions;
  readonly #answers = new Map<string, PeerAnswer>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: HttpPeersOptions) {
    this.#options = options;
  }

  start(): void {
    void this.ask().then(() => {
      if (this.#stopped) return;
      this.#timer = this.#options.clock.setTimeout(() => this.start(), this.#options.intervalMs);
    });
  }

  async ask(): Promise<void> {
    const peers = this.#options.peers();
    for (const known of this.#answers.keys())
      if (!peers.some(({ name }) => name === known)) this.#answers.delete(known);
    await Promise.all(peers.map((peer) => this.#askOne(peer)));
  }

  answers(): readonly PeerAnswer[] {
    return [...this.#answers.values()];
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #askOne({ name, address }: Peer): Promise<void> {
    const { clock, port, timeoutMs } = this.#options;
    const askedAtMs = clock.monotonic();
    const body = await getJson({ address, port, path: agentPaths.vips, timeoutMs, maxBytes: maxAnswerBytes });
    const vips =
      body === undefined || body['blade'] !== name ? undefined : readVips(body['vips'], this.#options.vips());
    if (vips === undefined) this.#answers.delete(name);
    else if ((this.#answers.get(name)?.askedAtMs ?? 0) <= askedAtMs)
      this.#answers.set(name, { blade: name, askedAtMs, vips });
  }
}

/** An answer has fewer than a hundred bytes for each VIP of a pool, which has at most 128. */
const maxAnswerBytes = 16 << 10;

function readVips(value: unknown, known: readonly string[]): ReadonlyMap<string, PeerVipView> | undefined {
  if (!Array.isArray(value)) return undefined;
  const vips = new Map<string, PeerVipView>();
  for (const entry of value as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) continue;
    const { address, fit, announced } = entry as Readonly<Record<string, unknown>>;
    if (typeof address === 'string' && known.includes(address))
      vips.set(address, { fit: fit === true, announced: announced === true });
  }
  return vips;
}
