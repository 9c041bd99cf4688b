import type { Floor } from '../compile/floors.ts';
import type { Observed } from '../compile/observed.ts';

/** What becomes of the least replicas of autoscalers, so that they hold their floors. */
export interface HoldPlan {
  readonly changes: readonly MinimumChange[];
  /** Autoscalers that may go lower than they do, and why they stay. */
  readonly kept: readonly Kept[];
  /** Targets whose floor cannot be handed over, and why. */
  readonly refused: readonly Kept[];
}

export interface MinimumChange {
  readonly target: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

interface Kept {
  readonly target: string;
  readonly why: string;
}

export interface Release {
  /** Whether what is no longer needed is to be given back at all. */
  readonly wanted: boolean;
  /** Why nothing is given back now, whoever wants it. */
  readonly doubts: readonly string[];
}

/** One run gives back so much at most: who comes late, or was measured wrongly, is seen before all is gone. */
const pace = 0.1;

/** Floors rise at once and whole; they fall when that is wanted and nothing speaks against it, a tenth in a run. */
export function holdPlan(
  floors: readonly Floor[],
  observed: ReadonlyMap<string, Observed>,
  { wanted, doubts }: Release,
): HoldPlan {
  const changes: MinimumChange[] = [];
  const kept: Kept[] = [];
  const refused: Kept[] = [];
  for (const { target, replicas, spec } of floors) {
    const seen = observed.get(target);
    const why = unfit(seen);
    if (seen?.state !== 'read' || seen.autoscaler === undefined || why !== undefined) {
      refused.push({ target, why: why ?? 'nobody asked its cluster' });
      continue;
    }
    const { cluster, workload } = spec;
    const from = seen.autoscaler.min;
    const change = (to: number): MinimumChange => ({
      target,
      cluster,
      namespace: workload.namespace,
      name: workload.name,
      from,
      to,
    });
    const most = Math.min(replicas, seen.autoscaler.max);
    if (most < replicas)
      refused.push({ target, why: `its floor is ${replicas}, and its autoscaler stops at ${most}: raise maxReplicas` });
    if (most > from) changes.push(change(most));
    if (replicas >= from) continue;
    if (!wanted)
      kept.push({ target, why: `${from} replicas stay, although ${replicas} are enough: --release gives them back` });
    else if (doubts.length > 0) kept.push({ target, why: `${from} replicas stay: ${doubts.join('; ')}` });
    else changes.push(change(Math.max(replicas, Math.floor(from * (1 - pace)))));
  }
  return { changes, kept, refused };
}

function unfit(seen: Observed | undefined): string | undefined {
  if (seen === undefined) return 'its Cluster has no kubeconfig in the platform spec';
  if (seen.state === 'unread') return seen.why;
  if (seen.autoscaler === undefined)
    return 'it names a Deployment: name the HorizontalPodAutoscaler that scales it, because a number of replicas that is written beside an autoscaler would not last';
  return undefined;
}
