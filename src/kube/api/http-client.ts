import type { IncomingMessage } from 'node:http';
import { withoutUndefined } from '../../model/values.ts';
import type { ClientMetrics } from '../metrics.ts';
import { linesOf } from '../watch/lines.ts';
import { type Access, type AccessSource, noCredentials, sameAccess } from './access/access.ts';
import { ApiError, type KubeClient, type KubeRequest, type KubeStream } from './client.ts';
import { Transport, toApiError } from './transport.ts';

const defaultTimeoutMs = 30_000;
/** No answer is larger: a page of 500 objects of the largest size etcd takes is far below it. */
const maxBodyBytes = 1 << 30;

/** A KubeClient over HTTPS with access that may change under it. */
export class HttpKubeClient implements KubeClient {
  readonly #access: AccessSource;
  readonly #metrics: ClientMetrics;
  readonly #transport = new Transport();
  readonly #closed = new AbortController();
  #server: string;

  constructor(options: { readonly access: AccessSource; readonly server: string; readonly metrics: ClientMetrics }) {
    this.#access = options.access;
    this.#metrics = options.metrics;
    this.#server = options.server;
  }

  get server(): string {
    return this.#server;
  }

  async request<T>(request: KubeRequest): Promise<T> {
    const limit = this.#limit(request);
    try {
      const response = await this.#answer(request, limit.signal);
      const text = await this.#body(response);
      // The caller knows what it asked for.
      return parseJson(text, this.#server) as T;
    } catch (error) {
      throw this.#failure(error, limit);
    } finally {
      limit.end();
    }
  }

  async stream(request: KubeRequest): Promise<KubeStream> {
    const limit = this.#limit(request);
    try {
      const response = await this.#answer(request, limit.signal);
      limit.headersAreHere();
      return {
        lines: this.#lines(response, limit),
        close: () => {
          limit.end();
          response.destroy();
        },
      };
    } catch (error) {
      limit.end();
      throw this.#failure(error, limit);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#transport.close();
  }

  async *#lines(response: IncomingMessage, limit: Limit): AsyncGenerator<string, void, undefined> {
    try {
      yield* linesOf(response, (count) => this.#metrics.bytes(count));
    } catch (error) {
      throw this.#failure(error, limit);
    } finally {
      limit.end();
      response.destroy();
    }
  }

  /** A 2xx answer. What the server refuses for who we are is asked once more when there are newer credentials. */
  async #answer(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const access = await this.#read(signal);
    try {
      return await this.#ask(access, request, signal);
    } catch (error) {
      const refused = error instanceof ApiError && (error.status === 401 || error.reason === 'Untrusted');
      if (!refused) throw error;
      let newer = await this.#read(signal);
      if (sameAccess(newer, access)) {
        // Only what was refused is dropped: another request may have been faster, and a plugin is not run for each.
        this.#access.forget();
        newer = await this.#read(signal);
        if (sameAccess(newer, access)) throw error;
      }
      return await this.#ask(newer, request, signal);
    }
  }

  /** A plugin or a file system that hangs holds nobody up longer than the server might. */
  async #read(signal: AbortSignal): Promise<Access> {
    const late = Promise.withResolvers<never>();
    const give = (): void => late.reject(noCredentials('who we are is not known in time: a plugin or a file hangs'));
    signal.addEventListener('abort', give);
    if (signal.aborted) give();
    try {
      const access = await Promise.race([this.#access.read(), late.promise]);
      this.#server = access.server;
      return access;
    } finally {
      signal.removeEventListener('abort', give);
    }
  }

  async #ask(access: Access, request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const response = await this.#transport.send({
      access,
      method: request.method ?? 'GET',
      path: `${request.path}${queryOf(request.query)}`,
      headers: {
        accept: 'application/json',
        'user-agent': 'tideline',
        ...(body === undefined
          ? {}
          : {
              'content-type': request.contentType ?? 'application/json',
              'content-length': String(Buffer.byteLength(body)),
            }),
      },
      ...withoutUndefined({ body }),
      signal,
    });
    const status = response.statusCode ?? 0;
    this.#metrics.answered(status);
    if (status >= 200 && status < 300) return response;
    throw refusal(status, await this.#body(response), response.headers['retry-after'], access.server);
  }

  async #body(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      this.#metrics.bytes(chunk.length);
      bytes += chunk.length;
      if (bytes > maxBodyBytes)
        throw new ApiError(0, 'BadAnswer', `${this.#server}: an answer beyond ${maxBodyBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, bytes).toString('utf8');
  }

  #failure(error: unknown, limit: Limit): ApiError {
    if (error instanceof ApiError && error.reason === 'NoCredentials') return error;
    if (limit.timedOut()) {
      this.#transport.dropIdle();
      this.#metrics.answered(0);
      return new ApiError(0, 'Unreachable', `${this.#server}: no answer within ${limit.timeoutMs} ms`);
    }
    if (error instanceof ApiError && error.status > 0) return error;
    this.#metrics.answered(0);
    return toApiError(error, this.#server);
  }

  #limit(request: KubeRequest): Limit {
    const abort = new AbortController();
    const signals = [this.#closed.signal, ...(request.signal === undefined ? [] : [request.signal])];
    const onAbort = (): void => abort.abort();
    for (const signal of signals) {
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort);
    }
    let late = false;
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const timer = setTimeout(() => {
      late = true;
      abort.abort();
    }, timeoutMs);
    return {
      signal: abort.signal,
      timeoutMs,
      timedOut: () => late,
      headersAreHere: () => clearTimeout(timer),
      end() {
        clearTimeout(timer);
        for (const signal of signals) signal.removeEventListener('abort', onAbort);
      },
    };
  }
}

/** The time and signals that end one request. */
interface Limit {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  timedOut(): boolean;
  headersAreHere(): void;
  end(): void;
}

function queryOf(query: KubeRequest['query']): string {
  if (query === undefined) return '';
  const text = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === '' ? '' : `?${text}`;
}

function parseJson(text: string, server: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(0, 'BadAnswer', `${server}: the answer is not JSON`);
  }
}

/** Reasons for answers whose body is no Status (a proxy's page, an overloaded server's one line). */
const plainReasons: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

function refusal(status: number, body: string, retryAfter: string | undefined, server: string): ApiError {
  const seconds = Number(retryAfter);
  const retryAfterMs =
    retryAfter !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  const plain = plainReasons[status] ?? (status >= 500 ? 'InternalError' : 'BadAnswer');
  try {
    const { kind, reason, message } = JSON.parse(body) as { kind?: unknown; reason?: unknown; message?: unknown };
    if (kind === 'Status' && typeof message === 'string')
      return new ApiError(status, typeof reason === 'string' && reason !== '' ? reason : plain, message, retryAfterMs);
  } catch {
    // Not a Status: only its first words are worth repeating.
  }
  return new ApiError(status, plain, `${server} answered ${status}: ${body.trim().slice(0, 200)}`, retryAfterMs);
}
