import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { EndpointReason } from '../reasons.ts';
import { tlsHandshake } from '../request-head.ts';
import type { TlsCredentials } from './credentials.ts';
import { minVersion, type TlsMaterial } from './material.ts';
import { isOfServer, type ServerName } from './names.ts';

/** What an agent requires of who asks it. */
export interface TlsRules {
  readonly credentials: TlsCredentials;
  /** While certificates are being rolled out: who asks without one is answered as well. */
  readonly grace: boolean;
}

/** A connection on which a request may be read, and why it will not be answered, if so. */
export interface Line {
  readonly socket: Socket;
  readonly refusal?: EndpointReason | undefined;
  /** What a person who looks for the cause reads in the log. */
  readonly detail?: string | undefined;
}

export interface Gates {
  /** The servers that may ask because they are of the same pool, or are this one. */
  readonly own: readonly ServerName[];
  /** Servers that may not ask, because they are blades of other pools. */
  readonly foreign: readonly ServerName[];
}

/**
 * Nobody resumes a session: its certificate may have ended, and the CA may have gone, since it began. Nobody renegotiates one: that
 * costs the server more than the client.
 */
const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

/**
 * Leads each connection through its handshake and says who asks. It has no limits of its own: whoever hands in a connection ends it
 * when it takes too long, and bounds how many there are.
 */
export class TlsGate {
  readonly #rules: TlsRules;
  readonly #gates: () => Gates;
  /** Connections in their handshake, by who is at the other end: the server of `node:tls` tells a connection by nothing else. */
  readonly #entering = new Map<string, (line: Line) => void>();
  #server: Server | undefined;
  #used: TlsMaterial | undefined;

  constructor(rules: TlsRules, gates: () => Gates) {
    this.#rules = rules;
    this.#gates = gates;
  }

  /** Calls `entered` once when a request may be read on the connection; never when the connection ends before. */
  enter(socket: Socket, entered: (line: Line) => void): void {
    const end = (): void => {
      socket.destroy();
    };
    socket.once('end', end);
    socket.once('data', (first: Buffer) => {
      socket.off('end', end).pause();
      socket.unshift(first);
      if (first[0] === tlsHandshake) this.#shakeHands(socket, entered);
      else entered({ socket, ...(this.#rules.grace ? {} : { refusal: 'TlsRequired' }) });
    });
  }

  #shakeHands(socket: Socket, entered: (line: Line) => void): void {
    const server = this.#serverNow();
    const key = keyOf(socket);
    if (server === undefined || key === undefined) {
      socket.destroy();
      return;
    }
    this.#entering.set(key, entered);
    socket.once('close', () => this.#entering.delete(key));
    server.emit('connection', socket);
  }

  #serverNow(): Server | undefined {
    const material = this.#rules.credentials.current();
    if (material === undefined || material === this.#used) return this.#server;
    const { cert, key, ca } = material;
    const context = { cert, key, ca, minVersion, secureOptions } as const;
    this.#used = material;
    if (this.#server === undefined) this.#server = this.#createServer(context);
    else this.#server.setSecureContext(context);
    return this.#server;
  }

  #createServer(context: object): Server {
    // A visitor whose certificate is refused is told so, over TLS: Node would end the connection without a word.
    const server = createServer({ ...context, requestCert: true, rejectUnauthorized: false });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => socket.destroy());
      const key = keyOf(socket);
      const entered = key === undefined ? undefined : this.#entering.get(key);
      if (key === undefined || entered === undefined) socket.destroy();
      else {
        this.#entering.delete(key);
        entered({ socket, ...this.#judge(socket) });
      }
    });
    server.on('tlsClientError', (_error, socket) => {
      socket.destroy();
    });
    return server;
  }

  #judge(socket: TLSSocket): Pick<Line, 'refusal' | 'detail'> {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return { refusal: 'CertificateRequired' };
    const detail = subjectOf(certificate);
    if (!socket.authorized)
      return { refusal: 'CertificateRefused', detail: `${String(socket.authorizationError)}: ${detail}` };
    const { own, foreign } = this.#gates();
    const isOf = (servers: readonly ServerName[]): boolean => servers.some((one) => isOfServer(certificate, one));
    return isOf(foreign) && !isOf(own) ? { refusal: 'ForeignServer', detail } : {};
  }
}

function subjectOf({ subject }: X509Certificate): string {
  return subject.replaceAll('\n', ', ');
}

function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string | undefined {
  return remoteAddress === undefined || remotePort === undefined
    ? undefined
    : `${remoteAddress} ${remotePort} ${localAddress}`;
}
