import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface RequestOptions {
  readonly protocol: 'http' | 'https';
  /** The server's address; the caller has asked DNS before. */
  readonly address: string;
  /** By default 80 for HTTP and 443 for HTTPS. */
  readonly port?: number;
  readonly host: string;
  readonly source: string;
  readonly path: string;
  readonly timeoutMs: number;
  readonly trust?: string;
}

/** A connection carries about this many requests, as a browser's does for a page. */
const requestsPerConnection = 10;

/** Error codes of an established connection that was lost; a refused, unreachable or silent one is no such loss. */
const lossCodes: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** The connections of one client: kept alive, closed after some ten requests. */
export class Connections {
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: 2 });
  readonly #https = new HttpsAgent({ keepAlive: true, maxFreeSockets: 2 });
  readonly #used = new WeakMap<object, number>();

  /**
   * Sends a GET. When its connection is closed before any byte of the answer, it is sent once more on a new one, as clients
   * may do with what is idempotent (RFC 9110, 9.2.2). Any other failure is one that the user sees: `get` rejects with its name.
   */
  async get(options: RequestOptions): Promise<{ readonly answer: Answer; readonly retried: boolean }> {
    const deadline = performance.now() + options.timeoutMs;
    try {
      return { answer: await this.#once(options, deadline, false), retried: false };
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      return { answer: await this.#once(options, deadline, true), retried: true };
    }
  }

  /** Closes connections that no request uses, so that the next one opens its own: DNS sent the user elsewhere. */
  closeIdle(): void {
    for (const agent of [this.#http, this.#https])
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  #once(options: RequestOptions, deadline: number, again: boolean): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const request = this.#open(options, again);
    let bytesBefore = 0;
    let socket: Socket | undefined;
    const timer = setTimeout(
      () => {
        reject(new Error('Timeout'));
        request.destroy();
      },
      Math.max(0, deadline - performance.now()),
    );
    request.on('socket', (given) => {
      socket = given;
      bytesBefore = given.bytesRead;
      this.#used.set(given, (this.#used.get(given) ?? 0) + 1);
    });
    request.on('response', (response) => {
      collect(response, resolve, reject);
      response.on('end', () => {
        if (socket !== undefined && (this.#used.get(socket) ?? 0) >= requestsPerConnection) socket.destroy();
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const lost = lossCodes.has(error.code) && (socket?.bytesRead ?? 0) === bytesBefore;
      reject(lost && !again ? new ConnectionLost() : new Error(error.code ?? error.message));
    });
    request.end();
    return promise.finally(() => clearTimeout(timer));
  }

  #open(options: RequestOptions, again: boolean): ClientRequest {
    const { protocol, address, host, source, path, trust } = options;
    const common = {
      host: address,
      port: options.port ?? (protocol === 'http' ? 80 : 443),
      localAddress: source,
      path,
      headers: { host },
    };
    const create = protocol === 'http' ? httpRequest : httpsRequest;
    const agent = protocol === 'http' ? this.#http : this.#https;
    const tls = protocol === 'http' ? {} : { servername: host, ca: trust };
    return create({ ...common, ...tls, agent: again ? false : agent });
  }
}

/** The connection was closed before any byte of the answer came. */
class ConnectionLost extends Error {}

function collect(response: IncomingMessage, resolve: (answer: Answer) => void, reject: (error: Error) => void): void {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    body += chunk;
  });
  response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
  response.on('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? 'BodyCut')));
}
