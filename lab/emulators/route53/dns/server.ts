import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Log } from '../../../../src/runtime/log.ts';
import { type ResponderOptions, respond } from './respond.ts';

export interface DnsServer {
  readonly host: string;
  readonly port: number;
  /** Messages answered so far. */
  answered(): number;
  stop(): Promise<void>;
}

const idleTimeoutMs = 10_000;
const maxConnections = 256;
/** A client that leaves more than this unread is cut off. */
const maxUnsentBytes = 1 << 20;

/** Serves DNS over UDP and TCP on one address and port; port 0 chooses one that is free for both. */
export async function serveDns(
  options: ResponderOptions & { readonly host: string; readonly port: number; readonly log: Log },
): Promise<DnsServer> {
  const { host, log } = options;
  let answered = 0;
  const answer = (message: Buffer, source: string, transport: 'udp' | 'tcp'): Buffer | undefined => {
    const response = respond(message, plainAddress(source), transport, options);
    if (response !== undefined) answered += 1;
    return response;
  };
  const tcp = createServer((socket) => serveConnection(socket, answer));
  tcp.maxConnections = maxConnections;
  const connections = new Set<Socket>();
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const port = await listenTcp(tcp, host, options.port);
  const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  udp.on('message', (message, peer) => {
    const response = answer(message, peer.address, 'udp');
    // A failed send is a lost datagram: the resolver asks again.
    if (response !== undefined) udp.send(response, peer.port, peer.address, () => undefined);
  });
  try {
    await bindUdp(udp, host, port);
  } catch (error) {
    tcp.close();
    throw error;
  }
  udp.on('error', (error) => log.error({ err: error }, 'DNS over UDP failed'));
  return {
    host,
    port,
    answered: () => answered,
    async stop() {
      const closed = Promise.all([
        new Promise<void>((resolve) => {
          tcp.close(() => resolve());
        }),
        new Promise<void>((resolve) => {
          udp.close(() => resolve());
        }),
      ]);
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function listenTcp(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function bindUdp(socket: UdpSocket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.removeListener('error', reject);
      resolve();
    });
  });
}

/** Answers the messages of one TCP connection, each with a two-byte length before it (RFC 7766). */
function serveConnection(
  socket: Socket,
  answer: (message: Buffer, source: string, transport: 'tcp') => Buffer | undefined,
): void {
  const source = socket.remoteAddress ?? '';
  let received: Buffer = Buffer.alloc(0);
  socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const response = answer(received.subarray(2, end), source, 'tcp');
      received = received.subarray(end);
      if (response === undefined || socket.writableLength > maxUnsentBytes) {
        socket.destroy();
        return;
      }
      const length = Buffer.alloc(2);
      length.writeUInt16BE(response.length);
      socket.write(Buffer.concat([length, response]));
    }
  });
}
