import { createSocket } from 'node:dgram';
import { createConnection, isIPv6 } from 'node:net';
import { decode, encode, type StringAnswer, TRUNCATED_RESPONSE } from 'dns-packet';
import { type Prefix, parseLoosePrefix, widened } from '../model/address.ts';
import { longestNetwork } from '../model/geo/networks.ts';
import type { DnsPart } from './why/evidence.ts';

export interface DnsQuery {
  readonly server: NameServer;
  readonly host: string;
  readonly types: readonly ('A' | 'AAAA')[];
  readonly country?: string;
  /** An address of the client subnet; its first 24 bits are sent, of IPv6 48. Without it no subnet is sent. */
  readonly subnet?: string;
}

export interface NameServer {
  readonly address: string;
  readonly port: number;
}

/** The code of the EDNS option for the client subnet (RFC 7871). */
const clientSubnet = 8 as const;
const attemptMs = 700;
const attempts = 3;

/** Asks one name server, as a resolver near the user would. Never rejects: who does not answer is a part with the cause. */
export async function askDns(query: DnsQuery): Promise<DnsPart> {
  const { server, host, types, country, subnet } = query;
  const of = {
    server: server.port === 53 ? server.address : `${server.address} port ${server.port}`,
    host,
    ...(country === undefined ? {} : { country }),
    ...(subnet === undefined ? {} : { subnet: subnetOf(subnet)?.text ?? subnet }),
  };
  const answers = await Promise.all(types.map((type) => ask(query, type)));
  const problem = answers.find((answer) => typeof answer === 'string');
  if (problem !== undefined) return { ...of, problem };
  const read = answers.filter((answer) => typeof answer !== 'string');
  return {
    ...of,
    addresses: read.flatMap(({ addresses }) => addresses).toSorted(),
    rcode: read.find(({ rcode }) => rcode !== 'NOERROR')?.rcode ?? 'NOERROR',
  };
}

interface Answer {
  readonly addresses: readonly string[];
  readonly rcode: string;
  /** True when it did not fit in the packet. */
  readonly truncated?: true;
}

/** The answer to one question, or why there is none. */
async function ask(query: DnsQuery, type: 'A' | 'AAAA'): Promise<Answer | string> {
  let problem = 'was not asked';
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const answer = await askOnce(query, type);
    if (typeof answer !== 'string') return answer.truncated === true ? await askWhole(query, type) : answer;
    problem = answer;
  }
  return problem;
}

function askOnce({ server, host, subnet }: DnsQuery, type: 'A' | 'AAAA'): Promise<Answer | string> {
  const id = Math.floor(Math.random() * 65_536);
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const finish = (answer: Answer | string): void => {
      clearTimeout(timer);
      socket.removeAllListeners('message').close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(`does not answer within ${(attempts * attemptMs) / 1000} s`), attemptMs);
    socket.once('error', (error) => finish(`cannot be asked: ${error.message}`));
    socket.on('message', (message, from) => {
      if (from.address !== server.address || from.port !== server.port) return;
      const answer = readAnswer(message, { id, host, type });
      if (answer !== undefined) finish(answer);
    });
    // A connected socket hears of a port on which nobody listens.
    socket.connect(server.port, server.address, () => socket.send(queryOf(id, host, type, subnet)));
  });
}

/** An answer of DNS has no more than this, in TCP behind its length. */
const maxBytes = 65_535;

/** Asks over TCP what did not fit in a packet. */
function askWhole({ server, host, subnet }: DnsQuery, type: 'A' | 'AAAA'): Promise<Answer | string> {
  const id = Math.floor(Math.random() * 65_536);
  const socket = createConnection({ host: server.address, port: server.port });
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const finish = (answer: Answer | string): void => {
      clearTimeout(timer);
      socket.removeAllListeners('data').destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish('answers in part, and not within 3 s over TCP'), 3000);
    socket.once('error', (error) => finish(`answers in part, and cannot be asked over TCP: ${error.message}`));
    socket.once('end', () => finish('answers in part, and ends the connection over TCP'));
    socket.once('connect', () => {
      const message = queryOf(id, host, type, subnet);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      if (received.length < 2) return;
      const length = received.readUInt16BE(0);
      if (received.length < 2 + length && received.length <= maxBytes) return;
      const answer = readAnswer(received.subarray(2, 2 + length), { id, host, type });
      finish(answer ?? 'answers in part, and something else over TCP');
    });
  });
}

/** The part of an address that is sent; of a wider network, its first. */
function subnetOf(address: string): Prefix | undefined {
  const prefix = parseLoosePrefix(address);
  return prefix === undefined ? undefined : widened(prefix, longestNetwork[prefix.family]);
}

function queryOf(id: number, host: string, type: 'A' | 'AAAA', subnet: string | undefined): Buffer {
  const sent = subnet === undefined ? undefined : subnetOf(subnet);
  const options =
    sent === undefined
      ? []
      : [
          {
            code: clientSubnet,
            family: sent.family === 4 ? 1 : 2,
            sourcePrefixLength: longestNetwork[sent.family],
            ip: sent.network,
          },
        ];
  return encode({
    type: 'query',
    id,
    flags: 0,
    questions: [{ type, name: host, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        flags: 0,
        extendedRcode: 0,
        ednsVersion: 0,
        flag_do: false,
        options,
      },
    ],
  });
}

/** Reads an answer to this question; undefined for any other packet, also one that cannot be read. */
function readAnswer(
  message: Buffer,
  asked: { readonly id: number; readonly host: string; readonly type: 'A' | 'AAAA' },
): Answer | undefined {
  try {
    const packet = decode(message);
    const [question] = packet.questions ?? [];
    if (
      packet.id !== asked.id ||
      packet.type !== 'response' ||
      question?.name.toLowerCase() !== asked.host.toLowerCase()
    )
      return undefined;
    const records = (packet.answers ?? []).filter((record): record is StringAnswer => record.type === asked.type);
    return {
      addresses: records.map(({ data }) => data),
      rcode: (packet as { readonly rcode?: string }).rcode ?? 'NOERROR',
      ...((packet.flags ?? 0) & TRUNCATED_RESPONSE ? { truncated: true } : {}),
    };
  } catch {
    return undefined;
  }
}
