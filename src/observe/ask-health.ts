import { request as http } from 'node:http';
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
  /** Value of the Host header. */
  readonly host: string;
}

/**
 * Makes one health check from this machine. As Route 53 does, it takes every 2xx and 3xx for healthy and checks no certificate. Never
 * rejects.
 */
export function askHealth(query: HealthQuery, timeoutMs: number): Promise<HealthPart> {
  const { cluster, policy, address, port, protocol, path, host } = query;
  const of = { cluster, policy, address };
  return new Promise((resolve) => {
    const common = { host: address, port, path, headers: { host }, agent: false as const };
    const call = protocol === 'HTTP' ? http(common) : https({ ...common, servername: host, rejectUnauthorized: false });
    const silent = (problem: string): void => resolve({ ...of, healthy: false, answered: false, problem });
    call.on('response', (response) => {
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 400) resolve({ ...of, healthy: true });
      else resolve({ ...of, healthy: false, answered: true, problem: `answers ${statusCode} to the health check` });
      call.destroy();
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
