import { InputError } from '../../model/problem.ts';
import type { ZoneConditionView } from '../../model/steering-status.ts';
import { messageOf } from '../../model/values.ts';
import type { ZonePlan } from './plan/plan.ts';
import { SteeringError, type SteeringReason } from './reasons.ts';

/** What is said of a zone, but for since when. */
export type Told = Omit<ZoneConditionView, 'sinceMs'>;

/** What ended an attempt, as a condition. */
export function toldOf(error: unknown): Told & { readonly reason: SteeringReason } {
  if (error instanceof SteeringError)
    return { reason: error.reason, message: error.message.replace(` (${error.reason})`, '') };
  const [problem] = error instanceof InputError ? error.problems : [];
  if (problem === undefined) return { reason: 'AgentFault', message: messageOf(error) };
  const { reason, message, fix } = problem;
  return { reason: reason as SteeringReason, message, fix };
}

export const heldBackNotice = ({ host, reason, message }: ZonePlan['heldBack'][number]): Told => ({
  reason,
  message: `${host} is held back and stays as it is: ${message}`,
  host,
});

/** The conditions that a person ends by applying the plan. */
export const asksForPerson: ReadonlySet<string> = new Set<SteeringReason>([
  'NeedsApproval',
  'HealthUnseen',
  'AppliedTooOften',
  'RolledBack',
  'HealthCheckOverridden',
  'HealthCheckOfOthers',
  'HealthCheckGone',
  'OnlyRecommended',
]);
