import type { ClusterState } from '../../../kube/source.ts';
import type { EdgeReason } from '../reasons.ts';
import type { DataPlaneStatus } from '../table.ts';

/** How far nginx is from the newest state of the cluster. Every function here returns a new value. */
export interface Convergence {
  readonly known: Known;
  readonly change: Change;
  readonly held: Held;
  /** The start of nginx that was seen last. */
  readonly instance?: string;
  /** Since when nginx has owed the answer to a change, or to a part of one. */
  readonly owingSinceMs?: number;
}

/** What the table is compiled from: nothing was read yet, a snapshot of an earlier agent, or what the cluster says. */
export type Known =
  | { readonly phase: 'nothing' }
  | { readonly phase: 'snapshot' | 'cluster'; readonly state: ClusterState };

/** The change that nginx has yet to acknowledge. */
export type Change =
  | { readonly phase: 'none' }
  /** The change waits for its compile. */
  | { readonly phase: 'waiting'; readonly sinceMs: number }
  /**
   * The change is being compiled or is on its way to nginx; another change has waited behind it since `nextSinceMs`.
   */
  | { readonly phase: 'underway'; readonly sinceMs: number; readonly nextSinceMs: number | undefined };

/** A generation, and the start of nginx that acknowledged it. */
export interface Acknowledged {
  readonly generation: number;
  readonly instance: string | undefined;
}

/**
 * What nginx answered last. After a refusal nginx serves the table before the refused one, and its endpoints are still
 * updated.
 */
export type Held =
  | { readonly phase: 'nothing' }
  | { readonly phase: 'acknowledged'; readonly last: Acknowledged }
  | { readonly phase: 'refused'; readonly message: string; readonly last: Acknowledged | undefined };

/**
 * A change that nginx owes the answer to for this long makes the blade unfit. How long a change takes to compile, waits for its turn
 * and is taken part by part depends on what tenants wrote, and is no fault of the blade, which serves the table before.
 */
const acknowledgeWithinMs = 10_000;

export const notConverged: Convergence = {
  known: { phase: 'nothing' },
  change: { phase: 'none' },
  held: { phase: 'nothing' },
};

/** Notes that the cluster was read, or a snapshot in its place. */
export function stateRead(before: Convergence, phase: 'snapshot' | 'cluster', state: ClusterState): Convergence {
  return { ...before, known: { phase, state } };
}

/** Notes that the table may have to change. nginx is behind since the first of several changes. */
export function stateChanged(before: Convergence, nowMs: number): Convergence {
  const { change } = before;
  if (change.phase === 'none') return { ...before, change: { phase: 'waiting', sinceMs: nowMs } };
  if (change.phase === 'waiting') return before;
  return { ...before, change: { ...change, nextSinceMs: change.nextSinceMs ?? nowMs } };
}

/**
 * Notes which start of nginx answers; returns the same object when that start is known. A new start has empty tables.
 */
export function nginxSeen(before: Convergence, instance: string): Convergence {
  return before.instance === instance ? before : { ...before, instance };
}

/** Notes that a compile begins, whose table then goes to nginx. */
export function compileStarted(before: Convergence, nowMs: number): Convergence {
  const sinceMs = before.change.phase === 'none' ? nowMs : before.change.sinceMs;
  return { ...before, change: { phase: 'underway', sinceMs, nextSinceMs: undefined } };
}

/** Notes that nginx acknowledged the table that was sent. */
export function tableAcknowledged(before: Convergence, last: Acknowledged): Convergence {
  return { ...before, change: next(before.change), held: { phase: 'acknowledged', last } };
}

/** Notes that nginx acknowledged new endpoints of backends that it holds. */
export function endpointsAcknowledged(before: Convergence, last: Acknowledged): Convergence {
  const { held } = before;
  return { ...before, held: held.phase === 'refused' ? { ...held, last } : { phase: 'acknowledged', last } };
}

/**
 * Notes that nginx did not take the table that was sent. An nginx that refuses a table still serves the one before. The
 * refusal may be a tenant's fault and must not count against the blade, so the change no longer waits. While nginx
 * holds no table, it waits on.
 */
export function tableFailed(before: Convergence, message: string, nginx: DataPlaneStatus | undefined): Convergence {
  const { change } = before;
  const held: Held = { phase: 'refused', message, last: lastOf(before.held) };
  if (holdsTable(held, nginx) || change.phase !== 'underway') return { ...before, held, change: next(change) };
  return { ...before, held, change: { phase: 'waiting', sinceMs: change.sinceMs } };
}

/**
 * Why nginx does not serve the table that we want; undefined when it does, or when it serves the one before a refused
 * table.
 */
export function faultOf(
  { known, change, held, owingSinceMs = -Infinity }: Convergence,
  nginx: DataPlaneStatus | undefined,
  nowMs: number,
): EdgeReason | undefined {
  if (nginx === undefined) return 'NginxUnreachable';
  if (silentWorkers(nginx) > 0) return 'WorkerSilent';
  if (known.phase === 'nothing') return 'NotSynced';
  if (!holdsTable(held, nginx)) return 'TableNotAcknowledged';
  const late = change.phase !== 'none' && nowMs - Math.max(change.sinceMs, owingSinceMs) > acknowledgeWithinMs;
  return late ? 'TableNotAcknowledged' : undefined;
}

/** A worker process says every second that it lives; it is taken to hang after this time. */
const workerSilentAfterMs = 5000;

/** How many workers of nginx hang, or are stopped: the kernel goes on to give them connections, which nobody answers. */
export function silentWorkers({ workers }: Pick<DataPlaneStatus, 'workers'>): number {
  return workers.filter(({ silentMs }) => silentMs > workerSilentAfterMs).length;
}

/** Notes since when nginx has owed the answer to a change, or to a part of one: now when it owes none. */
export function nginxOwes(before: Convergence, owingSinceMs: number): Convergence {
  return owingSinceMs === before.owingSinceMs ? before : { ...before, owingSinceMs };
}

/** Why nginx refused the newest table, while it serves the one before. */
export function refusalOf({ held }: Convergence): string | undefined {
  return held.phase === 'refused' ? held.message : undefined;
}

/**
 * Why nginx serves the table of an earlier agent; undefined when it serves one of this agent. The endpoints of such a table cannot be
 * followed: what its backends are is not known here.
 */
export function unfollowedOf({ held }: Convergence): string | undefined {
  return held.phase === 'refused' && held.last === undefined ? held.message : undefined;
}

/** The last generation that nginx acknowledged, 0 for none. */
export function generationOf({ held }: Convergence): number {
  return lastOf(held)?.generation ?? 0;
}

/** What the cluster itself said last; undefined while nothing was read, or a snapshot stands for it. */
export function clusterOf({ known }: Convergence): ClusterState | undefined {
  return known.phase === 'cluster' ? known.state : undefined;
}

/** Whether the running nginx has our table or, when it refused ours, the one before. */
function holdsTable(held: Held, nginx: DataPlaneStatus | undefined): boolean {
  if (nginx === undefined) return false;
  return lastOf(held)?.instance === nginx.instance || (held.phase === 'refused' && nginx.generation > 0);
}

function lastOf(held: Held): Acknowledged | undefined {
  return held.phase === 'nothing' ? undefined : held.last;
}

function next(change: Change): Change {
  if (change.phase !== 'underway') return change;
  return change.nextSinceMs === undefined ? { phase: 'none' } : { phase: 'waiting', sinceMs: change.nextSinceMs };
}
