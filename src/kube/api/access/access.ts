import { ApiError } from '../client.ts';

/** Where a kube-apiserver is and who we are to it, as one request needs it. Holds secrets: never logged, never in a message. */
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
  /** Rejects with an ApiError (`NoCredentials`) while there is none to be had. */
  read(): Promise<Access>;
  /** The server refused what `read` gave: what is kept is dropped, also what has not expired. */
  forget(): void;
}

/** Whether a request would be sent with the same words. */
export function sameAccess(a: Access, b: Access): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function noCredentials(message: string): ApiError {
  return new ApiError(0, 'NoCredentials', message);
}
