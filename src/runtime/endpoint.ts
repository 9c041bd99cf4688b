import { createServer, type Socket } from 'node:net';
import { agentPaths, nothingHere } from '../model/contract.ts';
import { messageOf } from '../model/values.ts';
import type { Clock, Timer } from './clock.ts';
import type { HttpEndpoint } from './http.ts';
import type { Log } from './log.ts';
import { Counter, type Registry } from './metrics.ts';
import type { EndpointReason } from './reasons.ts';
import { type RequestHead, readHead } from './request-head.ts';
import { type Line, TlsGate, type TlsRules } from './tls/gate.ts';
import { type Door, type Visit, Visitors } from './visitors.ts';

export interface EndpointOptions {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly status: () => unknown;
  /** What the agent tells other agents and people beside its status, by path; some answer what the query asks. */
  readonly documents?: Readonly<Record<string, (query: URLSearchParams) => unknown>>;
  /** What keeps the server from its work, a line each; absent or empty when nothing does. */
  readonly health?: () => readonly string[];
  /** Who may visit; asked at each connection, so that an edit of the spec needs no restart. */
  readonly door: () => Door;
  /** Where given, who asks must have a certificate, from this host as well; without, the networks of the door decide alone. */
  readonly tls?: TlsRules;
  /** Names by which this server may be called, besides its addresses. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** In this time a visitor must have sent its request, the handshake of TLS included. */
const requestMs = 3000;
/** In this time a visitor must have taken its answer. */
const answerMs = 5000;
/** So many refused connections may be told why at the same time; others are reset. */
const maxFarewells = 16;
/** For so long the same text of metrics is given. */
const metricsMs = 200;
/** A reason is logged at most this often, so that a flood of visitors makes no flood of lines. */
const logEveryMs = 60_000;

/**
 * The agent's own HTTP endpoint: `/metrics` (Prometheus text), `/status` (the agent's state as JSON), `/healthz` (200, or 503
 * and what keeps the server from its work), `/livez` (200 as long as the process answers). It reads one request a connection and closes after the answer; what visitors may use is
 * bounded by `Visitors`, and in time. An agent announces VIPs and renews leases on the same thread and with the same file
 * descriptors: no visitor may take them away.
 */
export async function serveAgentEndpoint(options: EndpointOptions): Promise<HttpEndpoint> {
  const endpoint = new Endpoint(options);
  const sockets = new Set<Socket>();
  // Half-open, because a visitor may end its side after the request and still wait for the answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    endpoint.receive(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  // An accept that fails is tried again by the system; it must not end the agent.
  server.on('error', (error) => options.log.warn({ error: messageOf(error) }, 'endpoint error'));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const { host } = options;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

function healthAnswer(problems: readonly string[]): Answer {
  const type = 'text/plain';
  return problems.length === 0
    ? { code: 200, type, body: 'ok\n' }
    : { code: 503, type, body: `${problems.join('\n')}\n` };
}

/** The metric of the endpoint. */
export function refusedVisitors(registry: Registry): Counter<'reason'> {
  return new Counter({
    name: 'tideline_endpoint_refused_total',
    help: "Connections and requests to the agent's endpoint that were refused, by reason",
    labelNames: ['reason'],
    registers: [registry],
  });
}

/** Counts who is still to be given a certificate before the grace can end. */
export function plainVisitors(registry: Registry): Counter {
  return new Counter({
    name: 'tideline_endpoint_plain_requests_total',
    help: 'Requests that were answered without a certificate because the agent runs with --tls-mode grace',
    registers: [registry],
  });
}

/** An admitted connection on its way to an answer. `transport` is what the kernel has, below TLS. */
interface Guest {
  readonly transport: Socket;
  readonly visit: Visit;
  readonly deadline: Timer;
}

class Endpoint {
  readonly #options: EndpointOptions;
  readonly #visitors: Visitors;
  readonly #refused: Counter<'reason'>;
  readonly #plain: Counter;
  readonly #gate: TlsGate | undefined;
  readonly #loggedMs = new Map<EndpointReason, number>();
  #farewells = 0;
  #metrics: Promise<string> | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#visitors = new Visitors(options.door, () => options.clock.monotonic());
    this.#refused = refusedVisitors(options.registry);
    this.#plain = plainVisitors(options.registry);
    const gates = () => options.door().gates ?? { own: [], foreign: [] };
    this.#gate = options.tls === undefined ? undefined : new TlsGate(options.tls, gates);
  }

  receive(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const { remoteAddress = '', localAddress = '' } = socket;
    const visit = this.#visitors.admit(remoteAddress, localAddress);
    if (typeof visit === 'string') {
      this.#note(visit, remoteAddress);
      this.#turnAway(socket, visit);
      return;
    }
    socket.once('close', () => visit.leave());
    const guest = { transport: socket, visit, deadline: this.#deadline(socket, requestMs) };
    if (this.#gate === undefined) this.#read({ socket }, guest);
    else this.#enter(this.#gate, guest);
  }

  /** A handshake costs more than any answer, so it counts as one against what visitors may ask in a second. */
  #enter(gate: TlsGate, guest: Guest): void {
    const { transport, visit } = guest;
    const reason = visit.ask();
    if (reason === undefined) gate.enter(transport, (line) => this.#read(line, guest));
    else {
      this.#note(reason, transport.remoteAddress ?? '');
      transport.resetAndDestroy();
    }
  }

  /** Reads until the head is whole, then reads no more of this connection. */
  #read({ socket, refusal, detail }: Line, guest: Guest): void {
    const { transport, visit, deadline } = guest;
    let bytes: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const read = readHead(bytes, this.#options.names);
      if (read.state === 'partial') return;
      socket.off('data', onData).off('end', onEnd).pause();
      deadline.cancel();
      this.#deadline(transport, answerMs);
      const reason = read.state === 'refused' ? read.reason : (refusal ?? this.#tooMany(visit));
      if (reason !== undefined) {
        this.#note(reason, transport.remoteAddress ?? '', detail);
        this.#write(socket, refusalOf(reason, read.state === 'refused' ? read.code : codeOf(reason)), true);
      } else if (read.state === 'whole') {
        if (this.#gate !== undefined && socket === transport) this.#plain.inc();
        void this.#answer(socket, visit, read.head);
      }
    };
    const onEnd = (): void => {
      socket.destroy();
    };
    // The gate has paused it.
    socket.on('data', onData).on('end', onEnd).resume();
  }

  #tooMany(visit: Visit): EndpointReason | undefined {
    return this.#gate === undefined ? visit.ask() : undefined;
  }

  async #answer(socket: Socket, visit: Visit, { method, path, query }: RequestHead): Promise<void> {
    const answer = await this.#respond(path, query);
    if (socket.destroyed) return;
    const tooMuch = visit.take(Buffer.byteLength(answer.body));
    if (tooMuch === undefined) this.#write(socket, answer, method === 'GET');
    else {
      this.#note(tooMuch, socket.remoteAddress ?? '');
      this.#write(socket, refusalOf(tooMuch, 503), method === 'GET');
    }
  }

  async #respond(path: string, query: string): Promise<Answer> {
    const { registry, status, health, documents = {} } = this.#options;
    const all: NonNullable<EndpointOptions['documents']> = { ...documents, [agentPaths.status]: status };
    const document = new Map(Object.entries(all)).get(path);
    try {
      if (path === agentPaths.metrics)
        return { code: 200, type: registry.contentType, body: await this.#renderMetrics() };
      if (document !== undefined)
        return {
          code: 200,
          type: 'application/json',
          body: `${JSON.stringify(document(new URLSearchParams(query)))}\n`,
        };
      if (path === agentPaths.alive) return { code: 200, type: 'text/plain', body: 'ok\n' };
      if (path === agentPaths.health) return healthAnswer(health?.() ?? []);
      return { code: 404, type: 'text/plain', body: `${nothingHere}\n` };
    } catch (error) {
      return { code: 500, type: 'text/plain', body: `${messageOf(error)}\n` };
    }
  }

  /** The text is made at most five times a second, however many ask: it is the one answer that takes milliseconds. */
  #renderMetrics(): Promise<string> {
    if (this.#metrics === undefined) {
      this.#metrics = this.#options.registry.metrics();
      this.#options.clock.setTimeout(() => {
        this.#metrics = undefined;
      }, metricsMs);
    }
    return this.#metrics;
  }

  #write(socket: Socket, { code, type, body }: Answer, withBody: boolean): void {
    const bytes = Buffer.from(body);
    const head = [
      `HTTP/1.1 ${code} ${phrases[code] ?? 'Refused'}`,
      `content-type: ${type}`,
      `content-length: ${bytes.length}`,
      ...(code === 405 ? ['allow: GET, HEAD'] : []),
      'cache-control: no-store',
      'x-content-type-options: nosniff',
      'connection: close',
    ].join('\r\n');
    socket.cork();
    socket.write(`${head}\r\n\r\n`, 'latin1');
    if (withBody) socket.write(bytes);
    socket.uncork();
    // The answer is with the kernel once the stream has finished.
    socket.end(() => socket.destroy());
  }

  #turnAway(socket: Socket, reason: EndpointReason): void {
    if (reason !== 'ForeignNetwork' || this.#farewells >= maxFarewells) {
      socket.resetAndDestroy();
      return;
    }
    this.#farewells++;
    socket.once('close', () => {
      this.#farewells--;
    });
    this.#deadline(socket, answerMs);
    this.#write(socket, refusalOf(reason, 403), true);
  }

  #deadline(socket: Socket, ms: number): Timer {
    const timer = this.#options.clock.setTimeout(() => {
      this.#note('SlowVisitor', socket.remoteAddress ?? '');
      socket.resetAndDestroy();
    }, ms);
    socket.once('close', () => timer.cancel());
    return timer;
  }

  #note(reason: EndpointReason, source: string, detail?: string): void {
    this.#refused.inc({ reason });
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - (this.#loggedMs.get(reason) ?? -Infinity) < logEveryMs) return;
    this.#loggedMs.set(reason, nowMs);
    this.#options.log.warn({ reason, source, detail }, 'a visitor of the endpoint was refused');
  }
}

const phrases: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

function codeOf(reason: EndpointReason): number {
  return reason === 'TooManyRequests' ? 429 : 403;
}

function refusalOf(reason: EndpointReason, code: number): Answer {
  return { code, type: 'text/plain', body: `${reason}\n` };
}
