import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../runtime/clock.ts';
import type { HttpFacts } from './target.ts';

/** Opens a new connection; undefined when that fails. */
export type Open = () => Promise<TLSSocket | undefined>;
export type ClockRange = NonNullable<HttpFacts['clock']>;

export interface Place {
  readonly host: string;
  readonly path: string;
}

export interface TextAnswer {
  readonly status: number;
  readonly body: string;
  /**
   * The server's clock minus ours. The Date header was written between our request and its answer, and is cut to the second:
   * so the range is a second and a round trip wide. Absent when there was no Date.
   */
  readonly clock?: ClockRange;
}

/** The answers that we look at have less than a kilobyte. */
const maxBodyBytes = 1 << 20;

/** Sends one anonymous GET on a connection of its own; undefined when it fails or takes longer than `timeoutMs`. */
export async function getAnonymously(
  open: Open,
  place: Place,
  clock: Clock,
  timeoutMs: number,
): Promise<TextAnswer | undefined> {
  const socket = await open();
  return socket === undefined ? undefined : await get(socket, place, clock, timeoutMs);
}

function get(
  socket: TLSSocket,
  { host, path }: Place,
  clock: Clock,
  timeoutMs: number,
): Promise<TextAnswer | undefined> {
  return new Promise((resolve) => {
    const [askedMs, startMs] = [clock.now(), clock.monotonic()];
    const headers = { host, accept: '*/*', 'user-agent': 'tideline-check', connection: 'close' };
    const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
    const sent = request({ createConnection: () => socket, path, headers, signal }, (response) => {
      const answeredMs = askedMs + (clock.monotonic() - startMs);
      const dateMs = Date.parse(response.headers.date ?? '');
      const range = { lowMs: dateMs - answeredMs, highMs: dateMs + 1000 - askedMs };
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBodyBytes) socket.destroy();
        else chunks.push(chunk);
      });
      response.on('error', () => resolve(undefined));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body, ...(Number.isNaN(dateMs) ? {} : { clock: range }) });
      });
    });
    sent.on('error', () => resolve(undefined));
    sent.on('close', () => {
      socket.destroy();
      resolve(undefined);
    });
    sent.end();
  });
}
