import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { InputError, type InputProblem } from '../../src/model/problem.ts';
import { noLab, type Occupant } from '../state.ts';

/** A unix socket's path may have 107 bytes. */
const longestSocketPath = 107;

/** The path of a lab's control socket. Throws InputError when the path is too long for the kernel. */
export function controlSocket(stateFolder: string): string {
  const path = join(resolve(stateFolder), 'lab.sock');
  if (Buffer.byteLength(path) > longestSocketPath)
    throw new InputError([
      {
        reason: 'StatePathTooLong',
        message: `${path} is too long for a unix socket (${longestSocketPath} bytes)`,
        fix: 'choose a shorter folder with --state DIR',
      },
    ]);
  return path;
}

/** Sends a request to a running lab. Throws InputError when none runs there, or when the lab refuses the input. */
export async function askLab(stateFolder: string, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const socketPath = controlSocket(stateFolder);
  let answered: { readonly code: number; readonly body: string };
  try {
    answered = await exchange(socketPath, method, path);
  } catch {
    throw noLab(stateFolder, existsSync(socketPath) ? ' (its socket is left from one that was killed)' : '');
  }
  const body = JSON.parse(answered.body) as { readonly message?: string; readonly problems?: readonly InputProblem[] };
  if (body.problems !== undefined) throw new InputError(body.problems);
  if (answered.code !== 200) throw new Error(body.message ?? `the lab answered ${answered.code}`);
  return body;
}

/** What answers on the socket; undefined for a socket file on which nobody listens. */
export async function occupantOf(stateFolder: string): Promise<Occupant | undefined> {
  return exchange(controlSocket(stateFolder), 'GET', '/').then(
    ({ body }) => (JSON.parse(body) as { readonly occupant: Occupant }).occupant,
    () => undefined,
  );
}

function exchange(socketPath: string, method: string, path: string): Promise<{ code: number; body: string }> {
  return new Promise((done, reject) => {
    const call = request({ socketPath, method, path }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => done({ code: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}
