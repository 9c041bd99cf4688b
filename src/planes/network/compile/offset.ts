import ipaddr from 'ipaddr.js';
import { type Address, type Prefix, parseAddress } from '../../../model/address.ts';

/** The address with this index (0: the network address) in a prefix, or undefined when the prefix ends before it. */
export function addressAt(prefix: Prefix, index: number): Address | undefined {
  const bits = (prefix.family === 4 ? 32 : 128) - prefix.length;
  if (index < 0 || (bits < 53 && index >= 2 ** bits)) return undefined;
  const bytes = ipaddr.parse(prefix.network).toByteArray();
  let carry = index;
  for (let at = bytes.length - 1; at >= 0 && carry > 0; at -= 1) {
    carry += bytes[at] ?? 0;
    bytes[at] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return parseAddress(ipaddr.fromByteArray(bytes).toString());
}
