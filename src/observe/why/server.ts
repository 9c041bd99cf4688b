import { type Prefix } from '../../model/address.ts';
import type { Snapshot } from '../snapshot.ts';
import { inputHops, sessionHop, silentHop } from './agent.ts';
import { fails, type Hop, holds, unknown } from './chain.ts';

/** Who announces the address of a server. */
export function routeOfServer(snapshot: Snapshot, prefix: Prefix): readonly Hop[] {
  const { text } = prefix;
  const address = text.replace(/\/\d+$/, '');
  const part = snapshot.agents.find(({ target }) => target.address === address);
  if (part === undefined)
    return [unknown('worker', text, 'is the address of no blade and no worker that is known here')];
  const { server } = part.target;
  if ('edge' in part) return [holds('blade', server, 'answers'), sessionHop(server, part.edge.bgp, text)];
  if (!('network' in part)) return [silentHop(snapshot, part)];
  const { network } = part;
  const refusal = network.refusals.find(({ subject }) => subject === text || subject === address);
  const route = network.announced.some((one) => one.prefix === text)
    ? holds('announced by', text, `is announced by ${server}`)
    : fails(
        'announced by',
        text,
        'RouteRefused',
        `is not announced by ${server}: ${refusal === undefined ? 'ExaBGP does not have it (yet)' : `${refusal.message} (${refusal.reason})`}`,
      );
  return [...inputHops(server, network), route, sessionHop(server, network, text)];
}
