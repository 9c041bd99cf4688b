import { X509Certificate } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from './material.ts';
import { isOfServer, namesOf, type ServerName } from './names.ts';
import type { AskReason } from './reasons.ts';

/** How an agent is asked by who has a certificate. */
export interface AgentAccess {
  /** The certificate in use now; undefined while its files could never be used: then nobody is asked. */
  readonly material: () => TlsMaterial | undefined;
  /** While certificates are being rolled out: what does not speak TLS is asked, and believed, without. */
  readonly grace: boolean;
}

/** Why what answers is not to be asked, or not to be believed. */
export interface Disbelief {
  readonly reason: AskReason;
  readonly message: string;
}

/** A connection that is not open yet; nothing is sent on it before the other end is known. */
export interface OutwardLine {
  readonly socket: TLSSocket;
  /** Why nobody is believed at the other end; undefined while all is well, or when something else went wrong. */
  disbelief(): Disbelief | undefined;
}

/**
 * Connects to an agent. Where `server` is given, the certificate at the other end must name exactly that server, by its name or by its
 * address in the spec; else any certificate of the CA will do, as on the same host.
 */
export function openLine(
  material: TlsMaterial,
  at: { readonly address: string; readonly port: number },
  server: string | undefined,
): OutwardLine {
  const expected: ServerName | undefined = server === undefined ? undefined : { name: server, address: at.address };
  let failure: NodeJS.ErrnoException | undefined;
  const socket = connect({
    host: at.address,
    port: at.port,
    secureContext: material.outward,
    checkServerIdentity: (_host, { raw }) => strangeness(new X509Certificate(raw), expected),
  });
  socket.on('error', (error) => {
    failure = error;
  });
  return { socket, disbelief: () => disbeliefIn(failure, socket) };
}

function strangeness(certificate: X509Certificate, expected: ServerName | undefined): Error | undefined {
  if (expected === undefined || isOfServer(certificate, expected)) return undefined;
  const { name, address } = expected;
  return new Error(`its certificate is not that of ${name} (${address}); its names are: ${namesOf(certificate)}`);
}

/** OpenSSL's words for bytes that are no TLS record, and for an alert of the other end; the code may be the system's `EPROTO`. */
const noTls = /wrong version number|packet length too long|http request/i;
const alert = /\balert\b/i;

function disbeliefIn(failure: NodeJS.ErrnoException | undefined, socket: TLSSocket): Disbelief | undefined {
  if (failure === undefined) return undefined;
  const { code = '', message } = failure;
  // Node sets it, against its types, only when the certificate at the other end was looked at and refused.
  const { authorizationError } = socket as { readonly authorizationError?: unknown };
  if (authorizationError !== undefined && authorizationError !== null)
    return { reason: 'ServerNotBelieved', message: code === '' ? message : `${message} (${code})` };
  if (noTls.test(message)) return { reason: 'TlsNotServed', message: 'it does not speak TLS' };
  if (alert.test(message))
    return {
      reason: 'CertificateRefused',
      message: `it ends the handshake: ${/alert [a-z ]+/i.exec(message)?.[0] ?? code}`,
    };
  return undefined;
}
