import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { nothingHere } from '../model/contract.ts';
import type { NetworkStatus } from '../model/status.ts';
import { askAgent, askRoute } from './ask.ts';
import type { Target } from './snapshot.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function asked(answer: RequestListener, timeoutMs?: number): Promise<Awaited<ReturnType<typeof askAgent>>> {
  server = createServer(answer);
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return ask((server.address() as AddressInfo).port, timeoutMs);
}

function ask(port: number, timeoutMs = 30_000) {
  const target: Target = { server: 'w1', plane: 'network', cluster: 'paris', address: '127.0.0.1', port };
  return askAgent(target, { timeoutMs, monotonic: () => performance.now() });
}

const json =
  (value: unknown): RequestListener =>
  (_request, response) =>
    response.end(JSON.stringify(value));

// Typed as agents make it: what they say can be read here.
const status: NetworkStatus = {
  agent: 'network',
  cluster: 'paris',
  statusVersion: 1,
  startedAtMs: 1,
  platform: { phase: 'current' },
  source: { phase: 'live', sinceMs: 1, servingSnapshot: false },
  node: 'w1',
  action: 'announce',
  wanted: [],
  announced: [],
  refusals: [],
  blackholes: { wanted: [], installed: [] },
  relay: 'synced',
  neighbors: [],
};

const answering =
  (code: number, text: string): RequestListener =>
  (_request, response) =>
    response.writeHead(code).end(text);

test('reads a status, also one with fields that are not known here', async () => {
  const part = await asked(json({ ...status, later: { version: 2 } }));
  expect(part).toMatchObject({ network: { node: 'w1', relay: 'synced' }, ageMs: expect.any(Number) });
});

test.each<[string, RequestListener, RegExp]>([
  [
    'another agent',
    json({ ...status, agent: 'edge' }),
    /^is not who answers there: agent "edge" instead of "network"$/,
  ],
  ['another server', json({ ...status, node: 'w2' }), /^has an agent that says it is w2$/],
  ['another form', json({ ...status, wanted: 'all' }), /^answers in a form that is not understood here: wanted: /],
  ['a page', (_request, response) => response.end('<html>'), /^is not who answers there: .* answers no JSON$/],
  [
    'JSON of others',
    json({ status: 'ok' }),
    /^is not who answers there: .* answers with what is no status of Tideline$/,
  ],
  ['a list of others', json([]), /^is not who answers there: .* answers with what is no status of Tideline$/],
  [
    'a refusal',
    (_request, response) => response.writeHead(403).end('ForeignNetwork\n'),
    /^refuses to answer: ForeignNetwork \(HTTP 403\)$/,
  ],
  ['a page that is not there', answering(404, '<h1>Not Found</h1>'), /^is not who answers there: .* answers HTTP 404$/],
  ['a proxy that lets nobody in', answering(403, ''), /^is not who answers there: .* answers HTTP 403$/],
  ['an agent that does not know it', answering(404, `${nothingHere}\n`), /^has an agent that does not know this/],
  ['a fault', answering(500, 'cannot read x\n'), /^answers HTTP 500 instead of what was asked for$/],
  [
    'half an answer',
    (_request, response) => response.writeHead(200, { 'content-length': 9 }).write('{', () => response.destroy()),
    /^ends the connection/,
  ],
  [
    'an answer without end',
    (_request, response) => {
      const more = () => {
        if (!response.destroyed) response.write(' '.repeat(1 << 20), more);
      };
      more();
    },
    /^answers more than 8 MiB$/,
  ],
])('names %s', async (_what, answer, problem) => {
  const part = await asked(answer);
  expect('problem' in part ? part.problem : part).toMatch(problem);
});

test.each([
  [403, 'ForeignNetwork', true],
  [429, 'TooManyRequests', true],
  [403, '<html>', undefined],
  [404, '', undefined],
  [500, '', undefined],
])(
  'tells a door that is closed from a server that is sick, and from a stranger: %i %s',
  async (code, said, refuses) => {
    const part = await asked(answering(code, said));
    expect('refuses' in part ? part.refuses : undefined).toBe(refuses);
  },
);

test('names an agent that takes too long', async () => {
  expect(await asked(() => undefined, 500)).toMatchObject({ problem: 'does not answer within 0.5 s' });
});

test('names a port on which nobody listens', async () => {
  expect(await ask(1)).toMatchObject({ problem: 'has no agent that listens' });
});

test('asks a blade what becomes of a request, and reads what it says', async () => {
  const seen: string[] = [];
  server = createServer(({ url = '' }, response) => {
    seen.push(url);
    const { searchParams } = new URL(url, 'http://blade');
    const answers: Readonly<Record<string, unknown>> = {
      '/': { blade: 'b1', host: 'h', path: '/', refused: 'HostUnknown', faulty: [], later: 1 },
      '/other': { blade: 'b2', host: 'h', path: '/', faulty: [] },
      '/form': { blade: 'b1', backend: 'web' },
    };
    const answer = answers[searchParams.get('path') ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else response.end(JSON.stringify(answer));
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const blade: Target = { server: 'b1', plane: 'edge', cluster: 'paris', pool: 'p', address: '127.0.0.1', port };
  const options = { timeoutMs: 30_000, monotonic: () => performance.now() };
  const route = (path: string) => askRoute(blade, { host: 'h', path }, options);
  expect(await route('/')).toMatchObject({ blade: 'b1', pool: 'p', answer: { refused: 'HostUnknown' } });
  expect(await route('/other')).toMatchObject({ problem: 'has an agent that says it is b2' });
  expect(await route('/form')).toMatchObject({ problem: 'answers in a form that is not understood here' });
  expect(await route('/a?b&c=d')).toMatchObject({
    problem: expect.stringMatching(/something else .* answers HTTP 404$/),
  });
  expect(seen.at(-1)).toBe('/status/route?host=h&path=%2Fa%3Fb%26c%3Dd');
});
