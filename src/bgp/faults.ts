import { parseAddress } from '../model/address.ts';
import type { Reason } from './reasons.ts';
import type { NeighborStatus, SpeakerStatus } from './speaker.ts';

/** Something that keeps this server's routes from the routers, or from being known. */
interface Fault {
  readonly reason: Extract<Reason, 'RelayAway' | 'RelaySilent' | 'ExabgpSilent' | 'SessionDown'>;
  readonly message: string;
}

const chainFaults: Partial<Record<SpeakerStatus['relay'], Fault>> = {
  disconnected: { reason: 'RelayAway', message: 'no relay answers: ExaBGP is not running, or has not started it' },
  silent: { reason: 'RelaySilent', message: 'the relay hangs; its watchdog kills it, and ExaBGP starts it anew' },
  exabgpSilent: { reason: 'ExabgpSilent', message: 'ExaBGP hangs; the routers drop its sessions' },
};

/** What is wrong between the agent and the routers: a part that does not answer, else the sessions that are down. */
export function faultsOf({ relay, neighbors }: SpeakerStatus): readonly Fault[] {
  const chain = chainFaults[relay];
  if (chain !== undefined) return [chain];
  return neighbors
    .filter(({ up }) => !up)
    .map((neighbor) => ({ reason: 'SessionDown', message: sessionText(neighbor) }));
}

/**
 * The faults with which a route of this server reaches nobody. A session carries the family of its addresses: it works while one is
 * up, and one of each family that has routes.
 */
function outageOf(status: SpeakerStatus): readonly Fault[] {
  const works = status.relay === 'synced' || status.relay === 'syncing';
  const up = new Set(status.neighbors.filter((one) => one.up).map(({ address }) => parseAddress(address)?.family));
  const carried = up.size > 0 && status.announced.every(({ prefix }) => up.has(prefix.family));
  return works && carried ? [] : faultsOf(status);
}

/** The same as lines for `/healthz`. */
export function outageLines(status: SpeakerStatus): readonly string[] {
  return outageOf(status).map(({ reason, message }) => `${reason}: ${message}`);
}

function sessionText({ address, asn, changedAtMs, reason }: NeighborStatus): string {
  const since = changedAtMs === undefined ? '' : ` since ${new Date(changedAtMs).toISOString()}`;
  return `the session with ${address} (AS ${asn}) is down${since}: ${reason ?? 'ExaBGP gives no reason, as for a router that does not answer'}`;
}
