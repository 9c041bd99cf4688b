import type { SteeringPart, SteeringSeen, ZoneSeen } from './steering-part.ts';

/** A zone as one agent that leads sees it. */
export interface ZoneView {
  /** Where the agent answers. */
  readonly at: string;
  readonly mode: string;
  /** The digest of its platform spec. */
  readonly digest: string | undefined;
  readonly zone: ZoneSeen;
}

/** What the agents that lead say of one zone, the worst first; one view speaks for all where they agree. */
export interface JoinedZone {
  readonly views: readonly [ZoneView, ...ZoneView[]];
  /** They see it in different states, or would do different things. */
  readonly differs: boolean;
  /** Their specs are not known to be the same, and they would do different things. */
  readonly contested: boolean;
}

/** The worst first; what is not listed comes last. */
const states: readonly string[] = ['fails', 'waits', 'unknown', 'planned', 'applies', 'inForce'];

/** The zones of all agents that lead, each once. Of agents without a common Lease each leads. */
export function joinedZones(parts: readonly SteeringPart[]): readonly JoinedZone[] {
  const views = parts.flatMap((part) =>
    'steering' in part && part.steering.leadership.leading ? viewsOf(part.at, part.steering) : [],
  );
  const each = Map.groupBy(views, ({ zone }) => `${zone.provider} ${zone.zone}`);
  return [...each.values()].flatMap((of) => {
    const [first, ...rest] = of.toSorted((a, b) => rankOf(a) - rankOf(b));
    if (first === undefined) return [];
    const wants = new Set(of.flatMap(({ zone }) => wantOf(zone) ?? []));
    const digests = new Set(of.map(({ digest }) => digest));
    const sameSpec = digests.size === 1 && !digests.has(undefined);
    const differs = wants.size > 1 || rest.some(({ zone }) => zone.state !== first.zone.state);
    return [{ views: [first, ...rest], differs, contested: wants.size > 1 && !sameSpec }];
  });
}

function viewsOf(at: string, { mode, platform, zones }: SteeringSeen): readonly ZoneView[] {
  return zones.map((zone) => ({ at, mode, digest: platform?.digest, zone }));
}

function rankOf({ zone }: ZoneView): number {
  const rank = states.indexOf(zone.state);
  return rank < 0 ? states.length : rank;
}

/** What an agent would do to a zone: the plan, or nothing; undefined where it does not know. */
export function wantOf({ state, plan }: ZoneSeen): string | undefined {
  if (plan !== undefined) return `plans ${plan.checksum.slice(0, 16)}`;
  return state === 'inForce' ? 'wants nothing changed' : undefined;
}
