import { parseAddress } from '../../../../src/model/address.ts';
import { bytesOfText } from '../../../../src/model/address-text.ts';
import { canonicalName, wireName } from './names.ts';

/** Numbers of the parameters that are read (RFC 9460, section 14.3.2); others may be written as `keyNNNNN`, which is not emulated. */
const keys = { alpn: 1, 'no-default-alpn': 2, port: 3, ipv4hint: 4, ipv6hint: 6 } as const;

/** The data of an HTTPS record on the wire (RFC 9460, section 2.2); undefined for a text that is none, or has parameters that are not read. */
export function httpsData(value: string): Buffer | undefined {
  const [priority = '', target = '', ...parameters] = value.split(/\s+/);
  const name = target === '.' ? Buffer.from([0]) : nameData(target);
  if (!/^\d{1,5}$/.test(priority) || Number(priority) > 65_535 || name === undefined) return undefined;
  const parsed = parameters.map(parameterData);
  const whole = parsed.flatMap((one) => one ?? []);
  if (whole.length < parsed.length || new Set(whole.map(({ key }) => key)).size < whole.length) return undefined;
  const sorted = whole.toSorted((a, b) => a.key - b.key);
  return Buffer.concat([
    uint16(Number(priority)),
    name,
    ...sorted.flatMap(({ key, data }) => [uint16(key), uint16(data.length), data]),
  ]);
}

function nameData(text: string): Buffer | undefined {
  const name = canonicalName(text);
  if (name === undefined) return undefined;
  const labels = name.slice(0, -1).split('.').map(wireName);
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function parameterData(text: string): { readonly key: number; readonly data: Buffer } | undefined {
  const [, name = '', value = ''] = /^([a-z0-9-]+)(?:="?([^"]*)"?)?$/.exec(text) ?? [];
  const items = value.split(',');
  switch (name) {
    case 'no-default-alpn':
      return value === '' ? { key: keys[name], data: Buffer.alloc(0) } : undefined;
    case 'alpn': {
      const isShort = items.every(({ length }) => length > 0 && length < 256);
      const parts = items.map((item) => Buffer.concat([Buffer.from([item.length & 0xff]), Buffer.from(item)]));
      return isShort ? { key: keys[name], data: Buffer.concat(parts) } : undefined;
    }
    case 'port':
      return /^\d{1,5}$/.test(value) && Number(value) <= 65_535
        ? { key: keys[name], data: uint16(Number(value)) }
        : undefined;
    case 'ipv4hint':
    case 'ipv6hint': {
      const family = name === 'ipv4hint' ? 4 : 6;
      const addresses = items.flatMap((item) =>
        parseAddress(item)?.family === family ? Buffer.from(bytesOfText(item) ?? []) : [],
      );
      return addresses.length === items.length ? { key: keys[name], data: Buffer.concat(addresses) } : undefined;
    }
    default:
      return undefined;
  }
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
