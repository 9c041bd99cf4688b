import { networkInterfaces } from 'node:os';
import { parseAddress } from '../../../model/address.ts';

/** The addresses of this machine (of the network namespace that this process lives in), as canonical text, of links that are up. */
export function addressesHere(): ReadonlySet<string> {
  const entries = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(entries.flatMap(({ address }) => parseAddress(address)?.text ?? []));
}
