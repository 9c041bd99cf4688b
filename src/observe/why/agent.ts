import { type AgentPart, type EdgePart, isCarried, type NetworkPart, type Snapshot } from '../snapshot.ts';
import { fails, type Hop, holds, unknown } from './chain.ts';

type Silent = Extract<AgentPart, { readonly problem: string }>;

/** Why an agent does not answer, with what the other agents of its site say about that. */
export function silence({ agents }: Snapshot, { target, problem }: Silent): string {
  const same = agents.filter((part) => target.site !== undefined && part.target.site === target.site);
  const whole = same.length > 1 && same.every((part) => 'problem' in part);
  return whole ? `${problem}; none of the ${same.length} agents of site ${target.site} answers here` : problem;
}

/** A server whose agent does not answer. That an agent lets this machine not in says nothing of the server. */
export function silentHop(snapshot: Snapshot, part: Silent): Hop {
  const { plane, server } = part.target;
  const hop = plane === 'edge' ? 'blade' : 'worker';
  if (part.refuses === true)
    return unknown(
      hop,
      server,
      `${part.problem}: this machine is not in a network of --metrics-from, or asks too often`,
    );
  return fails(hop, server, plane === 'edge' ? 'BladeSilent' : 'WorkerSilent', silence(snapshot, part));
}

/** Whether the agent runs on the newest spec and reads its cluster. */
export function inputHops(server: string, { platform, source, cluster }: EdgePart | NetworkPart): readonly Hop[] {
  const spec =
    platform.phase === 'current'
      ? holds('spec', server, 'has the newest platform spec that it was given')
      : fails(
          'spec',
          server,
          'SpecNotRead',
          `cannot read the newest platform spec: ${platform.message ?? platform.reason ?? platform.phase}`,
        );
  const subject = `cluster ${cluster ?? '(not named)'}`;
  const why = [source.reason, source.message].filter((text) => text !== undefined).join(': ');
  if (source.phase !== 'live' || source.servingSnapshot === true)
    return [
      spec,
      fails(
        'cluster',
        subject,
        'ClusterNotRead',
        `is not read by ${server} (${why === '' ? source.phase : why}); what it knew stays in force`,
      ),
    ];
  return [spec, holds('cluster', subject, `is read by ${server}`)];
}

interface Bgp {
  readonly relay: string;
  readonly neighbors: EdgePart['bgp']['neighbors'];
}

/** Whether a server has a BGP session that carries the address or prefix. */
export function sessionHop(server: string, { relay, neighbors }: Bgp, text: string): Hop {
  if (relay !== 'synced' && relay !== 'syncing')
    return fails('session', server, 'ExabgpSilent', `has no ExaBGP that answers (${relay})`);
  const family = neighbors.filter(({ address }) => address.includes(':') === text.includes(':'));
  const down = family.filter(({ up }) => !up).map(({ address, reason = 'no reason given' }) => `${address}: ${reason}`);
  if (isCarried(neighbors, text)) {
    const up = family.filter((one) => one.up).map(({ address }) => address);
    const lacks = down.length === 0 ? '' : `; down: ${down.join('; ')}`;
    return holds('session', server, `has a session with ${up.join(', ')}${lacks}`);
  }
  const why = down.length === 0 ? 'it knows no session of this address family' : down.join('; ');
  return fails('session', server, 'SessionsDown', `has no BGP session for ${text} (${why})`);
}
