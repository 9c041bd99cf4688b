import { createSocket } from 'node:dgram';
import { type Answer, decode, encode } from 'dns-packet';

export interface NameServer {
  readonly host: string;
  readonly port: number;
}

/**
 * The addresses that the server answers to a resolver that forwards this client's network (/24 or /56), or, where no client is given, to
 * one that tells nothing of its clients.
 */
export async function resolveFor(
  server: NameServer,
  name: string,
  client: string | undefined,
  type: 'A' | 'AAAA' = 'A',
): Promise<readonly string[]> {
  const query = encode({
    type: 'query',
    id: 1 + Math.floor(Math.random() * 65_000),
    questions: [{ name, type }],
    ...(client !== undefined && { additionals: [subnetOf(client)] }),
  });
  const reply = decode(await exchange(server, query));
  const rcode = (reply as unknown as { rcode: string }).rcode;
  if (rcode !== 'NOERROR') throw new Error(`${name} ${type} for ${client}: ${rcode}`);
  const answers = (reply.answers ?? []) as readonly Answer[];
  return answers.flatMap((answer) => (answer.type === type ? [String(answer.data)] : [])).sort();
}

/** The EDNS option of RFC 7871. */
function subnetOf(client: string): Answer {
  const isV6 = client.includes(':');
  const option = {
    code: 'CLIENT_SUBNET',
    family: isV6 ? 2 : 1,
    sourcePrefixLength: isV6 ? 56 : 24,
    scopePrefixLength: 0,
    ip: isV6 ? client : client.replace(/\d+$/, '0'),
  };
  return { type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options: [option] } as never;
}

function exchange(server: NameServer, query: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(() => end(() => reject(new Error('no answer within 3 s'))), 3000);
    socket.once('message', (message) => end(() => resolve(message)));
    socket.once('error', (error) => end(() => reject(error)));
    socket.send(query, server.port, server.host);
  });
}
