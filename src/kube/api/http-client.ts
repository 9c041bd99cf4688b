import type { IncomingMessage } from 'node:http';
import { withoutKnown } from '../../model/secrets.ts';
import type { CredentialView } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { ClientMetrics } from '../metrics.ts';
import { linesOf } from '../watch/lines.ts';
import { type Access, type AccessSource, noCredentials, sameAccess } from './access/access.ts';
import type { CredentialEnd } from './access/end.ts';
import { ApiError, type KubeClient, type KubeRequest, type KubeStream } from './client.ts';
import { ListCutter } from './items.ts';
import { Transport, toApiError } from './transport.ts';

const defaultTimeoutMs = 30_000;
/** The limit for the body of an answer that is read as a whole: one object, or a page of a list with few. */
const maxBodyBytes = 64 << 20;
/** The limit for a page of a list, of which one item at a time is in memory. 500 objects of the largest size that etcd takes stay below it. */
const maxListBytes = 1 << 30;
/** The limit for the body of a refusal, which is a Status. */
const maxRefusalBytes = 1 << 20;

/** A KubeClient over HTTPS whose address and credentials may change while it runs. */
export class HttpKubeClient implements KubeClient {
  readonly #access: AccessSource;
  readonly #metrics: ClientMetrics;
  readonly #transport = new Transport();
  readonly #closed = new AbortController();
  readonly #end: CredentialEnd | undefined;
  #server: string;

  constructor(options: {
    readonly access: AccessSource;
    readonly server: string;
    readonly metrics: ClientMetrics;
    readonly end?: CredentialEnd;
  }) {
    this.#end = options.end;
    this.#access = options.access;
    this.#metrics = options.metrics;
    this.#server = options.server;
  }

  get server(): string {
    return this.#server;
  }

  credentials(): CredentialView | undefined {
    return this.#end?.view();
  }

  request<T>(request: KubeRequest): Promise<T> {
    // The caller knows the type of what it asked for.
    return this.#read(request, async (response) => parseJson(await this.#readBody(response), this.#server) as T);
  }

  list(request: KubeRequest, take: (item: unknown) => Promise<void>): Promise<unknown> {
    return this.#read(request, async (response) => {
      const cutter = new ListCutter();
      for await (const chunk of this.#chunks(response, maxListBytes))
        for (const item of cutter.take(chunk)) await take(parseJson(item, this.#server));
      return parseJson(cutter.rest, this.#server);
    });
  }

  /** Sends a request and reads its answer, both within the time limit of the request. */
  async #read<T>(request: KubeRequest, read: (response: IncomingMessage) => Promise<T>): Promise<T> {
    const limit = this.#startLimit(request);
    try {
      return await read(await this.#sendWithNewestAccess(request, limit.signal));
    } catch (error) {
      throw this.#toApiError(error, limit);
    } finally {
      limit.end();
    }
  }

  async stream(request: KubeRequest): Promise<KubeStream> {
    const limit = this.#startLimit(request);
    try {
      const response = await this.#sendWithNewestAccess(request, limit.signal);
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
      throw this.#toApiError(error, limit);
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
      throw this.#toApiError(error, limit);
    } finally {
      limit.end();
      response.destroy();
    }
  }

  /** Resolves with a 2xx answer. A request that is refused for its credentials is sent once more when there are newer ones. */
  async #sendWithNewestAccess(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const access = await this.#readAccess(signal);
    try {
      return await this.#send(access, request, signal);
    } catch (error) {
      const refused = error instanceof ApiError && (error.status === 401 || error.reason === 'Untrusted');
      if (!refused) throw error;
      let newer = await this.#readAccess(signal);
      if (sameAccess(newer, access)) {
        // Credentials are dropped only while they are the refused ones: when many requests are refused, the plugin runs once.
        this.#access.forget();
        newer = await this.#readAccess(signal);
        if (sameAccess(newer, access)) throw error;
      }
      return await this.#send(newer, request, signal);
    }
  }

  /** Reads the access within the time limit of the request, even when a plugin or a file system hangs. */
  async #readAccess(signal: AbortSignal): Promise<Access> {
    const late = Promise.withResolvers<never>();
    const give = (): void =>
      late.reject(noCredentials('the credentials could not be read in time: a plugin or a file hangs'));
    signal.addEventListener('abort', give);
    if (signal.aborted) give();
    try {
      const access = await Promise.race([this.#access.read(), late.promise]);
      this.#server = access.server;
      this.#end?.note(access);
      return access;
    } finally {
      signal.removeEventListener('abort', give);
    }
  }

  async #send(access: Access, request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
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
    const said = withoutKnown(await this.#readBody(response, maxRefusalBytes), secretsOf(access));
    throw refusal(status, said, response.headers['retry-after'], access.server);
  }

  async #readBody(response: IncomingMessage, maxBytes = maxBodyBytes): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#chunks(response, maxBytes)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }

  async *#chunks(response: IncomingMessage, maxBytes: number): AsyncGenerator<Buffer, void, undefined> {
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      this.#metrics.bytes(chunk.length);
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw new ApiError(0, 'BadAnswer', `${this.#server}: the answer has more than ${maxBytes} bytes`);
      yield chunk;
    }
  }

  #toApiError(error: unknown, limit: Limit): ApiError {
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

  #startLimit(request: KubeRequest): Limit {
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

/** The credentials in a request, which a server may repeat in its answer. */
function secretsOf({ headers }: Access): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => !name.startsWith('impersonate-'))
    .flatMap(([, value]) => [value, value.replace(/^\w+ /, '')]);
}

/** The time limit and the signals that end one request. */
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

/** Reasons for answers whose body is not a Status (a page of a proxy, a line of an overloaded server). */
const plainReasons: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

/** Which PodDisruptionBudgets hold an eviction stands in the causes alone. */
function budgetsIn(details: unknown): readonly string[] {
  const { causes } = (details ?? {}) as { readonly causes?: unknown };
  if (!Array.isArray(causes)) return [];
  return causes.flatMap(({ reason, message }: Readonly<Record<string, unknown>>) =>
    reason === 'DisruptionBudget' && typeof message === 'string' ? [message] : [],
  );
}

/** Longer messages of a server are cut: they go to logs and to `/status`. */
const maxMessage = 2000;

function refusal(status: number, body: string, retryAfter: string | undefined, server: string): ApiError {
  const seconds = Number(retryAfter);
  const retryAfterMs =
    retryAfter !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  const plain = plainReasons[status] ?? (status >= 500 ? 'InternalError' : 'BadAnswer');
  try {
    const { kind, reason, message, details } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    if (kind === 'Status' && typeof message === 'string')
      return new ApiError(
        status,
        typeof reason === 'string' && reason !== '' ? reason : plain,
        [message, ...budgetsIn(details)].join(' ').slice(0, maxMessage),
        retryAfterMs,
      );
  } catch {
    // The body is not a Status: the message below repeats its beginning.
  }
  return new ApiError(status, plain, `${server} answered ${status}: ${body.trim().slice(0, 200)}`, retryAfterMs);
}
