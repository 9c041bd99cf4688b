import type { EdgePool } from '../../../model/spec/kinds.ts';

/** What a pool gives one object and one namespace. */
export type Limits = EdgePool['spec']['limits'];

/**
 * Room that namespaces share. None may take more than its share, so that none can fill the room for the others; what a namespace
 * has taken counts against its share as if it were alone, so that nothing another one does makes it more.
 */
export class SharedRoom {
  readonly share: number;
  #left: number;
  readonly #used = new Map<string, number>();

  constructor(all: number, share: number) {
    this.#left = all;
    this.share = share;
  }

  /** What is left to the namespace of its share. */
  leftTo(namespace: string): number {
    return this.share - (this.#used.get(namespace) ?? 0);
  }

  /** What is left to all together. */
  get left(): number {
    return this.#left;
  }

  /** Which of the two there is too little of; undefined when there is room. `alone` is what it would cost the namespace alone. */
  lack(namespace: string, cost: number, alone = cost): 'share' | 'all' | undefined {
    if (alone > this.leftTo(namespace)) return 'share';
    return cost > this.#left ? 'all' : undefined;
  }

  take(namespace: string, cost: number, alone = cost): void {
    this.#used.set(namespace, (this.#used.get(namespace) ?? 0) + alone);
    this.#left -= cost;
  }
}

/** What may be stored of one host: the entry goes to nginx in one message of at most 8 MiB, and is decoded as a whole. */
export const hostBytes = {
  /** For the routes of the namespace that owns the host: the oldest one with a route on it. */
  owner: 640 * 1024,
  /** For the routes of all other namespaces together, and of one of them. */
  others: 512 * 1024,
  other: 128 * 1024,
  /** For the paths of all namespaces that are only refused, and of one namespace. */
  guards: 512 * 1024,
  guard: 128 * 1024,
} as const;

/** What a host has beside its routes and their settings. */
const bareBytes = 128;

/** The bytes that the routes of one host take in its entry, by namespace. */
export class HostEntry {
  readonly owner: string;
  readonly #others = new SharedRoom(hostBytes.others, hostBytes.other);
  readonly #own = new SharedRoom(hostBytes.owner, hostBytes.owner);
  readonly #guards = new SharedRoom(hostBytes.guards, hostBytes.guard);
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(owner: string) {
    this.owner = owner;
  }

  /** The length of an entry without anything. */
  readonly bare = bareBytes;

  /** The length of the entry, with so much more. */
  length(more = 0): number {
    return bareBytes + this.#all + more;
  }

  /** The length that the entry would have if this namespace were the only one on the host; undefined while it has nothing there. */
  lengthOf(namespace: string): number | undefined {
    const taken = this.#taken.get(namespace);
    return taken === undefined ? undefined : bareBytes + taken;
  }

  /** What there is too little of: the share of the namespace, or what it shares with others. */
  lack(namespace: string, bytes: number, kind: 'route' | 'guard'): 'share' | 'all' | undefined {
    return this.#room(namespace, kind).lack(namespace, bytes);
  }

  /** The namespaces with the most of what they share, for people: `b (128 KiB), c (1 KiB)`. */
  get largest(): string {
    const others = [...this.#taken].filter(([namespace]) => namespace !== this.owner).sort(([, a], [, b]) => b - a);
    return others
      .slice(0, 4)
      .map(([namespace, bytes]) => `${namespace} (${Math.ceil(bytes / 1024)} KiB)`)
      .join(', ');
  }

  take(namespace: string, bytes: number, kind: 'route' | 'guard'): void {
    this.#room(namespace, kind).take(namespace, bytes);
    this.#taken.set(namespace, (this.#taken.get(namespace) ?? 0) + bytes);
    this.#all += bytes;
  }

  #room(namespace: string, kind: 'route' | 'guard'): SharedRoom {
    if (kind === 'guard') return this.#guards;
    return namespace === this.owner ? this.#own : this.#others;
  }
}
