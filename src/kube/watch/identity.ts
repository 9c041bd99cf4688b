import { withoutUndefined } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { ApiError, type KubeClient } from '../api/client.ts';
import type { Stranger } from '../doubt-board.ts';
import { mayMean } from '../showings.ts';

/** The namespace whose uid is the identity of a cluster: every cluster has it, and it lives as long as the cluster's storage. */
const path = '/api/v1/namespaces/kube-system';

/**
 * The identity of the cluster that is read. A kubeconfig may be replaced, a name or an address may come to lead elsewhere: so
 * each list and each watch is checked once it is open, before anything that it brings counts.
 */
export class Identity {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timeoutMs: number;
  #known: string | undefined;
  #stranger: Stranger | undefined;
  #told = false;

  constructor(options: {
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly log: Log;
    readonly timeoutMs: number;
  }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#timeoutMs = options.timeoutMs;
  }

  /** The identity of the cluster whose objects are in force; undefined while none was ever seen. */
  get known(): string | undefined {
    return this.#known;
  }

  /** The other cluster that answered last, and was refused; since when, by the monotonic clock. */
  get refused(): Stranger | undefined {
    return this.#stranger;
  }

  /** The identity of another cluster that answered last, and was refused. */
  get stranger(): string | undefined {
    return this.#stranger?.identity;
  }

  /**
   * Whether a person who wrote this identity then meant the cluster that is refused now. One who wrote it long before that meant
   * another visit of it. `writtenMs` is by the monotonic clock.
   */
  isMeant(said: string, writtenMs: number): boolean {
    const stranger = this.#stranger;
    return stranger !== undefined && said === stranger.identity && mayMean(writtenMs, stranger.sinceMs);
  }

  /** Takes this cluster for the known one from now on: that of the last-good state, or one that a person accepted. */
  trust(identity: string | undefined): void {
    this.#known = identity ?? this.#known;
    this.#stranger = undefined;
  }

  /**
   * Resolves when the server that answers now is that of the known cluster; the first identity ever seen becomes the known one.
   * Rejects with ApiError `OtherCluster` when it is not. A server that does not let us see its identity is believed only as long
   * as no identity is known.
   */
  async check(signal: AbortSignal, timeoutMs = this.#timeoutMs): Promise<void> {
    const seen = await this.#read(signal, timeoutMs);
    if (seen !== undefined && this.#known === undefined) this.#known = seen;
    if (seen === this.#known) {
      this.#stranger = undefined;
      return;
    }
    const { server } = this.#client;
    const is = seen === undefined ? 'a cluster without identity' : `cluster ${seen}`;
    const message = `${server} is ${is}, the objects in force are of cluster ${this.#known}`;
    if (this.#stranger === undefined || this.#stranger.identity !== seen)
      this.#stranger = { message, sinceMs: this.#clock.monotonic(), ...withoutUndefined({ identity: seen }) };
    throw new ApiError(0, 'OtherCluster', message);
  }

  async #read(signal: AbortSignal, timeoutMs: number): Promise<string | undefined> {
    try {
      const found = await this.#client.request<{ readonly metadata?: { readonly uid?: unknown } } | null>({
        path,
        signal,
        timeoutMs,
      });
      const uid = found?.metadata?.uid;
      if (typeof uid === 'string' && uid !== '') return uid;
      if (this.#known === undefined) return undefined;
      throw new ApiError(0, 'BadAnswer', `the answer is not the namespace of ${path}`);
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) throw error;
      if (error.status === 403 && this.#known !== undefined) throw error;
      if (!this.#told)
        this.#log.warn(
          { detail: error.message },
          'the identity of the cluster cannot be read: another cluster in its place would be recognised by its losses alone',
        );
      this.#told = true;
      return undefined;
    }
  }
}
