import { parseAddress } from '../model/address.ts';
import { agentPorts } from '../model/contract.ts';
import { siteOfServer } from '../model/platform/places.ts';
import type { Platform } from '../model/spec/platform.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Target } from './snapshot.ts';

/** The agents of every blade that the spec names. */
export function bladeTargets(platform: Platform): readonly Target[] {
  return [...platform.edgePools.values()].flatMap(({ metadata, spec }) =>
    spec.blades.map(({ name, address }) => ({
      server: name,
      plane: 'edge' as const,
      cluster: spec.cluster,
      pool: metadata.name,
      address: address.text,
      port: agentPorts.edge,
      ...withoutUndefined({ site: siteOfServer(platform, address)?.metadata.name }),
    })),
  );
}

/** What a cluster says of a worker; the address is absent where the Node names no internal one. */
export interface Worker {
  readonly name: string;
  readonly address?: string;
}

/**
 * The agents of a cluster's workers. Those whose address lies in no Site are not among them: nothing tells that they are ours to
 * ask. `unplacedOf` names them.
 */
export function workerTargets(platform: Platform, cluster: string, workers: readonly Worker[]): readonly Target[] {
  return workers.flatMap(({ name, address: text }) => {
    const address = parseAddress(text ?? '');
    const site = address === undefined ? undefined : siteOfServer(platform, address)?.metadata.name;
    if (address === undefined || site === undefined) return [];
    return [{ server: name, plane: 'network', cluster, site, address: address.text, port: agentPorts.network }];
  });
}

/** The names of the workers of a cluster whose agents are not asked. */
export function unplacedOf(workers: readonly Worker[], targets: readonly Target[]): readonly string[] {
  const placed = new Set(targets.map(({ server }) => server));
  return workers.filter(({ name }) => !placed.has(name)).map(({ name }) => name);
}
