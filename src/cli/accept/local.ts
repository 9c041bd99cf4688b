import { networkInterfaces } from 'node:os';
import { agentPorts } from '../../model/contract.ts';
import type { Place } from '../../observe/ask.ts';
import type { LocalAgent } from '../../observe/ask-doubts.ts';
import type { ListenAddress } from '../options.ts';
import { accessOf, type TlsArguments } from '../tls.ts';

/** An agent of this server answers at once, unless it is busy. */
const patienceMs = 3000;
const atOnce = 32;

/** The agents that answer on this host, or at the addresses that were named. */
export async function localAgents(
  named: readonly ListenAddress[],
  options: TlsArguments,
): Promise<readonly LocalAgent[]> {
  const access = await accessOf(options);
  const { askDoubts } = await import('../../observe/ask-doubts.ts');
  const places = named.length > 0 ? named.map(({ host: address, port }) => ({ address, port })) : placesHere();
  const found: LocalAgent[] = [];
  for (let at = 0; at < places.length; at += atOnce) {
    const agents = await Promise.all(
      places.slice(at, at + atOnce).map((place) => askDoubts(place, { timeoutMs: patienceMs, access })),
    );
    for (const agent of agents) if (agent !== undefined && !found.some((one) => isSame(one, agent))) found.push(agent);
  }
  return found;
}

/** An agent that listens on every address answers at each; another one on this server was started at another moment. */
function isSame(a: LocalAgent, b: LocalAgent): boolean {
  return a.agent === b.agent && a.server === b.server && a.cluster === b.cluster && a.startedAtMs === b.startedAtMs;
}

function placesHere(): readonly Place[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const texts = new Set(addresses.filter(({ scopeid = 0 }) => scopeid === 0).map(({ address }) => address));
  return [...texts].flatMap((address) => Object.values(agentPorts).map((port) => ({ address, port })));
}
