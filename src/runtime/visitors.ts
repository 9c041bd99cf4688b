import { isIPv4 } from 'node:net';
import { type Address, contains, hostPrefix, type Prefix, parseAddress } from '../model/address.ts';
import type { EndpointReason } from './reasons.ts';
import type { Gates } from './tls/gate.ts';

/** Who may visit an agent's endpoint, besides programs of the same host. */
export interface Door {
  /** The servers whose agents ask this one. They share no budget with other visitors. */
  readonly peers: readonly Address[];
  /** The networks of everybody else who may visit: people, scrapers. */
  readonly networks: readonly Prefix[];
  /** Which servers' certificates may ask and which may not, where certificates are required; all others of the CA may. */
  readonly gates?: Gates;
}

/** What visitors of one kind may have together. */
export interface Budget {
  readonly connections: number;
  readonly ofSource: number;
  readonly answersPerSecond: number;
  /** Bytes of answers that visitors have not taken yet; one answer is given however large it is. */
  readonly unreadBytes: number;
}

export type VisitorKind = 'own' | 'other';

/** An agent has some forty files and sockets of its own; these come on top, and are far below any limit of open files. */
export const budgets: Readonly<Record<VisitorKind, Budget>> = {
  own: { connections: 64, ofSource: 8, answersPerSecond: 200, unreadBytes: 8 << 20 },
  other: { connections: 32, ofSource: 8, answersPerSecond: 50, unreadBytes: 8 << 20 },
};

/** One admitted connection. */
export interface Visit {
  readonly kind: VisitorKind;
  /** The reason why no answer of this size may be given now; undefined when it may, and is then counted until `leave`. */
  take(bytes: number): EndpointReason | undefined;
  /** The reason why nothing may be asked now. */
  ask(): EndpointReason | undefined;
  leave(): void;
}

interface Usage {
  connections: number;
  unreadBytes: number;
  askedInSecond: number;
  second: number;
  readonly sources: Map<string, number>;
}

const unused = (): Usage => ({
  connections: 0,
  unreadBytes: 0,
  askedInSecond: 0,
  second: -1,
  sources: new Map(),
});

/** Counts what visitors use of an endpoint, and refuses what is beyond their budget. */
export class Visitors {
  readonly #door: () => Door;
  readonly #nowMs: () => number;
  readonly #usage: Readonly<Record<VisitorKind, Usage>> = { own: unused(), other: unused() };

  /** `nowMs` is monotonic. */
  constructor(door: () => Door, nowMs: () => number) {
    this.#door = door;
    this.#nowMs = nowMs;
  }

  /** Admits a connection from `remote` to `local` (as the socket gives them), or says why not. */
  admit(remote: string, local: string): Visit | EndpointReason {
    const source = plain(remote);
    const kind = this.#kindOf(source, plain(local));
    if (kind === undefined) return 'ForeignNetwork';
    const usage = this.#usage[kind];
    const ofSource = usage.sources.get(source) ?? 0;
    if (ofSource >= budgets[kind].ofSource) return 'TooManyOfSource';
    if (usage.connections >= budgets[kind].connections) return 'TooManyConnections';
    usage.connections++;
    usage.sources.set(source, ofSource + 1);
    return this.#visit(kind, source);
  }

  #visit(kind: VisitorKind, source: string): Visit {
    const usage = this.#usage[kind];
    let taken = 0;
    let here = true;
    return {
      kind,
      ask: () => this.#ask(kind),
      take: (bytes) => {
        if (usage.unreadBytes > 0 && usage.unreadBytes + bytes > budgets[kind].unreadBytes) return 'TooMuchUnread';
        usage.unreadBytes += bytes;
        taken += bytes;
        return undefined;
      },
      leave: () => {
        if (!here) return;
        here = false;
        usage.connections--;
        usage.unreadBytes -= taken;
        const left = (usage.sources.get(source) ?? 1) - 1;
        if (left === 0) usage.sources.delete(source);
        else usage.sources.set(source, left);
      },
    };
  }

  #ask(kind: VisitorKind): EndpointReason | undefined {
    const usage = this.#usage[kind];
    const second = Math.floor(this.#nowMs() / 1000);
    if (second !== usage.second) Object.assign(usage, { second, askedInSecond: 0 });
    usage.askedInSecond++;
    return usage.askedInSecond > budgets[kind].answersPerSecond ? 'TooManyRequests' : undefined;
  }

  #kindOf(source: string, local: string): VisitorKind | undefined {
    const address = parseAddress(source);
    if (address === undefined) return undefined;
    if (source === local || source === '::1' || (isIPv4(source) && source.startsWith('127.'))) return 'own';
    const { peers, networks } = this.#door();
    if (peers.some(({ text }) => text === address.text)) return 'own';
    const host = hostPrefix(address);
    return networks.some((network) => contains(network, host)) ? 'other' : undefined;
  }
}

/** The canonical address: of an IPv4 address that came through an IPv6 socket, and of one with a zone. */
function plain(address: string): string {
  const text = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return parseAddress(text)?.text ?? text;
}
