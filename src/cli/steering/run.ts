import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import { SteeringError, type SteeringReason } from '../../planes/steering/reasons.ts';
import { connectReader, type ProviderOptions } from './connect.ts';

/** Refusals whose cause is what the person wrote. */
const inputReasons: ReadonlySet<SteeringReason> = new Set(['NoPolicy', 'NoAddress', 'UnknownCountry']);

/** Runs `work`; a refusal because of bad input becomes an InputError (exit code 2). */
export async function asInput<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SteeringError) || !inputReasons.has(error.reason)) throw error;
    const message = error.message.slice(0, -` (${error.reason})`.length);
    throw new InputError({
      reason: error.reason,
      message,
      fix: 'change the traffic policy, or ask for something else',
    });
  }
}

/** Plans every zone of every provider that the policies and the options name, with transports that cannot write. */
export async function planAll(
  platform: Platform,
  options: ProviderOptions,
  nowMs: number,
): Promise<readonly ZonePlan[]> {
  const { zonesOf } = await import('../../planes/steering/records/intent.ts');
  const { planZone } = await import('../../planes/steering/plan/plan.ts');
  const zones = zonesOf(platform).filter(({ provider }) => options.provider === 'all' || options.provider === provider);
  if (zones.length === 0) {
    const who = options.provider === 'all' ? 'a DNS zone' : `the provider ${options.provider}`;
    throw new InputError({
      reason: 'NoPolicy',
      message: `no traffic policy in these files uses ${who}`,
      fix: 'name the files that have one, or another --provider',
    });
  }
  const plans: ZonePlan[] = [];
  for (const { provider, zone } of zones) {
    const reader = await connectReader(provider, options);
    plans.push(await asInput(() => planZone(platform, reader, zone, nowMs)));
  }
  return plans;
}
