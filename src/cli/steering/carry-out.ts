import { type Command, InvalidArgumentError } from 'commander';
import type { Freeze } from '../../model/spec/kinds.ts';
import { messageOf } from '../../model/values.ts';
import type { Outcome } from '../../planes/steering/plan/apply.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import { printLines } from '../../runtime/print.ts';
import { printResult } from '../output.ts';
import { showProgress } from '../progress.ts';
import { record } from '../record.ts';
import { type AskArguments, type AskedZone, addAskOptions } from './ask-after.ts';
import {
  connectProvider,
  connectReader,
  type Planned,
  type ProviderOptions,
  probeFromHere,
  reasonOption,
} from './connect.ts';
import type { Delegated } from './delegations.ts';
import { sayInApis } from './say-in-apis.ts';

export interface ApprovalOptions extends ProviderOptions, AskArguments {
  readonly approveShare: number;
  readonly approveFailover: number;
  readonly approveDown: readonly string[];
  readonly approveRemoval: readonly string[];
  readonly approveBroken: readonly string[];
  readonly despiteFreeze?: true;
}

/** The options by which a person approves what a plan's guard does not allow, and those of what is asked afterwards. */
export function addApprovalOptions(command: Command): Command {
  return addAskOptions(command)
    .option(
      '--approve-share <share>',
      'move up to this share of the traffic (0..1), whatever the guard says',
      parseShare,
      0,
    )
    .option(
      '--approve-failover <share>',
      'let up to this share (0..1) be answered otherwise while one cluster is down, or lose later choices',
      parseShare,
      0,
    )
    .option('--approve-down <cluster...>', 'lead users to these clusters although they are down now', [])
    .option('--approve-removal <host...>', 'let these hosts lose their answers', [])
    .option('--approve-broken <name...>', 'let the records of others at these names lead to nothing', [])
    .option('--despite-freeze', 'also while the platform is frozen')
    .addOption(reasonOption());
}

/**
 * Carries out the plans if they are those of the checksum and approved, after `before`, or says that the plan of the checksum is in force
 * already; says what was written, and throws what ended the work.
 */
export async function carryOut(
  planned: Planned,
  checksum: string,
  options: ApprovalOptions,
  before: (planned: Planned) => Promise<void> = async () => {},
): Promise<void> {
  const { plans, frozen } = planned;
  const { applyPlans, inForceOf, refuseUnapproved } = await import('../../planes/steering/plan/apply.ts');
  await refuseFrozen(frozen, options);
  const approval = {
    checksum,
    share: options.approveShare,
    failoverShare: options.approveFailover,
    down: options.approveDown,
    removals: options.approveRemoval,
    broken: options.approveBroken,
  };
  const progress = showProgress();
  if (inForceOf(plans, checksum).length === 0) {
    try {
      refuseUnapproved(plans, approval);
    } catch (refused) {
      await sayRefused(planned, refused, options);
      throw refused;
    }
    await before(planned);
  }
  const outcome = await applyPlans(plans, approval, (name) => {
    progress.step(`${name}: writing`);
    return connectProvider(name, options, progress);
  }).finally(progress.end);
  await sayInApis(planned, outcome, options.platformTrust);
  await finish(plans, outcome, options, options.ask ? () => askNameServers(planned, options) : undefined);
}

/** A plan that nobody approves of is a state of its zones; one that is not the agreed one says nothing of them. */
async function sayRefused(planned: Planned, refused: unknown, { platformTrust }: ApprovalOptions): Promise<void> {
  const { toldOf } = await import('../../planes/steering/told.ts');
  if (toldOf(refused).reason === 'NeedsApproval') await sayInApis(planned, { refused }, platformTrust);
}

/** The exit code when everything is written, and a name server does not answer so or cannot be asked. */
const notAnswered = 4;

/**
 * Writes down and prints what was done, then what name servers answer when `ask` is given; throws what ended the work. Exit code 4
 * when these do not answer as planned.
 */
export async function finish(
  plans: readonly ZonePlan[],
  outcome: Outcome,
  options: ProviderOptions & { readonly despiteFreeze?: true },
  ask: () => Promise<AskedAfter> = async () => nobody,
): Promise<void> {
  const failed = 'failure' in outcome;
  await recordOutcome(plans, outcome, options);
  // The zones before the one that failed have their new answers: the reader of the error must know that.
  if (!failed || outcome.applied.length > 0) await printOutcome(outcome, options.output, failed ? undefined : ask);
  if (failed) throw outcome.failure;
  if (outcome.heldBack.length > 0) process.exitCode = 1;
}

/** What the name servers answer now. */
async function askNameServers({ platform, plans }: Planned, options: ApprovalOptions): Promise<AskedAfter> {
  const { askAfter, downNowBy } = await import('./ask-after.ts');
  const { delegationsOf } = await import('./delegations.ts');
  const progress = showProgress();
  const downNow = downNowBy((name) => connectReader(name, options, progress), probeFromHere);
  const [zones, delegations] = await Promise.all([
    askAfter(plans, options, { platform, progress, downNow }),
    delegationsOf(plans),
  ]).finally(progress.end);
  return { zones, delegations };
}

/** What was asked when everything was written. */
interface AskedAfter {
  readonly zones: readonly AskedZone[];
  readonly delegations: readonly Delegated[];
}

const nobody: AskedAfter = { zones: [], delegations: [] };

/** Throws Frozen while the platform is frozen, unless a person says that it does not count for this once. */
export async function refuseFrozen(
  frozen: Freeze | undefined,
  { despiteFreeze }: { readonly despiteFreeze?: true },
): Promise<void> {
  if (frozen !== undefined && despiteFreeze !== true) throw await refusal(frozen);
}

async function refusal({ spec }: Freeze): Promise<Error> {
  const { SteeringError } = await import('../../planes/steering/reasons.ts');
  return new SteeringError(
    'Frozen',
    `the platform is frozen by ${spec.by} since ${spec.since}: ${spec.reason}; thaw it, or add --despite-freeze for this once`,
  );
}

/** Writes down what was written, of which plan, and whom it moves. */
async function recordOutcome(
  plans: readonly ZonePlan[],
  { checksum, applied, failure }: Outcome,
  { despiteFreeze, reason }: { readonly despiteFreeze?: true; readonly reason?: string },
): Promise<void> {
  const { countriesThatMove } = await import('../../planes/steering/plan/impact.ts');
  const more = `${despiteFreeze === true ? ', despite a freeze' : ''}${reason === undefined ? '' : `: ${reason}`}`;
  for (const { provider, zone, generation } of applied) {
    const written = plans.filter((plan) => plan.provider === provider && plan.zone === zone);
    const impacts = written.flatMap((plan) => plan.impacts);
    const steps = written.flatMap(({ task }) => (task.kind === 'everything' ? [] : [`${task.kind}, `])).join('');
    await record('DnsApplied', {
      subject: `${provider} zone ${zone}`,
      why: `${steps}plan ${checksum}, generation ${generation}${more}`,
      hosts: impacts.map(({ host }) => host),
      countries: [...new Set(impacts.flatMap(countriesThatMove))],
    });
  }
  if (failure !== undefined) await record('DnsFailed', { subject: `plan ${checksum}`, why: messageOf(failure) });
}

/** Prints what was written; people read it before the name servers are asked, which may take a while. */
async function printOutcome(
  outcome: Outcome,
  format: ProviderOptions['output'],
  ask: () => Promise<AskedAfter> = async () => nobody,
): Promise<void> {
  const { outcomeToJson } = await import('../../planes/steering/plan/json.ts');
  const { renderOutcome } = await import('../../planes/steering/plan/text.ts');
  const { isAnswered, renderAsked } = await import('./ask-after.ts');
  const { isUnasked, renderDelegations } = await import('./delegations.ts');
  if (format === 'text') printLines(renderOutcome(outcome));
  const { zones: asked, delegations } = await ask();
  if (!asked.every(isAnswered) || delegations.some(isUnasked)) process.exitCode = notAnswered;
  if (format === 'text') printLines([...asked.flatMap(renderAsked), ...renderDelegations(delegations)]);
  else await printResult(format, { lines: () => [], value: () => ({ ...outcomeToJson(outcome), asked, delegations }) });
}

export function isChecksum(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}

export function parseChecksum(text: string): string {
  if (!isChecksum(text))
    throw new InvalidArgumentError('Expected the 16 characters that `tideline steering plan` printed.');
  return text;
}

function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return share;
}
