import { type Command, InvalidArgumentError } from 'commander';
import type { Platform } from '../../model/spec/platform.ts';
import type { ZoneAtProvider } from '../../planes/steering/compile/intent.ts';
import type { ProviderName } from '../../planes/steering/dialects/dialect.ts';
import type { Purpose } from '../../planes/steering/plan/plan.ts';
import { type ApprovalOptions, addApprovalOptions, carryOut, isChecksum, parseChecksum } from './carry-out.ts';
import { addProviderOptions, type Planned, planBy } from './connect.ts';
import { exitIfHeldBack, printPlans } from './plan.ts';

/** A step of ownership shows its plan; with the checksum of that plan it is carried out. */
export interface StepOptions extends ApprovalOptions {
  readonly plan?: string;
}

export function addStepOptions(command: Command): Command {
  const withPlan = command.option('--plan <checksum>', 'carry out the plan that ended in this line', parseChecksum);
  return addProviderOptions(addApprovalOptions(withPlan));
}

/** The zones of a step in a platform, and what is to be done in them. */
export type StepOf = (
  platform: Platform,
) => Promise<{ readonly zones: readonly ZoneAtProvider[]; readonly purpose: Purpose }>;

/** Plans a step; prints the plan, or carries it out after `before`. */
export async function takeStep(
  paths: readonly string[],
  options: StepOptions,
  stepOf: StepOf,
  before?: (planned: Planned) => Promise<void>,
): Promise<void> {
  const { planEach } = await import('../../planes/steering/plan/plan.ts');
  const planned = await planBy(paths, options, async (platform, { connect, nowMs, asked }) =>
    planEach(platform, await stepOf(platform), connect, nowMs, asked),
  );
  await showOrCarryOut(planned, options, before);
}

/** Prints plans, or carries them out after `before` when a person agreed to them. */
export async function showOrCarryOut(
  planned: Planned,
  options: StepOptions,
  before?: (planned: Planned) => Promise<void>,
): Promise<void> {
  if (options.plan === undefined) {
    await printPlans(planned, options.output);
    exitIfHeldBack(planned.plans);
    return;
  }
  await carryOut(planned, options.plan, options, before);
}

/** Those of the zones that are at the provider of `--provider`. */
export function atProvider<Zone extends ZoneAtProvider>(
  zones: readonly Zone[],
  provider: ProviderName | 'all',
): readonly Zone[] {
  return zones.filter((zone) => provider === 'all' || zone.provider === provider);
}

/**
 * The zone at every provider that policies name for it, or at that of `--provider` whatever they name; throws an InputError when neither
 * says where the zone is.
 */
export async function zonesCalled(
  platform: Platform,
  zone: string,
  provider: ProviderName | 'all',
): Promise<readonly ZoneAtProvider[]> {
  if (provider !== 'all') return [{ provider, zone }];
  const { zonesOf } = await import('../../planes/steering/compile/intent.ts');
  const zones = zonesOf(platform).filter((one) => one.zone === zone);
  if (zones.length > 0) return zones;
  const { badInput } = await import('../../planes/steering/reasons.ts');
  throw badInput(
    'NoPolicy',
    `no traffic policy in these files names the zone ${zone}, so its provider is not known`,
    'name the provider that holds it with --provider',
  );
}

/**
 * The zones in which an apply is looked for. One that is named by its generation must be in one zone only, because generations are counted
 * for each provider apart; the checksum of a plan means the same at all.
 */
export async function zonesOfApply(
  platform: Platform,
  { apply, zone }: { readonly apply: string; readonly zone: string },
  provider: ProviderName | 'all',
): Promise<readonly ZoneAtProvider[]> {
  const zones = await zonesCalled(platform, zone, provider);
  if (zones.length === 1 || isChecksum(apply)) return zones;
  const { badInput } = await import('../../planes/steering/reasons.ts');
  throw badInput(
    'ProvidersApart',
    `the zone ${zone} is at ${zones.map((one) => one.provider).join(' and ')}, which count generations apart`,
    'name the apply by the checksum of its plan, which `tideline steering history` prints, or one provider with --provider',
  );
}

/** An apply as `steering history` prints it: by its generation, or by the checksum of its plan. */
export function parseApply(text: string): string {
  if (isChecksum(text) || /^[1-9]\d{0,14}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'Expected a generation, or the checksum of a plan, as `steering history` prints them.',
  );
}
