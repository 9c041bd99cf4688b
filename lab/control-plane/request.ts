import { request as httpsRequest } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { Place } from './place.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** PEM: trusted for this target. */
  readonly authority: string;
  /** Who asks; without it nobody in particular. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const timeoutMs = 10_000;

/** One request on a connection of its own, with a JSON body if there is one. Rejects when no whole answer comes within 10 s. */
export function ask(place: Place, target: Target, method: string, path: string, body?: unknown): Promise<Answer> {
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
