import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { withoutUndefined } from '../../../../src/model/values.ts';
import { type HttpEndpoint, listenHttp } from '../../../../src/runtime/http.ts';
import { ApiError, errorStatus, invalidInput } from '../reasons.ts';
import type { RateLimiter } from './buckets.ts';
import { cidrOperations } from './cidr-operations.ts';
import { healthOperations } from './health-operations.ts';
import { limitOperations } from './limit-operations.ts';
import type { Account, ApiRequest, ApiResponse, Operation } from './operation.ts';
import { tagOperations } from './tag-operations.ts';
import { type Element, parseXml, renderDocument } from './xml.ts';
import { zoneOperations } from './zone-operations.ts';

const operations: readonly Operation[] = [
  ...zoneOperations,
  ...healthOperations,
  ...cidrOperations,
  ...limitOperations,
  ...tagOperations,
];
const version = '2013-04-01';
/** The largest body that is read, in bytes; a batch at Route 53's limits stays well below. */
const largestBody = 1 << 20;

export interface ApiServerOptions {
  readonly host: string;
  readonly port: number;
  readonly account: Account;
  readonly limiter: RateLimiter;
  /** The status that is served as JSON at /emulator/status, outside the API and its limits. */
  readonly status: () => unknown;
  readonly outage: Outage;
}

/** Whether the control plane works: it refuses every call, or takes it and never answers. DNS and health checks go on. */
export type OutageState = 'none' | 'refused' | 'silent';

/** The state of the control plane, which `PUT /emulator/outage?state=refused` changes. */
export class Outage {
  state: OutageState = 'none';

  /** True when the text is a state, which holds from then on. */
  set(text: string | null): boolean {
    const state = (['none', 'refused', 'silent'] as const).find((one) => one === text);
    if (state !== undefined) this.state = state;
    return state !== undefined;
  }
}

/** Serves the REST-XML API over HTTP. Signatures must be there and are not verified. */
export async function serveApi(options: ApiServerOptions): Promise<HttpEndpoint> {
  const server = createServer((request, response) => {
    void handle(request, response, options);
  });
  // A client that sends as its idle connection ends gets a reset, and most of them do not repeat what they sent.
  server.keepAliveTimeout = 0;
  return listenHttp(server, options.host, options.port);
}

async function handle(request: IncomingMessage, response: ServerResponse, options: ApiServerOptions): Promise<void> {
  const requestId = randomUUID();
  response.setHeader('x-amzn-requestid', requestId);
  try {
    if (request.method === 'GET' && request.url === '/emulator/status') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(options.status())}\n`);
      return;
    }
    if (request.method === 'PUT' && request.url?.startsWith('/emulator/outage') === true) {
      const isKnown = options.outage.set(requestUrl(request).searchParams.get('state'));
      response.writeHead(isKnown ? 204 : 400).end(isKnown ? undefined : 'state=none, refused or silent\n');
      return;
    }
    const body = await readBody(request);
    // Who asks waits until it gives up, as for a server behind a broken network.
    if (options.outage.state === 'silent') return;
    if (options.outage.state === 'refused') throw new ApiError('ServiceUnavailable', 'Service Unavailable');
    const result = perform(request, body, options);
    const headers = {
      'content-type': 'text/xml',
      ...withoutUndefined({ location: result.location }),
    };
    response.writeHead(result.status, headers).end(renderDocument(result.root, result.children));
  } catch (error) {
    respondError(response, requestId, error, options);
  }
}

function perform(request: IncomingMessage, body: string, { account, limiter }: ApiServerOptions): ApiResponse {
  const url = requestUrl(request);
  if (!(request.headers.authorization ?? '').startsWith('AWS4-HMAC-SHA256 '))
    throw new ApiError('MissingAuthenticationToken', 'Missing Authentication Token: an AWS Signature Version 4 header');
  const { operation, path } = findOperation(request.method ?? '', url.pathname);
  if (!limiter.allows(operation.action)) {
    account.log.info({ reason: 'Throttling', action: operation.action }, 'request throttled');
    throw new ApiError('Throttling', 'Rate exceeded');
  }
  for (const key of url.searchParams.keys()) {
    if (!operation.query.includes(key))
      throw invalidInput(`${operation.action}: unknown or not emulated parameter ${key}`);
  }
  const element = body === '' ? undefined : parseBody(operation, body);
  const apiRequest: ApiRequest = { path, query: url.searchParams, body: element };
  return operation.run(account, apiRequest);
}

function requestUrl(request: IncomingMessage): URL {
  const url = URL.parse(`http://emulator.invalid${request.url ?? '/'}`);
  if (url === null) throw invalidInput(`malformed request target ${request.url ?? ''}`);
  return url;
}

function parseBody(operation: Operation, body: string): Element {
  if (operation.method !== 'POST') throw invalidInput(`${operation.action} takes no body`);
  return parseXml(body);
}

function findOperation(
  method: string,
  pathname: string,
): { readonly operation: Operation; readonly path: Readonly<Record<string, string>> } {
  const segments = pathname
    .split('/')
    .slice(1)
    .filter((segment, index, all) => segment !== '' || index < all.length - 1)
    .map(decodeSegment);
  for (const operation of operations) {
    const path = operation.method === method ? matchPath(`${version}/${operation.path}`, segments) : undefined;
    if (path !== undefined) return { operation, path };
  }
  throw invalidInput(`${method} ${pathname} is no operation that is emulated`);
}

function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidInput(`malformed path segment ${text}`);
  }
}

function matchPath(pattern: string, segments: readonly string[]): Record<string, string> | undefined {
  const parts = pattern.split('/');
  if (parts.length !== segments.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith(':') && segment !== '') found[part.slice(1)] = segment;
    else if (part !== segment) return undefined;
  }
  return found;
}

/** Reads the body as text. A body that is too large is read to its end and dropped, so that the client gets its answer. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size <= largestBody) chunks.push(chunk);
  }
  if (size > largestBody) throw invalidInput(`the body is larger than ${largestBody} bytes`);
  return Buffer.concat(chunks).toString('utf8');
}

function respondError(response: ServerResponse, requestId: string, error: unknown, options: ApiServerOptions): void {
  const known = error instanceof ApiError ? error : undefined;
  if (known === undefined) {
    if (response.destroyed) return;
    options.account.log.error({ err: error }, 'a request failed unexpectedly');
  }
  const code = known?.code ?? 'InternalFailure';
  const status = errorStatus[code];
  if (known !== undefined && code !== 'Throttling')
    options.account.log.info({ reason: code, messages: known.messages.slice(0, 10) }, 'request refused');
  // Route 53 sends the messages of a batch as one text in brackets.
  const list = known?.messages ?? ['internal failure'];
  const message = code === 'InvalidChangeBatch' ? `[${list.join(', ')}]` : list.join('; ');
  const body = renderDocument('ErrorResponse', [
    [
      'Error',
      [
        ['Type', status < 500 ? 'Sender' : 'Receiver'],
        ['Code', code],
        ['Message', message],
      ],
    ],
    ['RequestId', requestId],
  ]);
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}
