import { ApiError } from '../client.ts';

/**
 * The address of a kube-apiserver and our credentials there, for one request. It holds secrets, so it is never logged or
 * put into a message.
 */
export interface Access {
  /** `https://host:port`, with the path prefix of the server if it has one. */
  readonly server: string;
  readonly tls: Tls;
  readonly headers: Readonly<Record<string, string>>;
  /** An `http://` proxy to tunnel through. */
  readonly proxy?: string;
}

export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Gives the newest access, from files and plugins that may change at any time. */
export interface AccessSource {
  /** Rejects with an ApiError (`NoCredentials`) while no access can be had. */
  read(): Promise<Access>;
  /** Drops all cached credentials, even those that have not expired: the server refused what `read` gave. */
  forget(): void;
}

/** Whether a request would be sent to the same server with the same credentials. */
export function sameAccess(a: Access, b: Access): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function noCredentials(message: string): ApiError {
  return new ApiError(0, 'NoCredentials', message);
}
