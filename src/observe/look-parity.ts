import { probeNameOf } from '../model/contract.ts';
import { entryAddresses } from '../model/platform/entries.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { ParityView } from '../model/steering-status.ts';
import type { HostProbe, HostQuery } from './ask-host.ts';
import { hostsToProbe, parityOf } from './parity.ts';
import type { AgentPart, Target } from './snapshot.ts';
import { bladeTargets } from './targets.ts';

export interface ParityMeans {
  /** Asks a blade; never rejects. */
  readonly ask: (target: Target) => Promise<AgentPart>;
  /** Looks what answers for a host; never rejects. */
  readonly probe: (query: HostQuery) => Promise<HostProbe>;
}

/** So many hosts are looked at, all beside each other; of more it is not known. */
const mostProbes = 64;

/**
 * Looks what each cluster has of the hosts of the policies that name it: all blades are asked beside each other, then the addresses of
 * clusters of which no blade says it. It takes as long as one question and one look.
 */
export async function lookForParity(platform: Platform, { ask, probe }: ParityMeans): Promise<readonly ParityView[]> {
  const named = new Set(hostsToProbe(platform, []).map(({ cluster }) => cluster));
  const concerned = bladeTargets(platform).filter(({ cluster }) => named.has(cluster));
  const blades = await Promise.all(concerned.map(ask));
  const queries = hostsToProbe(platform, blades).flatMap(({ cluster, host }) => queryOf(platform, cluster, host) ?? []);
  const probes = await Promise.all(queries.slice(0, mostProbes).map(probe));
  const left = queries.slice(mostProbes).map(({ cluster, host }): HostProbe => {
    const unknown = `more than ${mostProbes} hosts were to be looked at`;
    return { cluster, host, lacks: [], tls: 'other', unknown };
  });
  return parityOf(platform, blades, [...probes, ...left]);
}

/** Where a host is looked for: the first address of the cluster, at the ports of its pool, or of its health check. */
function queryOf(platform: Platform, cluster: string, host: string): HostQuery | undefined {
  const spec = platform.clusters.get(cluster)?.spec;
  const [address] = entryAddresses(platform, cluster);
  if (spec === undefined || address === undefined) return undefined;
  const { protocol, port } = spec.healthCheck;
  const pool = 'edgePool' in spec.entry ? platform.edgePools.get(spec.entry.edgePool) : undefined;
  const ports = pool?.spec.ports ?? {
    http: protocol === 'HTTP' ? port : 80,
    https: protocol === 'HTTPS' ? port : 443,
  };
  return { cluster, host, name: probeNameOf(host), address: address.text, ports };
}
