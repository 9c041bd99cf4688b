import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { type Clock, sleep } from '../../../runtime/clock.ts';
import type { Trial } from './search.ts';

export interface Load {
  readonly url: URL;
  /** Value of the Host header, and the name for TLS; absent where that of the URL is right. */
  readonly host?: string | undefined;
  readonly seconds: number;
  /** An answer that takes longer is a failure. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What is later by so much, or by so many requests of a second, was sent by a machine that is too slow. */
const lateMs = 250;

/**
 * Sends requests at a rate, each at its own moment whether or not those before were answered, as users do. Ends when all are answered or failed, or the
 * signal is given.
 */
export async function loadAt(rate: number, { url, host, seconds, timeoutMs, clock, signal }: Load): Promise<Trial> {
  const isTls = url.protocol === 'https:';
  const agent = isTls
    ? new TlsAgent({ keepAlive: true, rejectUnauthorized: false })
    : new PlainAgent({ keepAlive: true });
  const times: number[] = [];
  const count = Math.max(3, Math.round(rate * seconds));
  const begun = clock.monotonic();
  let failed = 0;
  let latest = 0;
  const running: Promise<void>[] = [];
  const one = async (): Promise<void> => {
    const sentAt = clock.monotonic();
    const isGood = await ask({ url, host, isTls, agent, timeoutMs, signal });
    if (isGood) times.push(clock.monotonic() - sentAt);
    else failed += 1;
  };
  for (let sent = 0; sent < count && !signal.aborted; sent++) {
    const due = begun + (sent * 1000) / rate;
    const wait = due - clock.monotonic();
    if (wait > 0) await sleep(clock, wait);
    else latest = Math.max(latest, -wait);
    running.push(one());
  }
  await Promise.all(running);
  agent.destroy();
  const sorted = times.toSorted((a, b) => a - b);
  const p95Ms = sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)];
  return { rate, sent: running.length, failed, ...(p95Ms === undefined ? {} : { p95Ms }), isLate: latest > lateMs };
}

interface Asking extends Pick<Load, 'url' | 'host' | 'timeoutMs' | 'signal'> {
  readonly isTls: boolean;
  readonly agent: PlainAgent;
}

/** Whether an answer came whole and in time that is none of a server that has too much to do. */
function ask({ url, host, isTls, agent, timeoutMs, signal }: Asking): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const options = {
    agent,
    signal: over,
    headers: { 'user-agent': 'tideline-calibrate', ...(host === undefined ? {} : { host }) },
    ...(isTls && host !== undefined ? { servername: host } : {}),
  };
  const answered = (response: IncomingMessage): void => {
    const code = response.statusCode ?? 0;
    response.on('end', () => resolve(code > 0 && code < 500 && code !== 429));
    response.on('error', () => resolve(false));
    response.resume();
  };
  const asked = isTls ? tlsRequest(url, options, answered) : plainRequest(url, options, answered);
  asked.on('error', () => resolve(false));
  asked.end();
  return promise;
}
