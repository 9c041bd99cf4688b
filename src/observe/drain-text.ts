import type { Drain } from '../model/spec/kinds.ts';
import { type DrainPlan, listed } from './drain-plan.ts';
import type { DrainState } from './drains.ts';

const ofWorker = {
  drain:
    'its routes of pods leave when none of its pods is Ready any more (kubectl drain moves them), with --force at once',
  undrain: 'its agent announces its routes of pods again once it has read that',
} as const;

/** A change of drains. `what` is the change in words: `drain blade paris-blade-1 until ...`. */
interface Change {
  readonly what: string;
  readonly verb: keyof typeof ofWorker;
  readonly target: Drain['spec']['target'];
  /** It is written into APIs alone, of which no DNS record is made. */
  readonly inApis?: boolean;
  /** Every Drain that it removes ended before. */
  readonly ended?: boolean;
  /** Another Drain is in force. */
  readonly others?: boolean;
}

/** The plan of a change of drains, for people. */
export function renderDrainPlan(change: Change, plan: DrainPlan): readonly string[] {
  const { what, inApis } = change;
  const { moves, pools, refusals, unknown } = plan;
  return [
    what,
    ...pools.flatMap(({ pool, leaving, returning, serving, doubtful, vips }) => [
      ...(leaving.length === 0 ? [] : [`  pool ${pool}: ${leaving.join(', ')} out of service`]),
      ...(returning.length === 0 ? [] : [`  pool ${pool}: ${returning.join(', ')} in service again`]),
      `  pool ${pool}: in service then: ${serving.join(', ') || 'none; the last blades keep their VIPs while users leave'}`,
      ...doubtful.map(({ name, why }) => `    of these ${name} does not count now: ${why}`),
      ...vips.map((vip) => `  VIP ${vip.address}: ${vip.from.join(', ')} -> ${takers(vip)}`),
    ]),
    ...moves.map(
      ({ policy, before, after, countries }) => `  policy ${policy}: ${before} -> ${after} for ${listed(countries)}`,
    ),
    ...(moves.length > 0
      ? [
          `  DNS: clusters with an edge pool change what they answer to health checks at once; ${inApis === true ? 'records follow the folder, and do not change' : 'records follow at the next tideline steering apply'}`,
        ]
      : []),
    ...(moves.length + pools.length === 0 ? [`  ${whyNothing(change)}`] : []),
    ...unknown.map((text) => `  not known: ${text}`),
    ...refusals.flatMap(({ reason, message, fix }) => [`  refused: ${message} (${reason})`, `    fix: ${fix}`]),
  ];
}

/** What is said where no user and no VIP moves; what a worker does is not part of a plan. */
function whyNothing({ verb, target: { kind }, ended, others }: Change): string {
  if (ended === true) return 'nothing moves: the Drain has ended already';
  if (kind === 'Worker') return ofWorker[verb];
  const why =
    others === true ? 'another Drain keeps it out of service' : 'no policy and no blade of a pool depends on it';
  return `nothing moves: ${why}`;
}

/** `paris-blade-2, perhaps paris-blade-3 (not known)`. */
function takers({ to, unknown }: DrainPlan['pools'][number]['vips'][number]): string {
  if (to.length + unknown.length === 0) return 'nobody else, so the last blade keeps it';
  return [...to, ...(unknown.length === 0 ? [] : [`perhaps ${unknown.join(', ')} (not known)`])].join(', ');
}

/** The drains for people, one line each and a line for each server on which something is left. */
export function renderDrains(drains: readonly DrainState[], nowMs: number): readonly string[] {
  if (drains.length === 0) return ['nothing is drained'];
  const rows = drains.map(({ target, phase, expires, reason }) => [
    `${target.kind.toLowerCase()} ${target.name}`,
    phase,
    phase === 'over' ? 'ended' : `${remaining(Date.parse(expires) - nowMs)} left`,
    reason,
  ]);
  const head = ['drained', 'state', 'time', 'reason'];
  const widths = head.map((word, at) => Math.max(word.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    line(head),
    ...drains.flatMap((drain, at) => [
      line(rows[at] ?? []),
      ...drain.left.map((text) => `  ${text}`),
      ...(drain.phase !== 'over' && drain.dns !== 'not concerned' ? [`  DNS: ${drain.dns}`] : []),
      ...(drain.answers === undefined ? [] : [`  DNS: ${drain.answers}`]),
    ]),
  ];
}

function remaining(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h${minutes % 60}m` : `${Math.floor(hours / 24)}d${hours % 24}h`;
}
