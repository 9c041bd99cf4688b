import { type Agent, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { Target } from './choice.ts';

export interface ProxyOptions {
  readonly agent: Agent;
  /** `timeoutSec` of the backend service. */
  readonly timeoutMs: number;
  /** The next endpoint, another one than `not` where there is one. */
  readonly next: (not?: string) => Target | undefined;
  /** Called once for each request that got an answer, with the backend that gave it, if one did. */
  readonly answered: (status: number, target?: Target) => void;
}

const retried: ReadonlySet<number> = new Set([502, 503, 504]);

/** Headers that are for one connection only (RFC 9110, 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Hands a request to an endpoint. One without a body that meets 502, 503, 504 or a broken connection is sent once more, to another endpoint. The client's address
 * and the one that it asked stand in X-Forwarded-For.
 */
export async function proxy(request: IncomingMessage, response: ServerResponse, options: ProxyOptions): Promise<void> {
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  const first = options.next();
  const answer = first === undefined ? undefined : await attempt(request, first, options);
  if (first !== undefined && (hasBody || !failed(answer))) {
    finish(response, answer, first, options);
    return;
  }
  answer?.resume();
  const second = first === undefined ? undefined : options.next(first.endpoint);
  finish(response, second && (await attempt(request, second, options)), second, options);
}

function failed(answer: IncomingMessage | undefined): boolean {
  return answer === undefined || retried.has(answer.statusCode ?? 0);
}

function finish(
  response: ServerResponse,
  answer: IncomingMessage | undefined,
  target: Target | undefined,
  { answered }: ProxyOptions,
): void {
  const status = answer?.statusCode ?? (target === undefined ? 503 : 502);
  answered(status, target);
  if (answer === undefined) {
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(target === undefined ? 'no healthy backend\n' : 'the backend did not answer\n');
    return;
  }
  response.writeHead(status, without(answer.headers));
  answer.pipe(response);
  answer.on('error', () => response.destroy());
  response.on('close', () => answer.destroy());
}

/** Resolves with the answer, or with undefined when the connection fails or nothing comes in time. */
function attempt(
  request: IncomingMessage,
  { endpoint }: Target,
  { agent, timeoutMs }: ProxyOptions,
): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(`http://${endpoint}`);
    const { remoteAddress = '', localAddress = '' } = request.socket;
    const before = request.headers['x-forwarded-for'];
    const forwarded = [...(before === undefined ? [] : [before]), remoteAddress, localAddress].join(',');
    const out = send({
      agent,
      hostname,
      port,
      method: request.method,
      path: request.url,
      headers: { ...without(request.headers), 'x-forwarded-for': forwarded },
      timeout: timeoutMs,
    });
    out.on('timeout', () => out.destroy());
    out.on('error', () => resolve(undefined));
    out.on('response', resolve);
    request.pipe(out);
  });
}

function without(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}
