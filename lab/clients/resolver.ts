import { createSocket } from 'node:dgram';
import { decode, encode, type StringAnswer } from 'dns-packet';
import { withoutUndefined } from '../../src/model/values.ts';

export interface DnsAnswer {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
  readonly rcode: string;
}

export interface DnsQuestion {
  readonly server: string;
  readonly host: string;
  /** The client subnet, given as an address of it; its first 24 bits are sent. */
  readonly subnet: string;
  /** Source address of the question; when absent the kernel chooses it. */
  readonly source?: string;
}

/** The code of the EDNS option for the client subnet. */
const clientSubnet = 8;
const attemptMs = 400;
const attempts = 3;

/** Asks for A records with the client subnet (RFC 7871), as a resolver near the user would. Rejects with `DnsTimeout`. */
export async function resolveWithSubnet(question: DnsQuestion): Promise<DnsAnswer> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const answer = await askOnce(question);
    if (answer !== undefined) return answer;
  }
  throw new Error('DnsTimeout');
}

function askOnce(question: DnsQuestion): Promise<DnsAnswer | undefined> {
  const id = Math.floor(Math.random() * 65_536);
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    const finish = (answer?: DnsAnswer): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(finish, attemptMs);
    socket.on('error', () => finish());
    socket.on('message', (message) => {
      const answer = readAnswer(message, id);
      if (answer !== undefined) finish(answer);
    });
    socket.bind({ port: 0, ...withoutUndefined({ address: question.source }) }, () => {
      socket.send(query(id, question), 53, question.server, (error) => {
        if (error !== null) finish();
      });
    });
  });
}

function query(id: number, question: DnsQuestion): Buffer {
  return encode({
    type: 'query',
    id,
    flags: 0,
    questions: [{ type: 'A', name: question.host, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        flags: 0,
        extendedRcode: 0,
        ednsVersion: 0,
        flag_do: false,
        options: [{ code: clientSubnet, family: 1, sourcePrefixLength: 24, ip: question.subnet }],
      },
    ],
  });
}

function readAnswer(message: Buffer, id: number): DnsAnswer | undefined {
  const packet = decode(message);
  if (packet.id !== id) return undefined;
  const records = (packet.answers ?? []).filter((record): record is StringAnswer => record.type === 'A');
  const ttls = records.map((record) => record.ttl ?? 0);
  return {
    addresses: records.map((record) => record.data),
    ttlSeconds: ttls.length === 0 ? 0 : Math.min(...ttls),
    rcode: (packet as { readonly rcode?: string }).rcode ?? 'NOERROR',
  };
}
