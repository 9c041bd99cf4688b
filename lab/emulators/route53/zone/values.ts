import type { Answer } from 'dns-packet';
import { parseAddress } from '../../../../src/model/address.ts';
import { httpsData } from './https.ts';
import { canonicalName, wireName } from './names.ts';
import type { RecordType } from './record.ts';

/** The DNS data of one value, ready for the encoder; the lookup adds `ttl` and `name`. */
export type RecordData = Pick<Extract<Answer, { data: unknown }>, 'type' | 'data'>;

/** Parses a record's value by Route 53's syntax; or gives what is wrong with it, in Route 53's wording where that is known. */
export function parseValue(type: RecordType, value: string): RecordData | { readonly problem: string } {
  switch (type) {
    case 'A':
      return addressData('A', 4, value, 'ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)');
    case 'AAAA':
      return addressData('AAAA', 6, value, 'AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)');
    case 'CNAME':
    case 'NS':
    case 'PTR': {
      const target = canonicalName(value);
      return target === undefined
        ? bad('DomainNameInvalid (Value is not a domain name)', value)
        : { type, data: wireName(target) };
    }
    case 'TXT': {
      const strings = parseCharacterStrings(value);
      return typeof strings === 'string' ? bad(strings, value) : { type, data: [...strings] };
    }
    case 'MX':
      return parseMx(value);
    case 'SRV':
      return parseSrv(value);
    case 'CAA':
      return parseCaa(value);
    case 'HTTPS':
      return parseHttps(value);
    case 'SOA':
      return parseSoa(value);
  }
}

function bad(problem: string, value: string): { readonly problem: string } {
  return { problem: `Invalid Resource Record: 'FATAL problem: ${problem} encountered with '${value}''` };
}

function addressData(type: 'A' | 'AAAA', family: 4 | 6, value: string, problem: string): ReturnType<typeof parseValue> {
  const address = parseAddress(value);
  return address?.family === family ? { type, data: address.text } : bad(problem, value);
}

const number16 = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;

function parseMx(value: string): ReturnType<typeof parseValue> {
  const [preference, host, ...rest] = value.split(/\s+/);
  const exchange = canonicalName(host ?? '');
  const number = number16(preference);
  if (number === undefined || exchange === undefined || rest.length > 0)
    return bad('MXRRDATANotTwoFields (Value should be "preference host")', value);
  return { type: 'MX', data: { preference: number, exchange: wireName(exchange) } };
}

function parseSrv(value: string): ReturnType<typeof parseValue> {
  const fields = value.split(/\s+/);
  const [priority, weight, port] = fields.slice(0, 3).map(number16);
  const target = canonicalName(fields[3] ?? '');
  if (priority === undefined || weight === undefined || port === undefined || target === undefined || fields.length > 4)
    return bad('SRVRRDATANotFourFields (Value should be "priority weight port host")', value);
  return { type: 'SRV', data: { priority, weight, port, target: wireName(target) } };
}

function parseCaa(value: string): ReturnType<typeof parseValue> {
  const match = /^(\d{1,3}) (issue|issuewild|iodef) "([^"\\]*)"$/.exec(value);
  if (match === null || Number(match[1]) > 255)
    return bad('CAARRDATAInvalid (Value should be: flags tag "value")', value);
  const tag = match[2] === 'issue' || match[2] === 'issuewild' ? match[2] : 'iodef';
  return { type: 'CAA', data: { flags: Number(match[1]), tag, value: match[3] ?? '' } };
}

function parseHttps(value: string): ReturnType<typeof parseValue> {
  const data = httpsData(value);
  if (data === undefined) return bad('HTTPSRRDATAInvalid (Value should be "priority target parameters")', value);
  // The encoder knows no HTTPS records: it writes the bytes of a type that it does not know as they are.
  return { type: 'UNKNOWN_65', data } as unknown as RecordData;
}

function parseSoa(value: string): ReturnType<typeof parseValue> {
  const fields = value.split(/\s+/);
  const [mname, rname] = fields.slice(0, 2).map((text) => canonicalName(text));
  const numbers = fields.slice(2).map((text) => (/^\d{1,10}$/.test(text) ? Number(text) : undefined));
  const [serial, refresh, retry, expire, minimum] = numbers;
  const complete = serial !== undefined && refresh !== undefined && retry !== undefined && expire !== undefined;
  if (mname === undefined || rname === undefined || !complete || minimum === undefined || numbers.length !== 5)
    return bad('SOARRDATAInvalid (Value should be "mname rname serial refresh retry expire minimum")', value);
  if (numbers.some((number) => (number ?? 0) > 0xffff_ffff)) return bad('SOARRDATAInvalid (number too large)', value);
  return {
    type: 'SOA',
    data: { mname: wireName(mname), rname: wireName(rname), serial, refresh, retry, expire, minimum },
  };
}

/**
 * Parses `"one" "two"` with \" \\ and \ooo escapes, each up to 255 bytes; or gives what is wrong. Route 53 demands the
 * quotation marks.
 */
function parseCharacterStrings(value: string): readonly Buffer[] | string {
  if (value.length > 4000) return 'CharacterStringTooLong (Value is longer than 4000 characters)';
  const strings: Buffer[] = [];
  const pattern = /\s*"((?:[^"\\]|\\.)*)"(?=\s|$)/y;
  while (pattern.lastIndex < value.length) {
    const match = pattern.exec(value);
    if (match === null) return 'InvalidCharacterString (Value should be enclosed in quotation marks)';
    const bytes = unescape(match[1] ?? '');
    if (bytes === undefined) return 'InvalidCharacterString (Value has an illegal escape or a character outside ASCII)';
    if (bytes.length > 255) return 'CharacterStringTooLong (Value is too long)';
    strings.push(bytes);
  }
  return strings.length === 0 ? 'InvalidCharacterString (Value should be enclosed in quotation marks)' : strings;
}

function unescape(text: string): Buffer | undefined {
  if (!/^[\x20-\x7e]*$/.test(text) || /\\[0-9]/.test(text.replace(/\\[0-3][0-7]{2}/g, '').replace(/\\\D/g, '')))
    return undefined;
  const plain = text.replace(/\\([0-3][0-7]{2}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
  );
  return Buffer.from(plain, 'latin1');
}
