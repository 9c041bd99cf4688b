import { withoutUndefined } from '../../../model/values.ts';
import { policyHealth } from '../compile/health.ts';
import type { PolicyHealth } from '../table.ts';
import type { BladeView } from './view.ts';

/**
 * For this long after a start, while nothing is known, nginx keeps the health that the agent before this one reported.
 */
const recallMs = 10_000;

/** The health of every policy that nginx should report; undefined: nginx keeps what it reports. */
export function healthOf(
  view: BladeView,
  before: readonly PolicyHealth[] | undefined,
): readonly PolicyHealth[] | undefined {
  const { platform, pool, dateMs, served } = view;
  const health = policyHealth({ platform, pool, nowMs: dateMs, ...withoutUndefined({ served }) });
  const ignorant = served === undefined && health.every(({ reason }) => reason === 'Unknown');
  return ignorant && view.nowMs - view.startedMs < recallMs ? before : health;
}
