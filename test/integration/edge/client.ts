import { Agent, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { vip } from './world.ts';

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Common name of the certificate that was presented. */
  readonly certificate?: string;
}

/** The connection of a request ended before any byte of the answer. */
class Unanswered extends Error {
  /** The request was not the first of its connection. */
  readonly kept: boolean;
  constructor(kept: boolean) {
    super(`a ${kept ? 'kept' : 'new'} connection was reset before any byte of the answer`);
    this.kept = kept;
  }
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
    let [socket, before] = [undefined as Socket | undefined, 0];
    call.on('socket', (given) => {
      [socket, before] = [given, given.bytesRead];
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      const unanswered = error.code === 'ECONNRESET' && socket?.bytesRead === before;
      reject(unanswered ? new Unanswered(call.reusedSocket) : error);
    });
    call.end();
  });
}

export async function podOf(host: string, path = '/'): Promise<string | number> {
  const { status, body } = await ask(host, path);
  return status === 200 ? (JSON.parse(body) as { readonly pod: string }).pod : status;
}

const keptConnections = 4;

/** A steady stream of requests over new and kept-alive connections until `stop`, which returns the failures. */
export class Load {
  readonly #host: string;
  readonly #kept = new Agent({ keepAlive: true, maxSockets: keptConnections });
  readonly #pending = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  #requests = 0;
  /** How often a kept connection was found closed by a request, which went over another one, as browsers do for a GET. */
  #repeated = 0;
  /** How often a new connection was reset before any byte of the answer. */
  #reset = 0;
  #timer: NodeJS.Timeout;

  constructor(host: string) {
    this.#host = host;
    this.#timer = setInterval(() => this.#send(), 20);
  }

  /**
   * A router that moves flows to another blade ends the kept connections, and may end a request that is in flight in that moment, as
   * the README of the edge says: so much is no failure for each of the `moves` that the test made. Rejects when there was no request,
   * because then no failure says nothing.
   */
  async stop({ moves = 0 } = {}): Promise<{ readonly requests: number; readonly failures: readonly string[] }> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    this.#kept.destroy();
    if (this.#requests === 0) throw new Error(`the load sent no request to ${this.#host}`);
    const failures = [...this.#failures];
    if (this.#repeated > moves * keptConnections) failures.push(`${this.#repeated} kept connections were closed`);
    if (this.#reset > moves) failures.push(`${this.#reset} new connections were reset`);
    return { requests: this.#requests, failures };
  }

  #send(): void {
    this.#requests += 1;
    const options = this.#requests % 2 === 0 ? { agent: this.#kept } : {};
    const one = this.#try(options).then(
      (reply) => void (reply === undefined || reply.status === 200 || this.#failures.push(`HTTP ${reply.status}`)),
      (error: unknown) => void this.#failures.push(String(error)),
    );
    this.#pending.add(one);
    void one.then(() => this.#pending.delete(one));
  }

  async #try(options: { readonly agent?: Agent }): Promise<Reply | undefined> {
    try {
      return await ask(this.#host, '/', options);
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (error.kept) {
        this.#repeated += 1;
        return await this.#try({});
      }
      this.#reset += 1;
      return undefined;
    }
  }
}
