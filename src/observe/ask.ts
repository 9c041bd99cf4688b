import { request } from 'node:http';
import { agentPaths, nothingHere } from '../model/contract.ts';
import { messageOf } from '../model/values.ts';
import { Deadline } from '../runtime/deadline.ts';
import { reasons } from '../runtime/reasons.ts';
import { type AgentAccess, type Disbelief, openLine } from '../runtime/tls/line.ts';
import type { TlsMaterial } from '../runtime/tls/material.ts';
import { type AskReason, askFixes, askReasons } from '../runtime/tls/reasons.ts';
import { type AgentPart, readStatus, stranger, type Target } from './snapshot.ts';
import { type Asked, type RoutePart, readRoute } from './why/evidence.ts';

export interface AskOptions {
  /** The limit until the whole answer is there. */
  readonly timeoutMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  /** The certificate to ask with; absent where none was named, then agents are asked without TLS. */
  readonly access?: AgentAccess | undefined;
}

/** Who is asked. */
export interface Place {
  readonly address: string;
  readonly port: number;
  /** The server that must answer there, by its certificate; absent where any of the CA will do, as on the same host. */
  readonly server?: string;
}

/** The status of 10,000 routes has about two megabytes. */
const maxBytes = 8 << 20;
/** A refusal is one word. */
const maxWordBytes = 1024;

/** Asks an agent for its status, over a connection of its own. Never rejects: who does not answer is a part with the cause. */
export async function askAgent(target: Target, options: AskOptions): Promise<AgentPart> {
  const begunMs = options.monotonic();
  try {
    const answer: unknown = JSON.parse(await get(target, options));
    return readStatus(target, answer, options.monotonic() - begunMs);
  } catch (error) {
    const problem = error instanceof SyntaxError ? stranger('no JSON') : messageOf(error);
    return {
      target,
      problem,
      ...((error instanceof Refusal || error instanceof Disbelieved) && error.isOfDoor
        ? { refuses: true as const }
        : {}),
    };
  }
}

/** An answer without a status, of the agent or of who else is there. */
class Refusal extends Error {
  /** True when the agent lets this machine not in, or not now. */
  readonly isOfDoor: boolean;

  /** `text` is the body: an agent gives the reason in one word, so that who says anything else is another program. */
  constructor(code: number | undefined, text: string) {
    super(refusalText(code, text));
    this.isOfDoor = Object.hasOwn(reasons, text) && (code === 403 || code === 429);
  }
}

function refusalText(code: number | undefined, text: string): string {
  if (isAskReason(text)) return sentence(text);
  if (Object.hasOwn(reasons, text)) return `refuses to answer: ${text} (HTTP ${code})`;
  // A fault inside an agent is told by its message, as other programs may do.
  if (code === 500) return 'answers HTTP 500 instead of what was asked for';
  if (text === nothingHere) return 'has an agent that does not know this question; its version may be an older one';
  return stranger(`HTTP ${code}`);
}

function isAskReason(word: string): word is AskReason {
  return Object.hasOwn(askReasons, word);
}

/** The end of a sentence that begins with the agent. */
function sentence(reason: AskReason, message?: string): string {
  const [first = '', ...rest] = askReasons[reason].replace(/\.$/, '');
  const what = message ?? `${first.toLowerCase()}${rest.join('')}`;
  return `is not heard: ${what} (${reason}); ${askFixes[reason]}`;
}

/** A certificate is in the way, here or there. */
class Disbelieved extends Error {
  readonly reason: AskReason;
  readonly isOfDoor = true;

  constructor({ reason, message }: Disbelief) {
    super(sentence(reason, message));
    this.reason = reason;
  }
}

/** Asks a blade what its table does with a request. Never rejects. */
export async function askRoute(target: Target, { host, path }: Asked, options: Asking): Promise<RoutePart> {
  const of = { blade: target.server, pool: target.pool ?? '', host, path };
  const query = new URLSearchParams({ host, path }).toString();
  try {
    return readRoute(of, JSON.parse(await get(target, options, `${agentPaths.route}?${query}`)));
  } catch (error) {
    return { ...of, problem: error instanceof SyntaxError ? stranger('no JSON') : messageOf(error) };
  }
}

export type Asking = Pick<AskOptions, 'timeoutMs' | 'access'>;

/**
 * The body of an answer with status 200. With a certificate it is asked over TLS, and must be who is meant; during the grace what does
 * not speak TLS is asked without. Rejects with a message that goes on after the name of the agent.
 */
export async function get(at: Place, { timeoutMs, access }: Asking, path: string = agentPaths.status): Promise<string> {
  if (access === undefined) return getOnce({ at, timeoutMs, path });
  const material = access.material();
  if (material === undefined) throw new Error('is not asked, because the certificate files cannot be used');
  const secured = getOnce({ at, timeoutMs, path, material });
  if (!access.grace) return secured;
  // Beside each other: an agent of an older version says nothing to a handshake, and the time for an answer would be over.
  const plain = getOnce({ at, timeoutMs, path });
  plain.catch(() => undefined);
  return secured.catch((error: unknown) => {
    if (error instanceof Disbelieved && error.reason !== 'TlsNotServed') throw error;
    return plain;
  });
}

interface GetOnce {
  readonly at: Place;
  readonly timeoutMs: number;
  readonly path: string;
  readonly material?: TlsMaterial;
}

function getOnce({ at: { address, port, server }, timeoutMs, path, material }: GetOnce): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const line = material === undefined ? undefined : openLine(material, { address, port }, server);
  const over = line === undefined ? { agent: false as const } : { createConnection: () => line.socket };
  const call = request({ host: address, port, path, ...over }, (response) => {
    const isAnswer = response.statusCode === 200;
    const most = isAnswer ? maxBytes : maxWordBytes;
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= most) chunks.push(chunk);
      else {
        reject(isAnswer ? new Error(`answers more than ${maxBytes >> 20} MiB`) : new Refusal(response.statusCode, ''));
        call.destroy();
      }
    });
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      if (isAnswer) resolve(text);
      else reject(new Refusal(response.statusCode, text.trim()));
    });
  });
  // While many answers are read, that of one agent may wait for us longer than it took.
  const deadline = new Deadline(timeoutMs, () => {
    reject(new Error(`does not answer within ${timeoutMs / 1000} s`));
    call.destroy();
  });
  call.on('error', (error: NodeJS.ErrnoException) => {
    const disbelief = line?.disbelief();
    reject(disbelief === undefined ? new Error(said(error)) : new Disbelieved(disbelief));
  });
  call.on('close', () => {
    deadline.cancel();
    line?.socket.destroy();
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
