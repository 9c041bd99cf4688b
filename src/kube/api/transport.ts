import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Access } from './access/access.ts';
import { ApiError } from './client.ts';
import { TunnelAgent } from './tunnel.ts';

/** After this long without data the kernel probes the peer; when it does not answer, the connection breaks ten seconds later. */
const keepAliveMs = 15_000;

export interface Sending {
  readonly access: Access;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/**
 * HTTP/1.1 over TLS, with one connection for each request in flight, kept for the next request. So a watch that stalls holds up
 * no other request, and a half-open connection shows on its own watch. Changed certificates are used for new connections;
 * connections in use go on.
 */
export class Transport {
  #agent: { readonly key: string; readonly agent: Agent } | undefined;

  /** Resolves when the headers of the answer are there; rejects with ApiError `Unreachable` or `Untrusted`. */
  async send(sending: Sending): Promise<IncomingMessage> {
    try {
      return await this.#sendOnce(sending);
    } catch (error) {
      // The server closed a kept connection just as it was used again. Only a GET may be repeated safely.
      if (sending.method === 'GET' && error instanceof StaleConnection) return this.#sendOnce(sending);
      throw error;
    }
  }

  /** Drops the kept connections, which may be dead: the next requests make new ones. */
  dropIdle(): void {
    if (this.#agent !== undefined) retire(this.#agent.agent);
    this.#agent = undefined;
  }

  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  #sendOnce({ access, method, path, headers, body, signal }: Sending): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const url = new URL(access.server);
    const options = {
      method,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 443 : url.port,
      path: `${url.pathname.replace(/\/$/, '')}${path}`,
      headers: { ...headers, ...access.headers },
      signal,
    };
    if (url.protocol !== 'https:') {
      if (url.protocol !== 'http:' || 'authorization' in access.headers)
        throw new ApiError(0, 'NoCredentials', `${access.server} is not https: nothing secret is sent there`);
      return this.#start(httpRequest(options), { body, server: access.server, promise, resolve, reject });
    }
    const request = httpsRequest({ ...options, agent: this.#agentFor(access) });
    return this.#start(request, { body, server: access.server, promise, resolve, reject });
  }

  #start(
    request: ReturnType<typeof httpsRequest>,
    wait: {
      readonly body: string | undefined;
      readonly server: string;
      readonly promise: Promise<IncomingMessage>;
      readonly resolve: (response: IncomingMessage) => void;
      readonly reject: (error: Error) => void;
    },
  ): Promise<IncomingMessage> {
    request.on('socket', (socket) => socket.setKeepAlive(true, keepAliveMs));
    request.on('response', wait.resolve);
    request.on('error', (error) =>
      wait.reject(
        request.reusedSocket && isReset(error)
          ? new StaleConnection(wait.server, error)
          : toApiError(error, wait.server),
      ),
    );
    request.end(wait.body);
    return wait.promise;
  }

  #agentFor(access: Access): Agent {
    const key = JSON.stringify([access.server, access.tls, access.proxy]);
    if (this.#agent?.key === key) return this.#agent.agent;
    if (this.#agent !== undefined) retire(this.#agent.agent);
    const { proxy, tls } = access;
    const common = { keepAlive: true, keepAliveMsecs: keepAliveMs, maxFreeSockets: 4, ...tls };
    const agent = proxy === undefined ? new Agent(common) : new TunnelAgent(common, proxy, tls);
    this.#agent = { key, agent };
    return agent;
  }
}

/** Lets the connections in use finish, and keeps none for later. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

class StaleConnection extends ApiError {
  constructor(server: string, cause: Error) {
    super(0, 'Unreachable', `${server}: ${cause.message}`);
  }
}

function isReset(error: Error & { readonly code?: string }): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

/** Errors of Node and OpenSSL that say that a certificate, on either side, was rejected. */
const distrust =
  /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS_CERT|ERR_SSL_.*(ALERT|KEY_VALUES|PEM)|ERR_OSSL|HOSTNAME_MISMATCH/;

export function toApiError(error: unknown, server: string): ApiError {
  if (error instanceof ApiError) return error;
  const { code = '', message } =
    error instanceof Error ? (error as Error & { readonly code?: string }) : { message: String(error) };
  const reason = distrust.test(code) ? 'Untrusted' : 'Unreachable';
  return new ApiError(0, reason, `${server}: ${message || code}`);
}
