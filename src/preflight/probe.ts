import { execFile } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { messageOf, withoutUndefined } from '../model/values.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { type ClockRange, getAnonymously, type Open, type Place, type TextAnswer } from './http.ts';
import { clockUndecided } from './judge/server.ts';
import { factsOf } from './kubeconfig.ts';
import type { AddressFacts, HttpFacts, ProbeFacts, Target, TlsFacts, VersionFacts } from './target.ts';

/** How many addresses behind one name are probed at most. */
const maxAddresses = 8;
/** How many answers are requested for the clock at most. */
const maxClockAnswers = 6;

/**
 * Probes the path to the API server step by step (name, TCP, TLS, HTTP), without credentials: the server's certificate is judged
 * only later, so nothing secret may be sent. Ends within `timeoutMs`.
 */
export async function probe(target: Target, clock: Clock, timeoutMs: number): Promise<ProbeFacts> {
  const deadline = clock.monotonic() + timeoutMs;
  const names = await resolveName(target.host, timeoutMs);
  if ('error' in names) return { nameError: names.error, addresses: [] };
  const addresses = names.list.slice(0, maxAddresses).map((address) => probeAddress(target, address, clock, deadline));
  return { addresses: await Promise.all(addresses) };
}

type Names = { readonly list: readonly string[] } | { readonly error: string };

/**
 * Asks the system's resolver (files, DNS, as configured) in a process of its own: a process that does not answer can be ended,
 * while a lookup inside this process would keep it running for as long as the system waits.
 */
async function resolveName(host: string, timeoutMs: number): Promise<Names> {
  if (isIP(host) !== 0) return { list: [host] };
  try {
    const { stdout } = await promisify(execFile)('getent', ['ahosts', host], {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const list = stdout.split('\n').flatMap((line) => /^\S+/.exec(line)?.[0] ?? []);
    return { list: [...new Set(list)] };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { killed, code } = error as Error & { readonly killed?: boolean; readonly code?: unknown };
    if (killed === true) return { error: 'timeout' };
    return code === 'ENOENT' ? lookUp(host) : { error: 'ENOTFOUND' };
  }
}

async function lookUp(host: string): Promise<Names> {
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return { list: [...new Set(found.map(({ address }) => address))] };
  } catch (error) {
    return { error: codeOf(error) };
  }
}

async function probeAddress(target: Target, address: string, clock: Clock, deadline: number): Promise<AddressFacts> {
  const leftMs = () => Math.max(1, deadline - clock.monotonic());
  const opened = await openTcp(address, target.port, clock, leftMs());
  if (typeof opened === 'string') return { address, tcp: opened };
  const secured = await openTls(target, opened, clock, leftMs());
  if (secured.socket === undefined) {
    opened.destroy();
    return { address, tcp: 'ok', tls: secured.facts };
  }
  secured.socket.destroy();
  const open = async () => {
    const tcp = await openTcp(address, target.port, clock, leftMs());
    if (typeof tcp === 'string') return undefined;
    const { socket } = await openTls(target, tcp, clock, leftMs());
    if (socket === undefined) tcp.destroy();
    return socket;
  };
  return { address, tcp: 'ok', tls: secured.facts, http: await askServer({ target, open }, clock, leftMs) };
}

async function askServer({ target, open }: Asking, clock: Clock, leftMs: () => number): Promise<HttpFacts> {
  const host = target.serverName ?? target.host;
  // `/version` serves for the clock, because even its refusal has a Date and depends on nothing but the server itself.
  const place = { host, path: '/version' };
  const [version, ready] = await Promise.all([
    getAnonymously(open, place, clock, leftMs()),
    getAnonymously(open, { host, path: '/readyz?verbose' }, clock, leftMs()),
  ]);
  const parsed = version?.status === 200 ? versionOf(version.body) : undefined;
  const range = version?.clock && (await narrowClockRange(version.clock, place, open, clock, leftMs));
  return {
    ...withoutUndefined({ version: parsed }),
    ...(version === undefined ? {} : readyFacts(ready)),
    ...withoutUndefined({ clock: range }),
  };
}

/** The readiness by the answer to `/readyz`. A server that answers other requests, and not this one, waits for its etcd. */
function readyFacts(ready: TextAnswer | undefined): Pick<HttpFacts, 'ready'> {
  if (ready === undefined) return { ready: { ok: false, lines: [] } };
  if (ready.status !== 200 && ready.status < 500) return {};
  return { ready: { ok: ready.status === 200, lines: ready.body.split('\n') } };
}

interface Asking {
  readonly target: Target;
  readonly open: Open;
}

/**
 * Narrows the range of the clock's difference by more answers, at other parts of the second, while it includes a limit of
 * the verdict.
 */
async function narrowClockRange(
  first: ClockRange,
  place: Place,
  open: Open,
  clock: Clock,
  leftMs: () => number,
): Promise<ClockRange> {
  let range = first;
  for (let answers = 1; answers < maxClockAnswers && leftMs() > 500 && clockUndecided(range); answers += 1) {
    // The request is sent when, for the middle of the range, a new second begins on the server: this halves the range.
    await sleep(clock, Math.min(1000 - withinSecond(clock.now() + (range.lowMs + range.highMs) / 2), leftMs()));
    const next = (await getAnonymously(open, place, clock, leftMs()))?.clock;
    if (next === undefined) break;
    const both = { lowMs: Math.max(range.lowMs, next.lowMs), highMs: Math.min(range.highMs, next.highMs) };
    // The ranges do not overlap when a clock was set meanwhile: the newer one counts.
    range = both.lowMs > both.highMs ? next : both;
  }
  return range;
}

function withinSecond(ms: number): number {
  return ((ms % 1000) + 1000) % 1000;
}

function versionOf(body: string): VersionFacts | undefined {
  try {
    const { gitVersion = '', major = '', minor = '' } = JSON.parse(body) as Partial<VersionFacts>;
    return { gitVersion, major, minor };
  } catch {
    return undefined;
  }
}

function openTcp(address: string, port: number, clock: Clock, timeoutMs: number): Promise<Socket | string> {
  const socket = connectTcp({ host: address, port });
  const opened = new Promise<Socket | string>((resolve) => {
    socket.once('connect', () => resolve(socket));
    // The listener stays, so that an error after connecting is not thrown: the user of the socket sees that it broke.
    socket.on('error', (error) => resolve(codeOf(error)));
  });
  return withTimeout(opened, clock, timeoutMs, 'timeout').then((result) => {
    if (result === 'timeout') socket.destroy();
    return result;
  });
}

interface Secured {
  readonly socket?: TLSSocket;
  readonly facts: TlsFacts;
}

/** Makes the TLS handshake, and goes on with a server that we do not trust, because its certificate is to be judged. */
function openTls(target: Target, tcp: Socket, clock: Clock, timeoutMs: number): Promise<Secured> {
  const name = target.serverName ?? target.host;
  const socket = connectTls({
    socket: tcp,
    rejectUnauthorized: false,
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...withoutUndefined({ ca: target.authority }),
  });
  const done = new Promise<Secured>((resolve) => {
    socket.once('secureConnect', () => resolve({ socket, facts: handshakeFacts(socket) }));
    socket.on('error', (error) =>
      resolve({ facts: { verdict: codeOf(error), message: error.message, chain: [], names: [] } }),
    );
    socket.once('close', () =>
      resolve({ facts: { verdict: 'closed', message: 'the connection was closed', chain: [], names: [] } }),
    );
  });
  const late = {
    facts: { verdict: 'timeout', message: `no answer within ${Math.ceil(timeoutMs / 1000)} s`, chain: [], names: [] },
  };
  return withTimeout(done, clock, timeoutMs, late);
}

function handshakeFacts(socket: TLSSocket): TlsFacts {
  const chain: X509Certificate[] = [];
  for (
    let next = socket.getPeerX509Certificate();
    next !== undefined && chain.length < 10;
    next = next.issuerCertificate
  )
    chain.push(next);
  const names = (chain[0]?.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));
  const error: unknown = socket.authorizationError;
  const verdict = socket.authorized ? 'ok' : codeOf(error);
  return { verdict, chain: chain.map(factsOf), names: names.filter((name) => name !== '') };
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return messageOf(error);
}

/** Resolves with the result, or with `late` when it does not come in time; a later result is dropped. */
async function withTimeout<T, L>(work: Promise<T>, clock: Clock, timeoutMs: number, late: L): Promise<T | L> {
  const { promise, resolve } = Promise.withResolvers<L>();
  const timer = clock.setTimeout(() => resolve(late), timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer.cancel();
  }
}
