import { agentPaths } from '../../../model/contract.ts';
import type { PeerRefusalView, PeerVipView } from '../../../model/status.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { AgentAccess, Disbelief } from '../../../runtime/tls/line.ts';
import type { EdgeReason } from '../reasons.ts';
import type { PeerAnswer } from '../step/view.ts';
import { askAgentOf } from './ask-agent.ts';

export interface Peer {
  readonly name: string;
  readonly address: string;
}

/**
 * The other blades of the pool, which are asked over HTTP what they announce. A blade that does not answer, or is not believed, counts as
 * one that announces nothing: an unfit blade then keeps its VIPs.
 */
export interface Peers {
  start(): void;
  /** Asks every peer now; resolves when each has answered or timed out. */
  ask(): Promise<void>;
  /** The last answer of each peer that answered its last question. */
  answers(): readonly PeerAnswer[];
  /** The peers of whose last answer nothing was believed without doubt, because of a certificate. */
  notBelieved(): readonly PeerRefusalView[];
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
  /** Where given, a peer must show the certificate of the blade that the spec has at its address. */
  readonly access?: AgentAccess | undefined;
}

export class HttpPeers implements Peers {
  readonly #options: HttpPeersOptions;
  readonly #answers = new Map<string, PeerAnswer>();
  readonly #disbelief = new Map<string, Disbelief>();
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
    for (const map of [this.#answers, this.#disbelief])
      for (const known of map.keys()) if (!peers.some(({ name }) => name === known)) map.delete(known);
    await Promise.all(peers.map((peer) => this.#askOne(peer)));
  }

  answers(): readonly PeerAnswer[] {
    return [...this.#answers.values()];
  }

  notBelieved(): readonly PeerRefusalView[] {
    const reason = 'PeerNotBelieved' satisfies EdgeReason;
    return [...this.#disbelief].map(([blade, { reason: cause, message }]) => ({
      blade,
      reason,
      message: `${message} (${cause})`,
    }));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #askOne(peer: Peer): Promise<void> {
    const { name } = peer;
    const askedAtMs = this.#options.clock.monotonic();
    const body = await this.#bodyOf(peer);
    const vips =
      body === undefined || body['blade'] !== name ? undefined : readVips(body['vips'], this.#options.vips());
    if (vips === undefined) this.#answers.delete(name);
    else if ((this.#answers.get(name)?.askedAtMs ?? 0) <= askedAtMs)
      this.#answers.set(name, { blade: name, askedAtMs, vips, ...readDigest(body?.['specDigest']) });
  }

  /** What a peer answers, if it is believed. */
  async #bodyOf({ name, address }: Peer): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { port, timeoutMs, access } = this.#options;
    const question = { address, port, path: agentPaths.vips, timeoutMs, maxBytes: maxAnswerBytes };
    const { body, disbelief } = await askAgentOf(name, question, access);
    if (disbelief === null) this.#disbelief.delete(name);
    else if (disbelief !== undefined) this.#disbelief.set(name, disbelief);
    return body;
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

function readDigest(value: unknown): { readonly specDigest?: string } {
  return typeof value === 'string' && /^[0-9a-f]{1,64}$/.test(value) ? { specDigest: value } : {};
}
