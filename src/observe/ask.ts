import { request } from 'node:http';
import { agentPaths } from '../model/contract.ts';
import { messageOf } from '../model/values.ts';
import { Deadline } from '../runtime/deadline.ts';
import { type AgentPart, readStatus, type Target } from './snapshot.ts';
import { type Asked, type RoutePart, readRoute } from './why/evidence.ts';

export interface AskOptions {
  /** The limit until the whole answer is there. */
  readonly timeoutMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
}

/** The status of 10,000 routes has about two megabytes. */
const maxBytes = 8 << 20;

/** Asks an agent for its status, over a connection of its own. Never rejects: who does not answer is a part with the cause. */
export async function askAgent(target: Target, options: AskOptions): Promise<AgentPart> {
  const begunMs = options.monotonic();
  try {
    const answer: unknown = JSON.parse(await get(target, options.timeoutMs));
    return readStatus(target, answer, options.monotonic() - begunMs);
  } catch (error) {
    const problem = error instanceof SyntaxError ? 'answers something that is not JSON' : messageOf(error);
    return { target, problem, ...(error instanceof Refusal && error.isOfDoor ? { refuses: true as const } : {}) };
  }
}

/** An answer without a status. */
class Refusal extends Error {
  /** True when the agent lets this machine not in, or not now. */
  readonly isOfDoor: boolean;

  constructor(code: number | undefined) {
    super(`refuses to tell its status (HTTP ${code})`);
    this.isOfDoor = code === 403 || code === 429;
  }
}

/** Asks a blade what its table does with a request. Never rejects. */
export async function askRoute(target: Target, { host, path }: Asked, { timeoutMs }: AskOptions): Promise<RoutePart> {
  const of = { blade: target.server, pool: target.pool ?? '', host, path };
  const query = new URLSearchParams({ host, path }).toString();
  try {
    return readRoute(of, JSON.parse(await get(target, timeoutMs, `${agentPaths.route}?${query}`)));
  } catch (error) {
    return { ...of, problem: error instanceof SyntaxError ? 'answers something that is not JSON' : messageOf(error) };
  }
}

function get({ address, port }: Target, timeoutMs: number, path: string = agentPaths.status): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request({ host: address, port, path, agent: false }, (response) => {
    if (response.statusCode !== 200) {
      reject(new Refusal(response.statusCode));
      call.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        reject(new Error(`answers more than ${maxBytes >> 20} MiB`));
        call.destroy();
      }
    });
    response.on('error', reject);
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
  // While many answers are read, that of one agent may wait for us longer than it took.
  const deadline = new Deadline(timeoutMs, () => {
    reject(new Error(`does not answer within ${timeoutMs / 1000} s`));
    call.destroy();
  });
  call.on('error', (error: NodeJS.ErrnoException) => reject(new Error(said(error))));
  call.on('close', () => {
    deadline.cancel();
    reject(new Error('ends the connection before its answer is complete'));
  });
  call.end();
  return promise;
}

function said({ code, message }: NodeJS.ErrnoException): string {
  const meanings: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'has no agent that listens',
    EHOSTUNREACH: 'cannot be reached',
    ENETUNREACH: 'cannot be reached: there is no route to it',
    ECONNRESET: 'ends the connection without an answer',
  };
  return meanings[code ?? ''] ?? `cannot be asked: ${message}`;
}
