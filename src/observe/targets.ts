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

/** The agents of a cluster's workers. A Node without an address that can be asked is not among them; `unplacedOf` names it. */
export function workerTargets(platform: Platform, cluster: string, workers: readonly Worker[]): readonly Target[] {
  return workers.flatMap(({ name, address: text }) => {
    const address = parseAddress(text ?? '');
    if (address === undefined) return [];
    const site = siteOfServer(platform, address)?.metadata.name;
    const at = { address: address.text, port: agentPorts.network };
    return [{ server: name, plane: 'network' as const, cluster, ...at, ...withoutUndefined({ site }) }];
  });
}

/** The names of the workers whose agents cannot be asked. */
export function unplacedOf(workers: readonly Worker[]): readonly string[] {
  return workers.filter(({ address }) => parseAddress(address ?? '') === undefined).map(({ name }) => name);
}
