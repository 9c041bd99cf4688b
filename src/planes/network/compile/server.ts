import type { Node } from '../../../kube/kinds/node.ts';
import { type Address, parseAddress } from '../../../model/address.ts';
import { holdsServer } from '../../../model/platform/places.ts';
import type { Site } from '../../../model/spec/kinds.ts';
import type { NetworkRefusal } from '../plan.ts';

export interface Server {
  /** The site whose server prefixes hold the node's address; absent when none does. */
  readonly site?: Site;
  /** The node's addresses in that site, in the order the Node names them: the first of a family is the next hop. */
  readonly addresses: readonly Address[];
  readonly refusals: readonly NetworkRefusal[];
}

/** The site of a node and its addresses there: its InternalIPs, as far as a site allows them. */
export function serverOf(node: Node, sites: readonly Site[]): Server {
  const refusals: NetworkRefusal[] = [];
  const addresses: Address[] = [];
  let site: Site | undefined;
  for (const { type, address: text } of node.status?.addresses ?? []) {
    if (type !== 'InternalIP') continue;
    const address = parseAddress(text);
    const home = address === undefined ? undefined : sites.find((candidate) => holdsServer(candidate, address));
    site ??= home;
    if (address === undefined)
      refusals.push({ subject: text, reason: 'BadAddress', message: `InternalIP of Node ${node.metadata.name}` });
    else if (home === undefined || home !== site)
      refusals.push({ subject: address.text, reason: 'PrefixOutsideSite', message: 'not inside the server prefixes' });
    else addresses.push(address);
  }
  return site === undefined ? { addresses, refusals } : { site, addresses, refusals };
}
