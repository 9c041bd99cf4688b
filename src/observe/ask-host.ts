import { request as http } from 'node:http';
import { request as https, type RequestOptions } from 'node:https';
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import type { HostLack } from '../model/status.ts';
import { messageOf } from '../model/values.ts';
import { Deadline } from '../runtime/deadline.ts';

/** Where a host is asked for, as its users would. */
export interface HostQuery {
  readonly cluster: string;
  /** A host of a policy, which may be a wildcard. */
  readonly host: string;
  /** The name that stands for it in the request. */
  readonly name: string;
  readonly address: string;
  /** Ports of plain HTTP and of HTTPS. */
  readonly ports: { readonly http: number; readonly https: number };
}

/** What answers for a host at the address of a cluster. */
export interface HostProbe extends Pick<HostQuery, 'cluster' | 'host'> {
  readonly lacks: readonly Omit<HostLack, 'host'>[];
  /**
   * `none`: no TLS there, or with a certificate of others, as an entry shows it for a host without one; `valid`: with a certificate for the
   * host that has begun and not ended; `other`: anything else.
   */
  readonly tls: 'none' | 'valid' | 'other';
  /** Why it is not known whether the host is served. */
  readonly unknown?: string;
}

/**
 * Makes one handshake with the name of the host, and one request for its `/`, over TLS where that is spoken. Whether a certificate is of
 * a CA that clients believe is not judged here. Never rejects.
 */
export async function askHost(query: HostQuery, timeoutMs: number, nowMs: number): Promise<HostProbe> {
  const { cluster, host, name } = query;
  const shaken = await handshake(query, timeoutMs);
  const secured = 'certificate' in shaken;
  const isForHost = secured && checkServerIdentity(name, shaken.certificate) === undefined;
  const lacks = isForHost ? certificateLacks(shaken.certificate, nowMs) : [];
  const judged = judgedOf(await get(query, secured, timeoutMs), query, secured);
  const tls = isForHost ? (lacks.length === 0 ? 'valid' : 'other') : secured || shaken.refused ? 'none' : 'other';
  return { cluster, host, tls, ...judged, lacks: [...judged.lacks, ...lacks] };
}

type Handshake = { readonly certificate: PeerCertificate } | { readonly refused: boolean };

function handshake({ address, ports, name }: HostQuery, timeoutMs: number): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: ports.https, servername: name, rejectUnauthorized: false });
    const end = (result: Handshake): void => {
      deadline.cancel();
      resolve(result);
      socket.destroy();
    };
    const deadline = new Deadline(timeoutMs, () => end({ refused: false }));
    socket.on('secureConnect', () => end({ certificate: socket.getPeerCertificate() }));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end({ refused: code === 'ECONNREFUSED' }));
    socket.on('close', () => end({ refused: false }));
  });
}

function certificateLacks(certificate: PeerCertificate, nowMs: number): HostProbe['lacks'] {
  const begins = Date.parse(certificate.valid_from);
  const ends = Date.parse(certificate.valid_to);
  const lack = (reason: string, what: string) => ({ reason, message: `its certificate ${what}` });
  return [
    ...(nowMs >= ends ? [lack('CertificateExpired', `ended at ${new Date(ends).toISOString()}`)] : []),
    ...(nowMs < begins ? [lack('CertificateNotYetValid', `begins at ${new Date(begins).toISOString()}`)] : []),
  ];
}

/** The status of the answer, or why there is none. */
function get({ address, ports, name }: HostQuery, secured: boolean, timeoutMs: number): Promise<number | string> {
  return new Promise((resolve) => {
    const common: RequestOptions = { host: address, path: '/', headers: { host: name }, agent: false };
    const call = secured
      ? https({ ...common, port: ports.https, servername: name, rejectUnauthorized: false })
      : http({ ...common, port: ports.http });
    const deadline = new Deadline(timeoutMs, () => {
      resolve(`nothing within ${timeoutMs / 1000} s`);
      call.destroy();
    });
    call.on('response', ({ statusCode = 0 }) => {
      resolve(statusCode);
      call.destroy();
    });
    call.on('error', (error) => resolve(messageOf(error)));
    call.on('close', () => {
      deadline.cancel();
      resolve('the connection ends without an answer');
    });
    call.end();
  });
}

/** Answers of an entry that has no pod to ask. */
const withoutPod: ReadonlySet<number> = new Set([502, 503, 504]);
/** Answers of something that knows the host, or serves every host. */
const telling = (code: number): boolean => code < 400 || code === 401 || code === 403 || code === 405;

function judgedOf(
  answer: number | string,
  { address, ports }: HostQuery,
  secured: boolean,
): Pick<HostProbe, 'lacks' | 'unknown'> {
  const port = secured ? ports.https : ports.http;
  const at = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  if (typeof answer === 'string') return { lacks: [], unknown: `no answer at ${at}: ${answer}` };
  if (withoutPod.has(answer)) return { lacks: [{ reason: 'HostNotReady', message: `${at} answers ${answer} to it` }] };
  if (answer === 421) return { lacks: [{ reason: 'HostNotServed', message: `${at} answers 421 to it` }] };
  if (telling(answer)) return { lacks: [] };
  return { lacks: [], unknown: `${at} answers ${answer} to its /, as it may also do without the host` };
}
