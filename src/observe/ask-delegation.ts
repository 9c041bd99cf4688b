import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { decode, encode } from 'dns-packet';
import { messageOf } from '../model/values.ts';
import type { NameServer } from './ask-dns.ts';

/** The name servers to which the parent of a zone delegates it, sorted and without their last dot; none when it does not. Or why nobody could be asked. */
export type Delegation = { readonly zone: string } & (
  | { readonly parent: string; readonly servers: readonly string[] }
  | { readonly problem: string }
);

/** How name servers of parents are found. All reject when there are none, or none is known here. */
export interface Resolving {
  /** The names of the name servers of a zone; `.` is the root. */
  readonly serversOf: (zone: string) => Promise<readonly string[]>;
  readonly addressOf: (name: string) => Promise<NameServer>;
}

/** So many name servers of a parent are tried. */
const mostServers = 3;
const attemptMs = 1000;

/** Asks the name servers of the parent, not a resolver, which would ask the zone itself. Never rejects. */
export async function askDelegation(zone: string, resolving: Resolving): Promise<Delegation> {
  try {
    const { parent, names } = await parentOf(zone, resolving);
    let problem = '';
    for (const name of names.slice(0, mostServers)) {
      const said = await resolving
        .addressOf(name)
        .then((server) => askParent(server, zone))
        .catch((error: unknown) => messageOf(error));
      if (typeof said !== 'string') return { zone, parent, servers: said };
      problem = `${name} of the parent ${parent} ${said}`;
    }
    return { zone, problem };
  } catch (error) {
    return { zone, problem: `no name server of its parent is known here (${messageOf(error)})` };
  }
}

/** The closest name above a zone that has name servers. */
async function parentOf(
  zone: string,
  { serversOf }: Resolving,
): Promise<{ readonly parent: string; readonly names: readonly string[] }> {
  const labels = zone.split('.');
  let last: unknown;
  for (let above = 1; above <= labels.length; above += 1) {
    const parent = labels.slice(above).join('.') || '.';
    try {
      const names = await serversOf(parent);
      if (names.length > 0) return { parent, names: names.toSorted() };
    } catch (error) {
      last = error;
    }
  }
  throw last ?? new Error('none has any');
}

/** The names in the referral of a name server, or why it gave none. */
function askParent(server: NameServer, zone: string): Promise<readonly string[] | string> {
  const id = Math.floor(Math.random() * 65_536);
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const finish = (said: readonly string[] | string): void => {
      clearTimeout(timer);
      socket.removeAllListeners('message').close();
      resolve(said);
    };
    const timer = setTimeout(() => finish(`does not answer within ${attemptMs / 1000} s`), attemptMs);
    socket.once('error', (error) => finish(`cannot be asked: ${error.message}`));
    socket.on('message', (message) => {
      const said = readReferral(message, id, zone);
      if (said !== undefined) finish(said);
    });
    socket.connect(server.port, server.address, () => socket.send(queryOf(id, zone)));
  });
}

/** Without the wish for recursion: a referral is wanted, and not what the zone itself says. */
function queryOf(id: number, zone: string): Buffer {
  return encode({ type: 'query', id, flags: 0, questions: [{ type: 'NS', name: zone, class: 'IN' }] });
}

function readReferral(message: Buffer, id: number, zone: string): readonly string[] | string | undefined {
  try {
    const packet = decode(message);
    if (packet.id !== id || packet.type !== 'response') return undefined;
    const rcode = (packet as { readonly rcode?: string }).rcode ?? 'NOERROR';
    if (rcode === 'NXDOMAIN') return [];
    if (rcode !== 'NOERROR') return `answers ${rcode}`;
    const said = [...(packet.answers ?? []), ...(packet.authorities ?? [])];
    const names = said.flatMap((record) =>
      record.type === 'NS' && record.name.toLowerCase() === zone ? [record.data.replace(/\.$/, '').toLowerCase()] : [],
    );
    return [...new Set(names)].sort();
  } catch {
    return undefined;
  }
}
