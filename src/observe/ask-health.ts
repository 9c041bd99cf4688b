import { request as http, type IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import { Deadline } from '../runtime/deadline.ts';
import type { HealthPart } from './why/evidence.ts';

/** What a checker of a DNS provider asks of one entry address. */
export interface HealthQuery {
  readonly cluster: string;
  readonly policy: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly path: string;
  /** Value of the Host header, and the name that is asked for by TLS. */
  readonly host: string;
  /** What the start of the answer must hold; absent where the status of the answer alone counts. */
  readonly searchString?: string;
}

/** The text must lie wholly within this many bytes at the start of the answer, as Route 53 wants it. */
const searchedBytes = 5120;

/**
 * Makes one health check from this machine. As Route 53 does, it takes every 2xx and 3xx for healthy, checks no certificate and searches the
 * start of the answer. Never rejects.
 */
export function askHealth(query: HealthQuery, timeoutMs: number): Promise<HealthPart> {
  const { cluster, policy, address, port, protocol, path, host, searchString } = query;
  const of = { cluster, policy, address };
  return new Promise((resolve) => {
    const common = { host: address, port, path, headers: { host }, agent: false as const };
    const call = protocol === 'HTTP' ? http(common) : https({ ...common, servername: host, rejectUnauthorized: false });
    const silent = (problem: string): void => resolve({ ...of, healthy: false, answered: false, problem });
    const answered = (problem: string | undefined): void => {
      resolve(problem === undefined ? { ...of, healthy: true } : { ...of, healthy: false, answered: true, problem });
      call.destroy();
    };
    call.on('response', (response) => {
      const { statusCode = 0 } = response;
      if (statusCode < 200 || statusCode >= 400) answered(`answers ${statusCode} to the health check`);
      else if (searchString === undefined) answered(undefined);
      else searchAnswer(response, searchString, answered);
    });
    const deadline = new Deadline(timeoutMs, () => {
      silent(`nothing within ${timeoutMs / 1000} s`);
      call.destroy();
    });
    call.on('error', ({ message }) => silent(message));
    call.on('close', () => {
      deadline.cancel();
      silent('the connection ends without an answer');
    });
    call.end();
  });
}

/** Tells, once, what is wrong with an answer that should hold a text: nothing as soon as it does. */
function searchAnswer(response: IncomingMessage, text: string, answered: (problem: string | undefined) => void): void {
  let start = Buffer.alloc(0);
  response.on('data', (chunk: Buffer) => {
    start = Buffer.concat([start, chunk.subarray(0, searchedBytes - start.length)]);
    if (start.includes(text)) answered(undefined);
    else if (start.length === searchedBytes) judge();
  });
  const judge = (): void =>
    answered(
      `answers ${response.statusCode} to the health check, without ${JSON.stringify(text)} in its first ${searchedBytes} bytes`,
    );
  response.on('end', judge);
}
