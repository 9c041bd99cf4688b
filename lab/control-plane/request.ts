import { request as httpsRequest } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { Place } from './place.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The authority that is trusted for this target, PEM. */
  readonly authority: string;
  /** The client certificate of the request; without it the request is anonymous. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const timeoutMs = 10_000;

/** Sends one request on a connection of its own, with `body` as JSON if given. Rejects when no whole answer comes within 10 s. */
export function sendRequest(
  place: Place,
  target: Target,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: target.host,
        port: target.port,
        method,
        path,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
        createConnection: () =>
          connectTls({
            socket: place.connect(target.host, target.port).on('error', (error) => request.destroy(error)),
            host: target.host,
            ca: target.authority,
            ...(target.client === undefined ? {} : { cert: target.client.certificate, key: target.client.key }),
          }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
