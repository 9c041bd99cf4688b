import { duration } from '../compile/recovery.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneState } from '../providers/provider.ts';
import type { SteeringNotice } from '../reasons.ts';
import type { AppliedPlan } from '../records/applied.ts';
import { isoTime } from './guard.ts';

/** Synchronised clocks differ by less. It is what the SDK of Route 53 takes for a difference. */
const toleranceMs = 5 * 60_000;

/** What is wrong with the clock of this machine, where the provider tells its own time; a sentence without its end. */
export function clockText(provider: ProviderName, { clockAheadMs = 0 }: ZoneState): string | undefined {
  if (Math.abs(clockAheadMs) <= toleranceMs) return undefined;
  const { title } = dialects[provider];
  return `the clock of this machine is ${inWords(clockAheadMs)} that of ${title}; synchronise it (\`timedatectl\` tells whether it is) and plan again`;
}

/** Says that the clock of this machine is wrong, or that an apply stands in the zone with a time that has not come yet. */
export function wrongClocks(
  provider: ProviderName,
  state: ZoneState,
  applies: readonly AppliedPlan[],
  nowMs: number,
): readonly SteeringNotice[] {
  const message = clockText(provider, state);
  if (message !== undefined) return [{ reason: 'ClockWrong', message: `${message}; apply is refused` }];
  const latest = applies.toSorted((a, b) => b.atMs - a.atMs)[0];
  if (latest === undefined || latest.atMs <= nowMs + toleranceMs) return [];
  const { by, atMs } = latest;
  const told = `${by} applied at ${isoTime(atMs)}, ${inWords(atMs - nowMs)} this machine's clock; what it moved counts until then and for the window of the guard`;
  return [{ reason: 'ClockWrong', message: told }];
}

const inWords = (aheadMs: number): string =>
  `${duration(Math.round(Math.abs(aheadMs) / 60_000) * 60)} ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
