/**
 * One kube-apiserver as an agent talks to it: who we are is settled (kubeconfig, in-cluster identity, exec plugin), bodies
 * are JSON. Every failure is an `ApiError` with a reason of our catalogue or the server's own.
 */
export interface KubeClient {
  /** The server's URL, without credentials: for messages. */
  readonly server: string;
  /** Resolves with the parsed body of a 2xx answer; rejects with ApiError (also when `timeoutMs` or the signal ends it). */
  request<T>(request: KubeRequest): Promise<T>;
  /** Opens a watch: resolves once the server answered 2xx, with its lines; each is one JSON document, not parsed. */
  stream(request: KubeRequest): Promise<KubeStream>;
  /** Ends its connections. */
  close(): Promise<void>;
}

export interface KubeRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** E.g. `/api/v1/nodes`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`; a server-side apply is `application/apply-patch+yaml` (JSON is YAML). */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Until the whole answer is there; for a stream until its headers are. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface KubeStream {
  /** Ends when the server or `close` ends it; throws ApiError (`Unreachable`) when the connection breaks. */
  readonly lines: AsyncIterable<string>;
  close(): void;
}

/** Why the API did not do what was asked. `status` is 0 when no answer came. */
export class ApiError extends Error {
  readonly status: number;
  /** The server's own reason (`Expired`, `NotFound`, `Forbidden`, ...), else `Unreachable` or `BadAnswer`. */
  readonly reason: string;
  /** What Retry-After asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
