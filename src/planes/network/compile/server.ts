import type { Node } from '../../../kube/kinds/node.ts';
import { type Address, hostPrefix, type Prefix, parseAddress } from '../../../model/address.ts';
import { holdsServer } from '../../../model/platform/places.ts';
import type { Site } from '../../../model/spec/kinds.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { Brake, NetworkNotice, NetworkRefusal } from '../plan.ts';

export interface Server {
  /** The site whose server prefixes hold the node's address; absent when none does. */
  readonly site?: Site;
  /** The node's addresses in that site, in the order the Node names them. */
  readonly addresses: readonly Address[];
  /** The node's other addresses, which no site, or another one, has. */
  readonly outside: readonly Address[];
  readonly refusals: readonly NetworkRefusal[];
}

/** What the machine itself says about its addresses; a Node only claims some. */
export interface Machine {
  /** The addresses on its links, as canonical text. */
  readonly addresses: ReadonlySet<string>;
  /** The addresses that ExaBGP was configured with, as host prefixes; none where that is not known. */
  readonly rendered: readonly Prefix[];
}

/** The site of a node and its addresses there: its InternalIPs, as far as a site allows them. */
export function serverOf(node: Node, sites: readonly Site[]): Server {
  const refusals: NetworkRefusal[] = [];
  const addresses: Address[] = [];
  const outside: Address[] = [];
  let site: Site | undefined;
  for (const { type, address: text } of node.status?.addresses ?? []) {
    if (type !== 'InternalIP') continue;
    const address = parseAddress(text);
    const home = address === undefined ? undefined : sites.find((candidate) => holdsServer(candidate, address));
    site ??= home;
    if (address === undefined)
      refusals.push({ subject: text, reason: 'BadAddress', message: `InternalIP of Node ${node.metadata.name}` });
    else if (home === undefined || home !== site) outside.push(address);
    else addresses.push(address);
  }
  refusals.push(...outside.map(whyOutside));
  return { addresses, outside, refusals, ...withoutUndefined({ site }) };
}

function whyOutside({ text }: Address): NetworkRefusal {
  return { subject: text, reason: 'PrefixOutsideSite', message: 'not inside the server prefixes' };
}

/** What stays of a server for now although its Site has it no longer. */
export interface Lingering {
  readonly addresses: readonly Address[];
  readonly notices: readonly NetworkNotice[];
  readonly brakes: readonly Brake[];
}

/**
 * The addresses of this machine that were announced as its own and that the Site's server prefixes hold no longer. Without them the
 * pods of a family lose their next hop. Every server reads the same edit, so it waits as one that takes most blocks does. A server
 * without any address in a site is held anyhow.
 */
export function lingeringOf(
  { site, outside }: Server,
  before: {
    readonly here: ReadonlySet<string>;
    readonly kept: ReadonlySet<string>;
    readonly brakesOver: ReadonlySet<string>;
  },
): Lingering {
  const announced = outside
    .filter(({ text }) => before.here.has(text))
    .filter((one) => before.kept.has(hostPrefix(one).text));
  if (site === undefined || announced.length === 0) return { addresses: [], notices: [], brakes: [] };
  const cause = `Site ${site.metadata.name} servers`;
  const brakes: readonly Brake[] = [{ reason: 'SiteEditWaits', cause, lost: announced.length, all: announced.length }];
  if (before.brakesOver.has(cause)) return { addresses: [], notices: [], brakes };
  const notices = announced.map(({ text }): NetworkNotice => {
    const message = `not inside the server prefixes of site ${site.metadata.name} any more: it waits`;
    return { subject: text, reason: 'SiteEditWaits', message };
  });
  return { addresses: announced, notices, brakes };
}

/** Whether any address of a Node in its site is on this machine: otherwise the Node is another machine's. */
export function isOfMachine(node: Node, sites: readonly Site[], machine: Machine): boolean {
  return serverOf(node, sites).addresses.some(({ text }) => machine.addresses.has(text));
}

/**
 * Why no route may have a next hop now. A Node's InternalIP is a claim: an address that nobody has, or that another server
 * has, would move every route of the pods to a wrong place.
 */
export function doubtsOf({ addresses }: Server, machine: Machine): readonly NetworkRefusal[] {
  const strange = addresses.filter(({ text }) => !machine.addresses.has(text));
  const doubts = strange.map(({ text }): NetworkRefusal => {
    const message = 'the Node has this InternalIP, but this machine has not';
    return { subject: text, reason: 'AddressNotHere', message };
  });
  if (doubts.length > 0) return doubts;
  return ([4, 6] as const).flatMap((family): readonly NetworkRefusal[] => {
    const nextHop = nextHopOf(addresses, machine, family);
    const rendered = machine.rendered.filter((prefix) => prefix.family === family);
    if (nextHop === undefined || rendered.length === 0) return [];
    if (rendered.some(({ text }) => text === hostPrefix(nextHop).text)) return [];
    const message = `ExaBGP was configured for ${rendered.map(({ network }) => network).join(', ')}`;
    return [{ subject: nextHop.text, reason: 'NextHopNotRendered', message }];
  });
}

/** The next hop of a family: the address that ExaBGP was configured with, else the first that the Node names. */
export function nextHopOf(addresses: readonly Address[], machine: Machine, family: 4 | 6): Address | undefined {
  const candidates = addresses.filter((address) => address.family === family);
  const rendered = new Set(machine.rendered.map(({ text }) => text));
  return candidates.find((address) => rendered.has(hostPrefix(address).text)) ?? candidates[0];
}
