import { compareText } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import type { SettingsOfRoutes } from './annotations/settings.ts';
import type { Budget } from './budget.ts';
import { guardsOf, lostOf } from './guards.ts';
import type { IngressReading } from './ingress.ts';
import { type AllHosts, limitedReading } from './limited.ts';
import type { ListsOfIngresses } from './lists.ts';
import type { Routes } from './routes.ts';

interface PlaceInput {
  readonly settings: SettingsOfRoutes;
  readonly allHosts: AllHosts;
  readonly budget: Budget;
  readonly routes: Routes;
  readonly lists: ListsOfIngresses;
}

/** What an Ingress got of what it asks for. */
interface Placed {
  /** As far as there is room for it. */
  readonly reading: IngressReading;
  /** The hosts on which it has something, if only a path that is refused. */
  readonly hosts: ReadonlySet<string>;
  readonly serves: boolean;
  /** What of it cannot be served as it is written because it limits access. */
  readonly limited: readonly EdgeProblem[];
  readonly others: readonly EdgeProblem[];
}

/** Gives an Ingress its routes, and guards those that limit access and cannot be served. Ingresses must come oldest first. */
export function place(written: IngressReading, { settings, allHosts, budget, routes, lists }: PlaceInput): Placed {
  const asked = lists.with(written);
  const limited = settings.limits(asked.annotations) ? limitedReading(asked, allHosts) : undefined;
  const { reading, problems: crowded, crowded: roomless } = budget.admit(limited?.reading ?? asked);
  const won = routes.claim(reading);
  const hosts = new Set(won.hosts);
  const roomlessGuards: EdgeProblem[] = [];
  if (limited !== undefined) {
    const more = [...roomless.map(lostOf), ...won.lost].flatMap((claim) =>
      guardsOf(claim, allHosts.regex.has(claim.host)),
    );
    const guarded = routes.guard(reading, [...limited.lost, ...more], budget);
    for (const host of guarded.hosts) hosts.add(host);
    roomlessGuards.push(...guarded.problems);
    routes.shadow(reading.key, limited.shadows);
  }
  // Of one that is not kept nobody knows which paths it limits.
  const unknown = asked.notKept === true && settings.limits(asked.annotations);
  if (unknown || settings.closesHosts(asked.annotations)) routes.closeHosts(asked);
  return {
    reading,
    hosts,
    serves: won.hosts.size > 0 && !settings.refuses(asked.annotations),
    limited: limited?.problems ?? [],
    others: [...crowded, ...roomlessGuards, ...won.problems],
  };
}

/** The order in which Ingresses have their places. */
export function compareAge(a: IngressReading, b: IngressReading): number {
  if (a.createdMs !== b.createdMs) return a.createdMs < b.createdMs ? -1 : 1;
  return compareText(a.key, b.key);
}
