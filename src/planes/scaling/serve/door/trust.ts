import type { KubeClient } from '../../../../kube/api/client.ts';
import { messageOf } from '../../../../model/values.ts';
import type { Clock, Timer } from '../../../../runtime/clock.ts';
import type { Log } from '../../../../runtime/log.ts';
import { type FrontProxy, frontProxyOf } from './front-proxy.ts';

export interface TrustOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when other authorities are believed than before. */
  readonly onChange: (trusted: FrontProxy) => void;
}

const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
/** A new authority is believed within that time; the apiserver answers from its cache. */
const everyMs = 10_000;
const againMs = 2000;
const patienceMs = 5000;

/** Whom a cluster believes, followed as it changes. What cannot be read changes nothing. */
export class Trust {
  readonly #options: TrustOptions;
  #trusted: FrontProxy | undefined;
  #text = '';
  #problem: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#read().then(() => {
      if (this.#stopped) return;
      const afterMs = this.#problem === undefined ? everyMs : againMs;
      this.#timer = this.#options.clock.setTimeout(() => this.start(), afterMs);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Undefined before the cluster answered: then nobody is believed. */
  current(): FrontProxy | undefined {
    return this.#trusted;
  }

  /** Why the last look brought nothing. */
  problem(): string | undefined {
    return this.#problem;
  }

  async #read(): Promise<void> {
    const { client, log, onChange } = this.#options;
    try {
      const answer = await client.request<{ readonly data?: unknown }>({
        path,
        query: { resourceVersion: '0' },
        timeoutMs: patienceMs,
      });
      const text = JSON.stringify(answer.data);
      this.#problem = undefined;
      if (text === this.#text) return;
      this.#trusted = frontProxyOf(answer);
      this.#text = text;
      onChange(this.#trusted);
      const { clients, proxies } = this.#trusted;
      log.info({ clients: clients.length, proxies: proxies.length }, 'authorities of the cluster read');
    } catch (error) {
      const problem = `whom the cluster believes cannot be read: ${messageOf(error)}`;
      if (problem !== this.#problem) log.warn({ problem }, 'authorities of the cluster not read; the last ones stay');
      this.#problem = problem;
    }
  }
}
