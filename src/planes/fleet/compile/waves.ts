import type { Server } from '../../../model/spec/kinds.ts';
import { compareText } from '../../../model/values.ts';
import type { FleetContext } from './context.ts';

/** Servers that are touched at once. The next wave begins when this one is well. */
export interface Wave {
  readonly cluster: string;
  /** `canary`: the first workers, whose fate decides of the others. */
  readonly kind: 'etcd' | 'control-plane' | 'canary' | 'worker' | 'blade';
  readonly servers: readonly string[];
}

/**
 * The waves of a fleet, in their order: members of etcd one by one, then control planes one by one, then the workers, and blades last. A
 * server with both roles comes once, as a member. A wave of blades leaves every pool with `minAnnouncers`, and three quarters of its blades; where that leaves none to touch
 * (a pool whose blades are all needed) they are still taken one by one, and whoever drains the blade refuses.
 */
export function wavesOf(fleet: FleetContext): readonly Wave[] {
  const { cluster, servers } = fleet;
  const one = (kind: Wave['kind'], server: Server): Wave => ({ cluster, kind, servers: [server.metadata.name] });
  const members = new Set(servers.etcd);
  return [
    ...servers.etcd.map((server) => one('etcd', server)),
    ...servers['control-plane'].filter((server) => !members.has(server)).map((server) => one('control-plane', server)),
    ...workerWaves(fleet),
    ...bladeWaves(fleet),
  ];
}

/** The canaries are the first workers by name; the rest goes rack by rack, because a rack is what may be lost as a whole. */
function workerWaves({ cluster, fleet, servers }: FleetContext): readonly Wave[] {
  const { canary, maxWorkers } = fleet.waves;
  const names = (list: readonly Server[]) => list.map(({ metadata }) => metadata.name);
  const racks = Map.groupBy(servers.worker.slice(canary), ({ spec }) => JSON.stringify([spec.site, spec.rack]));
  const rest = [...racks].toSorted(([a], [b]) => compareText(a, b)).flatMap(([, rack]) => chunks(rack, maxWorkers));
  const first = servers.worker.slice(0, canary);
  return [
    ...(first.length === 0 ? [] : [{ cluster, kind: 'canary', servers: names(first) } as const]),
    ...rest.map((wave) => ({ cluster, kind: 'worker', servers: names(wave) }) as const),
  ];
}

/** `minAnnouncers` says who must announce, not how many carry the traffic: of a pool never more than a quarter is touched at once. */
const quarter = 4;

/** The pools go in parallel: a wave has of each as many blades as it can spare. */
function bladeWaves({ cluster, pools, servers }: FleetContext): readonly Wave[] {
  const active = new Set(servers.blade.map(({ metadata }) => metadata.name));
  const parts = pools.map(({ spec }) => {
    const blades = spec.blades.map(({ name }) => name).filter((name) => active.has(name));
    const spared = Math.min(blades.length - spec.minAnnouncers, Math.floor(blades.length / quarter));
    return chunks(blades.toSorted(compareText), Math.max(1, spared));
  });
  const longest = Math.max(0, ...parts.map((part) => part.length));
  return Array.from({ length: longest }, (_, index) => ({
    cluster,
    kind: 'blade' as const,
    servers: parts.flatMap((part) => part[index] ?? []).toSorted(compareText),
  }));
}

function chunks<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
