import { connect } from 'node:net';
import { Deadline } from '../../../runtime/deadline.ts';
import type { BackendKey, Endpoint } from '../table.ts';

/** Resolves with whether an endpoint takes a connection. Never rejects. */
export type TryEndpoint = (endpoint: Endpoint) => Promise<boolean>;

/** As long as nginx waits for a connection of its own. */
const connectMs = 2000;

export const tryEndpoint: TryEndpoint = ({ address, port }) =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const deadline = new Deadline(connectMs, () => socket.destroy());
    const end = (connected: boolean): void => {
      deadline.cancel();
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => end(true));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  });

/** So many backends are tried at once, at most once a second. */
const triesAtOnce = 8;
const everyMs = 1000;

/**
 * Tries the endpoints of backends to which nothing connects any more, one endpoint of some backends each second, until a connection is
 * made: without clients nobody else would.
 */
export class Reach {
  readonly #try: TryEndpoint;
  readonly #endpointsOf: (key: BackendKey) => readonly Endpoint[];
  readonly #reached = new Map<BackendKey, number>();
  #turn = 0;
  #triedMs = -Infinity;

  constructor(tryOne: TryEndpoint, endpointsOf: (key: BackendKey) => readonly Endpoint[]) {
    this.#try = tryOne;
    this.#endpointsOf = endpointsOf;
  }

  /** When a try of each backend connected last. */
  get reached(): ReadonlyMap<BackendKey, number> {
    return this.#reached;
  }

  /** To be called as often as one likes with the backends that are dark; resolves at once, tries go on in the background. */
  tryAgain(dark: ReadonlySet<BackendKey>, nowMs: number): void {
    for (const key of this.#reached.keys()) if (!dark.has(key)) this.#reached.delete(key);
    if (dark.size === 0 || nowMs - this.#triedMs < everyMs) return;
    this.#triedMs = nowMs;
    this.#turn += 1;
    const keys = [...dark];
    const from = (this.#turn * triesAtOnce) % keys.length;
    for (const key of [...keys.slice(from), ...keys.slice(0, from)].slice(0, triesAtOnce))
      void this.#tryOne(key, nowMs);
  }

  async #tryOne(key: BackendKey, nowMs: number): Promise<void> {
    const endpoints = this.#endpointsOf(key);
    const endpoint = endpoints[this.#turn % Math.max(1, endpoints.length)];
    if (endpoint !== undefined && (await this.#try(endpoint))) this.#reached.set(key, nowMs);
  }
}
