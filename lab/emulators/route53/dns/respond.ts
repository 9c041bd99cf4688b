import {
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { Prefix } from '../../../../src/model/address.ts';
import { clientNetwork } from '../cidr/collections.ts';
import type { Place } from '../zone/answer.ts';
import type { HostedZone } from '../zone/zones.ts';
import { answerOpt, type Edns, largestUdpAnswer, readEdns } from './edns.ts';
import { type LookupContext, type LookupResult, lookup } from './lookup.ts';

export interface ResponderOptions {
  /** The zone that a lower-case name with trailing dot is in. */
  readonly zoneOf: (name: string) => HostedZone | undefined;
  readonly placeOf: (address: string) => Place;
  /** The location of a CIDR collection that holds a network. */
  readonly locationOf: (collectionId: string, client: Prefix) => string | undefined;
  readonly isHealthy: (healthCheckId: string) => boolean;
  readonly random: () => number;
}

export type Transport = 'udp' | 'tcp';

const rcodes = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof rcodes;
const badVersion = 1;

/**
 * The answer to one message from `source` (the resolver's address), or undefined for a message that gets none: a fragment, or
 * an answer. Never throws, whatever the bytes are.
 */
export function respond(
  message: Buffer,
  source: string,
  transport: Transport,
  options: ResponderOptions,
): Buffer | undefined {
  if (message.length < 12 || (message.readUInt8(2) & 0x80) !== 0) return undefined;
  const opcode = (message.readUInt8(2) >> 3) & 0xf;
  if (opcode !== 0) return headerOnly(message, 'NOTIMP');
  try {
    return answer(message, source, transport, options) ?? headerOnly(message, 'FORMERR');
  } catch {
    // The decoder throws on truncated or circular names, short records and the like.
    return headerOnly(message, 'FORMERR');
  }
}

/** The answer to one query; undefined when the query is malformed. */
function answer(message: Buffer, source: string, transport: Transport, options: ResponderOptions): Buffer | undefined {
  const query = decode(message);
  const [question, ...more] = query.questions ?? [];
  const edns = readEdns(query);
  if (question === undefined || more.length > 0 || edns === 'malformed') return undefined;
  if (!reencodesExactly(message, question)) return undefined;
  const base: Packet = { id: query.id ?? 0, type: 'response', questions: [question] };
  if (edns !== undefined && edns.version !== 0)
    return encode({
      ...base,
      flags: query.flag_rd ? RECURSION_DESIRED : 0,
      additionals: [answerOpt(edns, 0, badVersion)],
    });
  const result = resolveQuestion(question, edns, source, options);
  if (typeof result === 'string')
    return encode({
      ...base,
      flags: flagsOf(query, result, false),
      additionals: edns === undefined ? [] : [answerOpt(edns, 0)],
    });
  const scope = result.byPlace ? (edns?.clientSubnet?.sourcePrefixLength ?? 0) : 0;
  const packet: Packet = {
    ...base,
    flags: flagsOf(query, result.rcode, result.authoritative),
    answers: [...result.answers],
    authorities: [...result.authorities],
    additionals: edns === undefined ? [] : [answerOpt(edns, scope)],
  };
  return fit(packet, edns, transport);
}

/** A name that decodes lossily (dots in labels, bytes that are no UTF-8) cannot be answered under its own name. */
function reencodesExactly(message: Buffer, question: Question): boolean {
  const again = encode({ type: 'query', questions: [question] }).subarray(12);
  return message.subarray(12, 12 + again.length).equals(again);
}

function resolveQuestion(
  question: Question,
  edns: Edns | undefined,
  source: string,
  options: ResponderOptions,
): LookupResult | Rcode {
  if (question.class !== 'IN') return 'REFUSED';
  if (question.type === 'AXFR' || question.type === 'IXFR') return 'REFUSED';
  if (question.type.toUpperCase() === 'ANY') return 'NOTIMP';
  const name = question.name === '.' ? '.' : `${question.name.toLowerCase()}.`;
  const zone = options.zoneOf(name);
  if (zone === undefined) return 'REFUSED';
  const client = clientNetwork(
    edns?.clientSubnet?.address ?? source,
    edns?.clientSubnet?.sourcePrefixLength || undefined,
  );
  const context: LookupContext = {
    place: options.placeOf(edns?.clientSubnet?.address ?? source),
    locationIn: (id) => (client === undefined ? undefined : options.locationOf(id, client)),
    isHealthy: options.isHealthy,
    random: options.random,
  };
  // The owner name keeps the case of the question's letters, because resolvers compare it (0x20).
  return lookup(zone, `${question.name}.`, question.type, context);
}

function flagsOf(query: DecodedPacket, rcode: Rcode, authoritative: boolean): number {
  return (query.flag_rd ? RECURSION_DESIRED : 0) | (authoritative ? AUTHORITATIVE_ANSWER : 0) | rcodes[rcode];
}

/** Over UDP an answer that is too large is sent empty with the TC bit, so that the resolver comes back over TCP. */
function fit(packet: Packet, edns: Edns | undefined, transport: Transport): Buffer {
  const full = encode(packet);
  const room =
    transport === 'tcp'
      ? 65_535
      : edns === undefined
        ? 512
        : Math.min(Math.max(edns.udpPayloadSize, 512), largestUdpAnswer);
  if (full.length <= room) return full;
  return encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

/** An answer of a header only, twelve bytes: the query's id, opcode and RD bit, and the code. */
function headerOnly(message: Buffer, rcode: Rcode): Buffer {
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  header.writeUInt8(0x80 | (message.readUInt8(2) & 0x79), 2);
  header.writeUInt8(rcodes[rcode], 3);
  return header;
}
