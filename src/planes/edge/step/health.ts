import { withoutUndefined } from '../../../model/values.ts';
import { type HealthInput, policyHealth } from '../compile/health.ts';
import type { PolicyHealth } from '../table.ts';
import { darkBackends, type TriesMemory } from './tries.ts';
import type { BladeView } from './view.ts';

/**
 * For this long after a start, while nothing is known, nginx keeps the health that the agent before this one reported.
 */
const recallMs = 10_000;

/** The health of every policy that nginx should report; undefined: nginx keeps what it reports. */
export function healthOf(
  view: BladeView,
  before: readonly PolicyHealth[] | undefined,
  tries: TriesMemory,
): readonly PolicyHealth[] | undefined {
  const health = policyHealth({ ...healthInput(view), dark: darkBackends(tries) });
  const ignorant = view.served === undefined && health.every(({ reason }) => reason === 'Unknown');
  return ignorant && view.nowMs - view.startedMs < recallMs ? before : health;
}

/** What of the view decides over the health of policies. */
export function healthInput({ platform, pool, dateMs, served }: BladeView): HealthInput {
  return { platform, pool, nowMs: dateMs, ...withoutUndefined({ served }) };
}
