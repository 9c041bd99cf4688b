import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ApiError, type KubeClient } from '../../../kube/api/client.ts';
import { messageOf } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { Counter, type Registry } from '../../../runtime/metrics.ts';
import { minVersion } from '../../../runtime/tls/material.ts';
import { customList, externalList } from './answers.ts';
import { type Ask, askOf, isMetric } from './asks.ts';
import {
  aggregatedDiscovery,
  aggregatedType,
  groupDocument,
  groupList,
  resourceList,
  wantsAggregated,
} from './discovery.ts';
import { type Caller, callerByCertificate, TokenReviews } from './door/caller.ts';
import type { FrontProxy } from './door/front-proxy.ts';
import { AccessReviews } from './door/rights.ts';
import { Trust } from './door/trust.ts';
import type { SeriesBook } from './series.ts';
import type { ServingFiles } from './serving-files.ts';

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly files: ServingFiles;
  readonly client: Pick<KubeClient, 'request'>;
  /** The numbers as they are now. */
  readonly book: () => SeriesBook;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}

/** A visitor has that long for its handshake and its request. */
const requestMs = 5000;
/** The aggregator keeps its connections for 90 s; one that we end first would fail its next request. */
const keptMs = 120_000;
const mostConnections = 1024;
/** The aggregator needs some; nobody takes those of others. */
const mostOfSource = 128;
const mostHeaderBytes = 64 << 10;

interface Answer {
  readonly code: number;
  readonly body: object | string;
  readonly type?: string;
}

/**
 * The metrics APIs behind the aggregator of one cluster: `custom.metrics.k8s.io` and `external.metrics.k8s.io`. Who asks is told by the cluster,
 * and what they may as well; discovery and health are answered from memory, whatever else does not answer.
 */
export class MetricsServer {
  readonly #options: MetricsServerOptions;
  readonly #trust: Trust;
  readonly #tokens: TokenReviews;
  readonly #rights: AccessReviews;
  readonly #answered: Counter<'of' | 'code'>;
  #server: Server | undefined;
  #unfollow: () => void = () => {};

  constructor(options: MetricsServerOptions) {
    this.#options = options;
    const { client, clock, log, registry } = options;
    this.#trust = new Trust({ client, clock, log, onChange: () => this.#renew() });
    this.#tokens = new TokenReviews(client, () => clock.monotonic());
    this.#rights = new AccessReviews(client, () => clock.monotonic());
    this.#answered = answersCounter(registry);
  }

  /** Listens. Rejects where it cannot. */
  async start(): Promise<void> {
    const { host, port, log, files } = this.#options;
    const server = createServer(
      {
        ...this.#context(),
        requestCert: true,
        rejectUnauthorized: false,
        maxHeaderSize: mostHeaderBytes,
        handshakeTimeout: requestMs,
      },
      (request, response) => void this.#answer(request, response),
    );
    server.requestTimeout = requestMs;
    server.headersTimeout = requestMs;
    server.keepAliveTimeout = keptMs;
    server.maxConnections = mostConnections;
    const bySource = new Map<string, number>();
    server.on('connection', (socket) => boundSource(bySource, socket as Socket));
    server.on('tlsClientError', (error, socket) => {
      log.debug({ error: messageOf(error), from: socket.remoteAddress }, 'a handshake failed');
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    server.on('error', (error) => log.warn({ error: messageOf(error) }, 'metrics API error'));
    this.#server = server;
    this.#unfollow = files.onChange(() => this.#renew());
    this.#trust.start();
  }

  /** `https://host:port`, with the port that the system chose where 0 was asked for. */
  get url(): string {
    const { host, port } = this.#options;
    const bound = (this.#server?.address() as AddressInfo | null | undefined)?.port ?? port;
    return `https://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  }

  /** What keeps it from answering, a line each. */
  problems(): readonly string[] {
    const unread =
      this.#trust.current() === undefined ? [this.#trust.problem() ?? 'the cluster was not asked yet'] : [];
    return [...unread, ...this.#options.files.problems()];
  }

  async stop(): Promise<void> {
    this.#trust.stop();
    this.#unfollow();
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    // Who is being answered is answered; who holds a connection open is not waited for.
    const timer = this.#options.clock.setTimeout(() => server.closeAllConnections(), 1000);
    await closed;
    timer.cancel();
  }

  #context(): {
    readonly cert: string;
    readonly key: string;
    readonly ca: readonly string[];
    readonly minVersion: typeof minVersion;
  } & {
    readonly ca: string[];
  } {
    const { cert, key } = this.#options.files.current();
    const trusted = this.#trust.current();
    return {
      cert,
      key,
      ca: [...(trusted?.proxies ?? []), ...(trusted?.clients ?? [])].map(({ pem }) => pem),
      minVersion,
    };
  }

  #renew(): void {
    this.#server?.setSecureContext(this.#context());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ask = askOf(request.method ?? '', request.url ?? '');
    const answer = await this.#answerTo(ask, request).catch((error: unknown) => this.#failure(error));
    this.#answered.inc({ of: ask.of, code: String(answer.code) });
    const text = typeof answer.body === 'string' ? answer.body : `${JSON.stringify(answer.body)}\n`;
    const type = answer.type ?? (typeof answer.body === 'string' ? 'text/plain' : 'application/json');
    response.writeHead(answer.code, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-cache, private',
      'x-content-type-options': 'nosniff',
      // Who is nobody keeps no connection.
      ...(answer.code === 401 ? { connection: 'close' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
    request.resume();
  }

  async #answerTo(ask: Ask, request: IncomingMessage): Promise<Answer> {
    if (ask.of === 'health') return this.#health(ask.ready);
    const caller = await this.#callerOf(request);
    if (caller === undefined) return statusAnswer(401, 'Unauthorized', 'Unauthorized');
    if (ask.of === 'nothing') return statusAnswer(ask.code, ask.reason, ask.message);
    if (!admitsJson(request.headers.accept))
      return statusAnswer(406, 'NotAcceptable', 'only application/json is served');
    // What there is not nobody needs a right for: names that somebody makes up cost the cluster nothing.
    if (isUnknownMetric(ask)) return this.#document(ask, '');
    const { allowed, reason } = await this.#rights.judge(caller, ask);
    if (!allowed) return statusAnswer(403, 'Forbidden', forbidden(caller, ask, reason));
    return this.#document(ask, request.headers.accept ?? '');
  }

  #document(ask: Exclude<Ask, { readonly of: 'health' | 'nothing' }>, accept: string): Answer {
    switch (ask.of) {
      case 'groups':
        return wantsAggregated(accept)
          ? { code: 200, body: aggregatedDiscovery(), type: aggregatedType }
          : { code: 200, body: groupList() };
      case 'group':
        return { code: 200, body: groupDocument(ask.group) };
      case 'resources':
        return { code: 200, body: resourceList(ask.group, ask.version) };
      case 'version':
        return { code: 200, body: { gitVersion: `v${this.#options.version}`, platform: 'tideline' } };
      case 'external':
        return { code: 200, body: externalList(ask, this.#options.book()) };
      case 'custom': {
        const list = customList(ask, this.#options.book());
        const { metric, resource, name, namespace } = ask.object;
        const where = namespace === '' ? '' : ` in namespace ${namespace}`;
        const message = `the server could not find the metric ${metric} for ${resource} ${name}${where}`;
        return list === undefined ? statusAnswer(404, 'NotFound', message) : { code: 200, body: list };
      }
    }
  }

  #health(ready: boolean): Answer {
    const problems = ready ? this.problems() : [];
    return problems.length === 0 ? { code: 200, body: 'ok' } : { code: 503, body: problems.join('\n') };
  }

  async #callerOf(request: IncomingMessage): Promise<Caller | undefined> {
    const trusted: FrontProxy | undefined = this.#trust.current();
    if (trusted === undefined)
      throw new ApiError(503, 'ServiceUnavailable', 'whom the cluster believes is not known yet');
    const { headers, headersDistinct } = request;
    const certificate = (request.socket as TLSSocket).getPeerX509Certificate();
    const credentials = { certificate, headers: headersDistinct, authorization: headers.authorization };
    const nowMs = this.#options.clock.now();
    return callerByCertificate(credentials, trusted, nowMs) ?? (await this.#tokens.callerOf(credentials.authorization));
  }

  #failure(error: unknown): Answer {
    this.#options.log.warn({ error: messageOf(error) }, 'a request of the metrics API failed');
    return statusAnswer(
      503,
      'ServiceUnavailable',
      `it cannot be decided now who asks and what they may: ${messageOf(error)}`,
    );
  }
}

function isUnknownMetric(ask: Ask): ask is Extract<Ask, { readonly of: 'custom' | 'external' }> {
  if (ask.of === 'external') return !isMetric(ask.metric);
  return ask.of === 'custom' && !isMetric(ask.object.metric);
}

/** Ends a connection of a source that has too many. */
function boundSource(bySource: Map<string, number>, socket: Socket): void {
  const source = socket.remoteAddress ?? '';
  const count = (bySource.get(source) ?? 0) + 1;
  if (count > mostOfSource) {
    socket.destroy();
    return;
  }
  bySource.set(source, count);
  socket.once('close', () => {
    const left = (bySource.get(source) ?? 1) - 1;
    if (left === 0) bySource.delete(source);
    else bySource.set(source, left);
  });
}

/** The metric of the server. */
export function answersCounter(registry: Registry): Counter<'of' | 'code'> {
  return new Counter({
    name: 'tideline_scaling_api_answers_total',
    help: 'Answers of the metrics APIs, by what was asked and by status code',
    labelNames: ['of', 'code'],
    registers: [registry],
  });
}

/** A client that asks for protobuf takes JSON as well, as long as it says so. */
function admitsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '') return true;
  const types = accept.split(',').map((one) => one.split(';')[0]?.trim().toLowerCase());
  return ['application/json', 'application/*', '*/*'].some((type) => types.includes(type));
}

function statusAnswer(code: number, reason: string, message: string): Answer {
  return { code, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code } };
}

function forbidden({ user }: Caller, ask: Ask, reason: string): string {
  const what =
    ask.of === 'external' ? ask.metric : ask.of === 'custom' ? `${ask.object.resource}/${ask.object.metric}` : ask.of;
  return `${what} is forbidden: User "${user}" may not read it${reason === '' ? '' : `: ${reason}`}`;
}
