import type { CredentialView } from '../../model/status.ts';

/**
 * A client of one kube-apiserver. It supplies the credentials (kubeconfig, in-cluster identity, exec plugin); bodies are JSON.
 * Every failure is an `ApiError` with a reason of our catalogue or the server's own.
 */
export interface KubeClient {
  /** The server's URL without credentials, for messages. */
  readonly server: string;
  /**
   * Resolves with the parsed body of a 2xx answer; rejects with ApiError (also when `timeoutMs` or the signal ends the
   * request).
   */
  request<T>(request: KubeRequest): Promise<T>;
  /**
   * Asks for a page of a list and hands over its items one by one as they come, so that no page is in memory as a whole: tenants
   * decide how long it is. Resolves with the list that has no items left, or with one that still has some which were not handed
   * over. Rejects as `request` does, also when `take` throws.
   */
  list(request: KubeRequest, take: (item: unknown) => Promise<void>): Promise<unknown>;
  /**
   * Opens a watch. Resolves once the server has answered 2xx, with a stream of lines; each line is one JSON document, not
   * parsed.
   */
  stream(request: KubeRequest): Promise<KubeStream>;
  /** When the credentials in use end, for `/status`; undefined while that is not known. */
  credentials?(): CredentialView | undefined;
  /** Ends all connections of this client. */
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
  /** The limit until the whole answer is there; for a stream, until its headers are there. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface KubeStream {
  /** Ends when the server or `close` ends it; throws ApiError (`Unreachable`) when the connection breaks. */
  readonly lines: AsyncIterable<string>;
  close(): void;
}

/** A request that did not succeed. `status` is 0 when no answer came. */
export class ApiError extends Error {
  readonly status: number;
  /** The server's own reason (`Expired`, `NotFound`, `Forbidden`, ...), else `Unreachable` or `BadAnswer`. */
  readonly reason: string;
  /** The wait that the header Retry-After asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
