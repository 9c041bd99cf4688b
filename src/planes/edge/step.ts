import type { Route } from '../../bgp/route.ts';
import { routeOf } from './step/announce.ts';
import { decide } from './step/decide.ts';
import { healthOf } from './step/health.ts';
import { judge } from './step/judge.ts';
import type { BladeMemory } from './step/memory.ts';
import { type News, newsOf } from './step/news.ts';
import { retirementOf } from './step/retirement.ts';
import { triesAfter } from './step/tries.ts';
import type { BladeView } from './step/view.ts';
import { type VipStatus, vipStatuses } from './step/vip-status.ts';
import type { PolicyHealth } from './table.ts';

export interface Step {
  /** What to remember. It must be visible in `/status` before any of the actions is carried out. */
  readonly memory: BladeMemory;
  readonly vips: readonly VipStatus[];
  readonly actions: BladeActions;
  /** What changed in this step, for the log. */
  readonly news: readonly News[];
}

export interface BladeActions {
  /**
   * The policy health that nginx should report; undefined: nginx keeps what it reports. Every step repeats it, changed
   * or not.
   */
  readonly health: readonly PolicyHealth[] | undefined;
  /** Whether nginx should end keep-alive connections. Every step repeats it, changed or not. */
  readonly draining: boolean;
  /** The whole set of VIPs to announce, in the step in which the set changed; else undefined. */
  readonly announce: readonly Route[] | undefined;
  /** True when the peers must be asked now; the step after their answers decides. */
  readonly ask: boolean;
}

/**
 * One step of a blade: it computes what should be done from the view of this moment and the memory. It may be repeated
 * with a newer view at any moment: a round of probes is judged once, and decided once.
 *
 * The order keeps a VIP from losing its last announcer. A blade that should not serve a VIP first says so (`judge`, and
 * the memory is published). Then it asks its peers, and when it decides (`decide`), only answers to questions that were
 * sent after the publication count. Of several blades that fail at once, the last one to publish sees that the others
 * are unfit too, and holds.
 */
export function step(view: BladeView, before: BladeMemory): Step {
  const retirement = retirementOf(view, before.retirement);
  const tries = triesAfter(before.tries, view);
  const health = healthOf(view, before.health, tries);
  const judged = judge(view, { ...before, retirement, health, tries });
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
