import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address } from '../../../model/address.ts';
import { bladePaths } from '../../../model/contract.ts';
import { Deadline } from '../../../runtime/deadline.ts';

/** Resolves with the `instance` of the nginx that answers on the VIP, or undefined when none does in time. Never rejects. */
export type Probe = (vip: Address, port: number) => Promise<string | undefined>;

export interface ProbeOptions {
  readonly timeoutMs: number;
  /** nginx takes connections with the PROXY protocol only. */
  readonly proxyProtocol: boolean;
}

/** Probes over a new connection each time, from this host to the VIP on its loopback interface: the whole data path. */
export function httpProbe(options: ProbeOptions): Probe {
  return async (vip, port) => instanceIn(await getJson(question(vip, port, options)));
}

/** The same over TLS, with a whole handshake each time. Any certificate will do: that of a host is its tenant's matter. */
export function tlsProbe(options: ProbeOptions): Probe {
  return async (vip, port) => instanceIn(await getJson({ ...question(vip, port, options), tls: true }));
}

function question(vip: Address, port: number, options: ProbeOptions): GetJson {
  return { address: vip.text, port, path: bladePaths.blade, maxBytes: maxProbeBytes, ...options };
}

function instanceIn(body: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const instance = body?.['instance'];
  return typeof instance === 'string' ? instance : undefined;
}

export interface GetJson {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
  /** A larger body is no answer. */
  readonly maxBytes: number;
  readonly proxyProtocol?: boolean;
  readonly tls?: boolean;
  /** Opens the connection instead. */
  readonly open?: () => Socket;
}

/** nginx answers a probe with less than a hundred bytes. */
const maxProbeBytes = 4096;

/** The JSON object that a GET answers with status 200, or undefined. Never rejects. */
export function getJson({
  address,
  port,
  path,
  timeoutMs,
  maxBytes,
  proxyProtocol = false,
  tls = false,
  open,
}: GetJson): Promise<Readonly<Record<string, unknown>> | undefined> {
  return new Promise((resolve) => {
    const call = request(
      {
        host: address,
        port,
        path,
        ...(proxyProtocol || tls || open !== undefined
          ? { createConnection: open ?? (() => opened(address, port, proxyProtocol, tls)) }
          : { agent: false }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBytes) call.destroy();
          else chunks.push(chunk);
        });
        response.on('error', () => resolve(undefined));
        response.on('end', () => resolve(response.statusCode === 200 ? parse(Buffer.concat(chunks)) : undefined));
      },
    );
    // A whole answer must have come by then: an nginx that sends it byte by byte does not serve.
    const deadline = new Deadline(timeoutMs, () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.on('close', () => {
      deadline.cancel();
      resolve(undefined);
    });
    call.end();
  });
}

/**
 * No Ingress can have this name, so its certificate is the one of the host for any name, or the static one. A weak key of a tenant must
 * not look like a fault of the blade, so OpenSSL refuses none here.
 */
const handshake = {
  servername: 'blade.tideline.invalid',
  rejectUnauthorized: false,
  ciphers: 'DEFAULT:@SECLEVEL=0',
} as const;

/** With the PROXY protocol a connection begins as a proxy's own health check does: the client is who connects. */
function opened(host: string, port: number, proxyProtocol: boolean, tls: boolean): Socket {
  const socket = connect({ host, port });
  if (proxyProtocol) socket.write('PROXY UNKNOWN\r\n');
  if (!tls) return socket;
  const secured = connectTls({ socket, ...handshake });
  secured.on('close', () => socket.destroy());
  return secured;
}

function parse(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
