import { Agent, request } from 'node:http';
import { z } from 'zod';
import { Deadline } from '../../../runtime/deadline.ts';
import { type RequestCounts, readCounts } from '../requests/counts.ts';
import type { DataPlaneStatus } from '../table.ts';
import type { Base } from './convergence.ts';

/** A call that nginx refused. The table in force is the one before the call. */
export class ControlRefusal extends Error {
  readonly status: number;
  /** A reason of `dataPlaneReasons`. */
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(`nginx refused (${reason}): ${message}`);
    this.name = 'ControlRefusal';
    this.status = status;
    this.reason = reason;
  }
}

const Status = z.object({
  instance: z.string(),
  generation: z.number(),
  hosts: z.number(),
  backends: z.number(),
  certificates: z.number(),
  freeBytes: z.record(z.string(), z.number()),
  draining: z.boolean(),
  activeConnections: z.number(),
  // An nginx that was started by an older version may say none of these.
  refusedPairs: z.record(z.string(), z.string()).default({}),
  refusedHandshakes: z.number().default(0),
  answered: z.record(z.string(), z.number()).default({}),
  workers: z.array(z.object({ pid: z.number(), silentMs: z.number() })).default([]),
  tries: z.record(z.string(), z.number()).default({}),
  backendTries: z.record(z.string(), z.tuple([z.number(), z.number()])).default({}),
});
const Refusal = z.object({ reason: z.string(), message: z.string().default('') });
const Left = z.object({ kind: z.string(), name: z.string(), reason: z.string(), detail: z.string().optional() });
const Acknowledged = z.object({ generation: z.number().optional(), refused: z.array(Left).default([]) });
const Begun = z.object({ transaction: z.number() });

/** An entry or element that nginx left out of a change. */
type LeftOut = z.infer<typeof Left>;

export interface Acknowledgement {
  readonly generation: number;
  readonly leftOut: readonly LeftOut[];
}

/**
 * An nginx that does not answer a status call for so long counts as away. The commit of a whole table may take a part
 * of a second.
 */
const statusTimeoutMs = 1000;
const changeTimeoutMs = 5000;

/** The largest answer names every entry of a message that was left out; a message has some megabytes. */
const maxAnswerBytes = 16 << 20;

/** The calls of the control channel (README.md). Rejects with ControlRefusal, or with a system error when nginx is away. */
export class ControlChannel {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  readonly #onTaken: () => void;

  /** `onTaken` is called whenever nginx took a change, or a part of one. */
  constructor(socketPath: string, onTaken: () => void) {
    this.#socketPath = socketPath;
    this.#onTaken = onTaken;
  }

  async status(): Promise<DataPlaneStatus> {
    return Status.parse(await this.#call('GET', '/v1/status'));
  }

  async requests(): Promise<RequestCounts> {
    return readCounts(await this.#call('GET', '/v1/requests'));
  }

  /** Sends a change that takes effect in one step. `members` are as `encodeDelta` makes them. */
  async delta(base: Base, members: string): Promise<Acknowledgement> {
    const head = JSON.stringify(base).slice(0, -1);
    return acknowledgement(await this.#change('/v1/delta', `${head},${members}}`));
  }

  /**
   * Sends a change in many parts; nothing of it is visible before the commit. With `replace`, entries that no part
   * names are deleted.
   */
  async transaction(base: Base, replace: boolean, parts: readonly string[]): Promise<Acknowledgement> {
    const begun = Begun.parse(await this.#change('/v1/transactions', JSON.stringify({ ...base, replace })));
    const path = `/v1/transactions/${begun.transaction}`;
    const leftOut: LeftOut[] = [];
    for (const members of parts) {
      leftOut.push(...Acknowledged.parse(await this.#change(path, `{${members}}`)).refused);
    }
    const { generation } = acknowledgement(await this.#change(`${path}/commit`, '{}'));
    return { generation, leftOut };
  }

  async put(path: '/v1/health' | '/v1/draining', body: unknown): Promise<void> {
    await this.#call('PUT', path, JSON.stringify(body));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #change(path: string, body: string): Promise<unknown> {
    const answer = await this.#call('POST', path, body);
    this.#onTaken();
    return answer;
  }

  async #call(method: string, path: string, body?: string): Promise<unknown> {
    const { status, text } = await this.#exchange(method, path, body);
    const value: unknown = parseJson(text);
    if (status >= 200 && status < 300) return value;
    const refusal = Refusal.safeParse(value);
    const { reason, message } = refusal.success ? refusal.data : { reason: 'InternalError', message: `HTTP ${status}` };
    throw new ControlRefusal(status, reason, message);
  }

  #exchange(method: string, path: string, body = ''): Promise<{ readonly status: number; readonly text: string }> {
    const timeoutMs = method === 'GET' ? statusTimeoutMs : changeTimeoutMs;
    return new Promise((resolve, reject) => {
      const call = request(
        {
          socketPath: this.#socketPath,
          agent: this.#agent,
          method,
          path,
          headers: { host: 'nginx', 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            deadline.renew();
            bytes += chunk.length;
            if (bytes > maxAnswerBytes) call.destroy(new Error(`an answer of more than ${maxAnswerBytes} bytes`));
            else chunks.push(chunk);
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
          response.on('error', reject);
        },
      );
      const deadline = new Deadline(timeoutMs, () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      call.on('close', () => deadline.cancel());
      call.on('error', reject);
      call.end(body);
    });
  }
}

function acknowledgement(answer: unknown): Acknowledgement {
  const { generation, refused } = Acknowledged.parse(answer);
  if (generation === undefined) throw new Error('nginx acknowledged without a generation');
  return { generation, leftOut: refused };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
