import type { Route } from '../../bgp/route.ts';
import { routeOf } from './step/announce.ts';
import { decide } from './step/decide.ts';
import { healthOf } from './step/health.ts';
import { judge } from './step/judge.ts';
import type { BladeMemory } from './step/memory.ts';
import { type News, newsOf } from './step/news.ts';
import { retirementOf } from './step/retirement.ts';
import type { BladeView } from './step/view.ts';
import { type VipStatus, vipStatuses } from './step/vip-status.ts';
import type { PolicyHealth } from './table.ts';

export interface Step {
  /** It is published, by `/status`, before any of the actions is done. */
  readonly memory: BladeMemory;
  readonly vips: readonly VipStatus[];
  readonly actions: BladeActions;
  /** What changed in this step, for the log. */
  readonly news: readonly News[];
}

export interface BladeActions {
  /** What nginx should report of the policies; undefined: what it reports stays. The same in every step until it changes. */
  readonly health: readonly PolicyHealth[] | undefined;
  /** Whether nginx should end keep-alive connections; the same in every step until it changes. */
  readonly draining: boolean;
  /** The whole set of VIPs to announce, in the step in which it became another one. */
  readonly announce: readonly Route[] | undefined;
  /** The peers are to be asked now, and when they have answered the next step decides. */
  readonly ask: boolean;
}

/**
 * One step of a blade: from what is true now and what is remembered to what should be done. Repeated with the newest
 * truth, at any moment and as often as one likes, it is safe: a look is judged once, and decided once.
 *
 * The order keeps a VIP from losing its last announcer. A blade that should not serve a VIP says so first (`judge`, and
 * the memory is published); then it asks its peers; and only answers to questions that left after that count when it
 * decides (`decide`). Of several blades that fail at once the last to say so sees the others' word, and holds.
 */
export function step(view: BladeView, before: BladeMemory): Step {
  const retirement = retirementOf(view, before.retirement);
  const health = healthOf(view, before.health);
  const judged = judge(view, { ...before, retirement, health });
  const memory = decide(view, judged);
  return {
    memory,
    vips: vipStatuses(memory, view.speaker),
    actions: {
      health,
      draining: retirement.phase !== 'none',
      announce: memory.announcing === before.announcing ? undefined : routesOf(view, memory),
      ask: judged.round.phase === 'asking' && before.round.askedMs !== judged.round.askedMs,
    },
    news: newsOf(before, memory),
  };
}

function routesOf(view: BladeView, { vips }: BladeMemory): readonly Route[] {
  return vips.filter(({ decision }) => decision.announce).map(({ address }) => routeOf(view, address));
}
