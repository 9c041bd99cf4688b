import { Agent, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { vip } from './world.ts';

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Common name of the certificate that was presented. */
  readonly certificate?: string;
}

/** Sends one GET to the VIP; rejects when no answer arrives. */
export function ask(
  host: string,
  path = '/',
  options: { readonly agent?: Agent; readonly tls?: boolean } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const common = { host: vip, path, headers: { host }, timeout: 5000 };
    const call =
      options.tls === true
        ? tlsRequest({
            ...common,
            servername: host,
            rejectUnauthorized: false,
            agent: new TlsAgent({ keepAlive: false }),
          })
        : request({ ...common, agent: options.agent ?? false });
    call.on('response', (response) => {
      const certificate =
        options.tls === true ? (response.socket as TLSSocket).getPeerCertificate().subject?.CN : undefined;
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          ...(typeof certificate === 'string' ? { certificate } : {}),
        }),
      );
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 5 s')));
    call.on('error', reject);
    call.end();
  });
}

export async function podOf(host: string, path = '/'): Promise<string | number> {
  const { status, body } = await ask(host, path);
  return status === 200 ? (JSON.parse(body) as { readonly pod: string }).pod : status;
}

/** A steady stream of requests over new and kept-alive connections until `stop`, which returns the failures. */
export class Load {
  readonly #host: string;
  readonly #kept = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #pending = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  #requests = 0;
  /** Requests that were lost with their connection and answered on another one, as browsers do for a GET. */
  #repeated = 0;
  #timer: NodeJS.Timeout;

  constructor(host: string) {
    this.#host = host;
    this.#timer = setInterval(() => this.#send(), 20);
  }

  /** Rejects when there was no request, because then no failure says nothing. */
  async stop(): Promise<{
    readonly requests: number;
    readonly failures: readonly string[];
    readonly repeated: number;
  }> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    this.#kept.destroy();
    if (this.#requests === 0) throw new Error(`the load sent no request to ${this.#host}`);
    return { requests: this.#requests, failures: this.#failures, repeated: this.#repeated };
  }

  #send(): void {
    this.#requests += 1;
    const options = this.#requests % 2 === 0 ? { agent: this.#kept } : {};
    const one = this.#try(options).then(
      ({ status }) => void (status === 200 || this.#failures.push(`HTTP ${status}`)),
      (error: unknown) => void this.#failures.push(String(error)),
    );
    this.#pending.add(one);
    void one.then(() => this.#pending.delete(one));
  }

  async #try(options: { readonly agent?: Agent }): Promise<Reply> {
    try {
      return await ask(this.#host, '/', options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      this.#repeated += 1;
      return await ask(this.#host);
    }
  }
}
