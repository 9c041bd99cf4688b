import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecured } from 'node:https';
import type { ViewPort } from './port.ts';

/**
 * Fetches a JSON document of a program of the lab, with a certificate where one is needed. It needs no validation, because the lab runs
 * only programs of known versions.
 */
export function fetchJson<T>(url: string, access?: ViewPort['agentAccess']): Promise<T> {
  return new Promise((resolve, reject) => {
    const options = { timeout: 1500, agent: false as const };
    const take = (response: IncomingMessage): void => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        try {
          resolve(JSON.parse(body) as T);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    };
    // The certificate of an agent names its address, which is checked as a browser would.
    const request =
      access === undefined ? getPlain(url, options, take) : getSecured(url, { ...options, ...access }, take);
    request.on('timeout', () => request.destroy(new Error('Timeout')));
    request.on('error', reject);
  });
}
