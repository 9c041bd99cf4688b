import type { Clock, Timer } from '../../runtime/clock.ts';
import type { KubeClient } from '../api/client.ts';
import type { Identity } from './identity.ts';

/** The limit of a look at the identity while watches are open: a server that cannot answer is noticed by them. */
const lookMs = 5000;

export interface IdentityWatchOptions {
  readonly client: KubeClient;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: () => number;
  /** How often to look, at least. */
  readonly everyMs: number;
  /** Called when the server that answers now is that of another cluster. */
  readonly onStranger: () => void;
}

/**
 * Looks now and then, and when the address of the server has changed, whether new connections still lead to the same cluster:
 * open watches would hear of it minutes later only, and the agent writes, too.
 */
export class IdentityWatch {
  readonly #options: IdentityWatchOptions;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;

  constructor(options: IdentityWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(this.#options.client.server, this.#options.clock.monotonic());
  }

  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  #schedule(server: string, checkedMs: number): void {
    const { client, identity, clock, random, everyMs } = this.#options;
    const restMs = everyMs * (1 + random() / 4);
    this.#timer = clock.setTimeout(
      () => {
        const due = client.server !== server || clock.monotonic() - checkedMs >= restMs;
        if (!due || identity.stranger !== undefined) return this.#schedule(client.server, checkedMs);
        void this.#look().then(() => {
          if (!this.#stopping.signal.aborted) this.#schedule(client.server, clock.monotonic());
        });
      },
      Math.min(1000, everyMs),
    );
  }

  async #look(): Promise<void> {
    const { identity, onStranger } = this.#options;
    await identity.check(this.#stopping.signal, lookMs).catch(() => undefined);
    if (identity.stranger !== undefined) onStranger();
  }
}
