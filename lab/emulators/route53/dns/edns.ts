import type { OptAnswer, Packet } from 'dns-packet';
import ipaddr from 'ipaddr.js';

/** The fields of a query's OPT record that matter here. */
export interface Edns {
  readonly version: number;
  readonly udpPayloadSize: number;
  readonly clientSubnet: ClientSubnet | undefined;
}

/** EDNS client subnet (RFC 7871). */
export interface ClientSubnet {
  readonly sourcePrefixLength: number;
  /** The subnet's address; undefined when the client asked not to be located (source prefix length 0). */
  readonly address: string | undefined;
  /** The option's data as received; the answer repeats it. */
  readonly data: Buffer;
}

const clientSubnetCode = 8;

/** Reads the query's EDNS part: undefined when there is none, 'malformed' when it breaks the RFCs. */
export function readEdns(packet: Packet): Edns | undefined | 'malformed' {
  const found = (packet.additionals ?? []).filter((record): record is OptAnswer => record.type === 'OPT');
  const [opt] = found;
  if (opt === undefined) return undefined;
  if (found.length > 1 || opt.name !== '.') return 'malformed';
  const subnets = opt.options.filter((option) => option.code === clientSubnetCode);
  const subnet = subnets[0]?.data === undefined ? undefined : parseClientSubnet(subnets[0].data);
  if (subnets.length > 1 || (subnets.length === 1 && subnet === undefined)) return 'malformed';
  return { version: opt.ednsVersion, udpPayloadSize: opt.udpPayloadSize, clientSubnet: subnet };
}

/**
 * Reads the option; undefined when its family or lengths are wrong, or it has more address bits than the prefix length (RFC
 * 7871 section 6).
 */
export function parseClientSubnet(data: Buffer): ClientSubnet | undefined {
  if (data.length < 4) return undefined;
  const family = data.readUInt16BE(0);
  const sourcePrefixLength = data.readUInt8(2);
  const bits = family === 1 ? 32 : family === 2 ? 128 : 0;
  const given = data.subarray(4);
  if (data.readUInt8(3) !== 0 || sourcePrefixLength > bits || given.length !== Math.ceil(sourcePrefixLength / 8))
    return undefined;
  const spareBits = given.length * 8 - sourcePrefixLength;
  if (((given.at(-1) ?? 0) & (2 ** spareBits - 1)) !== 0) return undefined;
  if (sourcePrefixLength === 0) return { sourcePrefixLength, address: undefined, data };
  const bytes = [...given, ...Array.from({ length: bits / 8 - given.length }, () => 0)];
  return { sourcePrefixLength, address: ipaddr.fromByteArray(bytes).toString(), data };
}

/** The largest answer over UDP that this server sends (DNS flag day 2020). */
export const largestUdpAnswer = 1232;

/** The OPT record of an answer. `scope` is the prefix length for which the answer is good. */
export function answerOpt(edns: Edns, scope: number, extendedRcode = 0): OptAnswer {
  const { clientSubnet } = edns;
  const data = clientSubnet === undefined ? undefined : Buffer.from(clientSubnet.data);
  data?.writeUInt8(scope, 3);
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: largestUdpAnswer,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: data === undefined ? [] : [{ code: clientSubnetCode, ip: undefined, data }],
  };
}
