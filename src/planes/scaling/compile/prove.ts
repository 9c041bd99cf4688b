import { type Failure, nothing, regionsOf } from './failures.ts';
import { type ArrivingUnder, type Floor, reaches, replicasFor, utilisationUnder } from './floors.ts';
import type { Arriving } from './load.ts';
import type { Observed } from './observed.ts';
import type { ScalingWorld } from './world.ts';

/** Whether every request finds a place while something is lost, when DNS has followed. */
export interface Proof {
  readonly failure: string;
  /** All requests a second, and those of them that arrive elsewhere than while nothing is lost. */
  readonly requestsPerSecond: number;
  readonly movedPerSecond: number;
  /** What is too small, or not known; empty when every request is served. */
  readonly shortages: readonly Shortage[];
  /** The clusters that lose users, which these leave when DNS has followed. */
  readonly leaves: readonly string[];
}

export type Shortage =
  /** Replicas that are not Ready, and can be, in so many seconds. */
  | (At & {
      readonly kind: 'late';
      readonly target: string;
      readonly needed: number;
      readonly has: number;
      readonly seconds: number;
    })
  /** More replicas than there can be. */
  | (At & { readonly kind: 'replicas'; readonly target: string; readonly needed: number; readonly has: number })
  /** More requests a second than the cluster carries. */
  | (At & { readonly kind: 'capacity'; readonly needed: number; readonly has: number })
  /** Nobody says what the place carries: neither a target of these policies nor the capacity of its cluster. */
  | (At & { readonly kind: 'unknown'; readonly policies: readonly string[]; readonly requestsPerSecond: number })
  /** Nobody could ask how many replicas are Ready. */
  | (At & { readonly kind: 'unread'; readonly target: string; readonly needed: number; readonly why: string })
  /** The answers lead to what a Drain took out of service, because nothing else is left. */
  | (At & { readonly kind: 'drained'; readonly requestsPerSecond: number })
  /** The answers lead to something that is lost, because nothing else is left. */
  | (At & { readonly kind: 'nobody'; readonly requestsPerSecond: number });

interface At {
  readonly cluster: string;
  readonly site?: string;
}

/** What a proof is made of, beside what is lost. */
export interface Held {
  readonly world: ScalingWorld;
  readonly arriving: ArrivingUnder;
  readonly floors: readonly Floor[];
  /** By target; a floor counts as held where nobody was to ask. */
  readonly observed: ReadonlyMap<string, Observed>;
}

/** Proves one failure; `nothing` is one as well. */
export function proveFailure(held: Held, failure: Failure): Proof {
  const arriving = held.arriving(failure);
  const places = [...Map.groupBy(arriving, placeKey).values()];
  const before = sumsByPlace(held.arriving(nothing));
  const after = sumsByPlace(arriving);
  const moved = [...after].reduce((sum, [key, rate]) => sum + Math.max(0, rate - (before.get(key) ?? 0)), 0);
  const clusters = [...Map.groupBy(arriving, ({ cluster }) => cluster)];
  return {
    failure: failure.name,
    requestsPerSecond: sumOf(arriving),
    movedPerSecond: moved,
    shortages: [
      ...places.flatMap((requests) => shortagesAt(held, failure, requests)),
      ...clusters.flatMap(([cluster, requests]) => overCapacity(held, failure, { cluster, requests })),
    ],
    leaves: [...new Set(held.arriving(nothing).map(({ cluster }) => cluster))].filter((name) =>
      failure.clusters.has(name),
    ),
  };
}

const sumOf = (requests: readonly Arriving[]): number =>
  requests.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0);

const placeKey = ({ cluster, site = '' }: Arriving): string => JSON.stringify([cluster, site]);

/** Requests a second by where they arrive and from where, so that an exchange of users counts as moved. */
function sumsByPlace(requests: readonly Arriving[]): ReadonlyMap<string, number> {
  return new Map(
    requests.map((one) => [JSON.stringify([one.policy, one.cluster, one.site, one.place]), one.requestsPerSecond]),
  );
}

/** What is too small at one place; all of these requests arrive there. */
function shortagesAt(held: Held, failure: Failure, requests: readonly Arriving[]): readonly Shortage[] {
  const [one] = requests;
  if (one === undefined) return [];
  const at = { cluster: one.cluster, ...(one.site === undefined ? {} : { site: one.site }) };
  if (isLost(held, failure, one)) return [{ ...at, kind: 'nobody', requestsPerSecond: sumOf(requests) }];
  if (held.world.drained.has(one.cluster)) return [{ ...at, kind: 'drained', requestsPerSecond: sumOf(requests) }];
  const floors = held.floors.filter(({ spec }) => requests.some((request) => reaches(spec, request)));
  const { platform } = held.world;
  // What a cluster carries as a whole says nothing of what is left of its regions.
  const isWhole = !regionsOf(platform, one.cluster).some((site) => failure.sites.has(site));
  const hasCapacity = isWhole && platform.clusters.get(one.cluster)?.spec.capacity !== undefined;
  const uncovered = hasCapacity ? [] : requests.filter((request) => !floors.some(({ spec }) => reaches(spec, request)));
  return [
    ...floors.flatMap((floor) => shortOf(held, failure, { floor, at })),
    ...(uncovered.length === 0
      ? []
      : [
          {
            ...at,
            kind: 'unknown' as const,
            policies: [...new Set(uncovered.map(({ policy }) => policy))].sort(),
            requestsPerSecond: sumOf(uncovered),
          },
        ]),
  ];
}

function isLost({ world }: Held, failure: Failure, { cluster, site }: Arriving): boolean {
  if (failure.clusters.has(cluster) || world.health.down.has(cluster)) return true;
  return site !== undefined && regionsOf(world.platform, cluster).includes(site) && failure.sites.has(site);
}

interface Place {
  readonly floor: Floor;
  readonly at: At;
}

function shortOf({ world, arriving, observed }: Held, failure: Failure, { floor, at }: Place): readonly Shortage[] {
  const { target, spec, replicas } = floor;
  const callsPerSecond = sumOf(arriving(failure).filter((request) => reaches(spec, request))) * spec.callsPerRequest;
  const needed = replicasFor(world, spec, { callsPerSecond, failure });
  const seen = observed.get(target);
  if (seen?.state === 'unread') return needed > 0 ? [{ ...at, kind: 'unread', target, needed, why: seen.why }] : [];
  const has = seen?.ready ?? replicas;
  const most = Math.min(spec.replicas.max, seen?.autoscaler?.max ?? Number.POSITIVE_INFINITY);
  if (needed > most) return [{ ...at, kind: 'replicas', target, needed, has: most }];
  return needed > has ? [{ ...at, kind: 'late', target, needed, has, seconds: spec.readySeconds }] : [];
}

interface OfCluster {
  readonly cluster: string;
  readonly requests: readonly Arriving[];
}

function overCapacity({ world }: Held, failure: Failure, { cluster, requests }: OfCluster): readonly Shortage[] {
  const capacity = world.platform.clusters.get(cluster)?.spec.capacity;
  if (capacity === undefined || failure.clusters.has(cluster) || world.health.down.has(cluster)) return [];
  const has = capacity.requestsPerSecond * utilisationUnder(world, cluster, failure);
  const needed = sumOf(requests);
  return needed > has * (1 + 1e-9) ? [{ kind: 'capacity', cluster, needed, has }] : [];
}
