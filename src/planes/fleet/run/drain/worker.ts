import { z } from 'zod';
import { leftOfWorker } from '../../../../model/platform/drain-left.ts';
import { sleep } from '../../../../runtime/clock.ts';
import { ask } from '../ask.ts';
import { type ClusterApi, drainedAnnotation, patch, readOrGone, remove } from '../cluster-objects.ts';
import { podsOn } from '../pods.ts';
import { type Drained, drainedBy, leftByAny, workloadsOf } from '../workloads.ts';
import type { DrainContext } from './context.ts';
import { putDrain, removeDrain, type Target } from './drain-object.ts';
import { type DrainFault, evictAll, losing, toEvict, unmanaged } from './evict.ts';

const NodeState = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({ unschedulable: z.boolean().optional() }).prefault({}),
});

const WorkerView = z.object({
  agent: z.literal('network'),
  action: z.string(),
  reason: z.string().optional(),
  announced: z.array(z.object({ class: z.string().optional() })),
  notices: z.array(z.object({ reason: z.string(), message: z.string(), count: z.number().optional() })).default([]),
  relay: z.string(),
});

const target = (name: string): Target => ({ kind: 'Worker', name });
const pathOfNode = (name: string): string => `/api/v1/nodes/${name}`;

/**
 * Drains a worker: no new pods, its Drain (under which its agent keeps the routes until no pod on it is Ready), evictions, and then the agent's
 * word that nothing is left. A server that is no Node yet has nothing.
 */
export async function drainWorker(name: string, context: DrainContext): Promise<readonly DrainFault[]> {
  const { api, run, signal, say } = context;
  const pods = toEvict(await podsOn(api, name, signal));
  const faults = unmanaged(pods);
  if (faults.length > 0) return faults;
  if (!(await cordon(name, context))) {
    say(`${name} is no Node: nothing to drain`);
    return [];
  }
  const lost = losing(pods);
  if (lost.length > 0) say(`${name}: these lose what they keep in an emptyDir: ${lost.join(', ')}`);
  const obeyed = await putDrain(api, target(name), `tideline fleet ${run.command}`, context);
  const stay = await evictAll(api, name, context);
  if (stay.length === 0 && obeyed) await untilEmpty(name, context);
  return stay;
}

/** New pods come again, if it was the run that kept them away, and the agent announces as before. */
export async function returnWorker(name: string, { api, run, signal }: DrainContext): Promise<readonly DrainFault[]> {
  await uncordon(api, name, run.checksum, signal);
  await removeDrain(api, target(name));
  return [];
}

/** Of a worker that left for good nothing stays in the API: the pods that it still had there are made elsewhere. Safe to do twice. */
export async function forgetWorker(
  name: string,
  { api, signal }: Pick<DrainContext, 'api' | 'signal'>,
): Promise<readonly DrainFault[]> {
  await remove(api, pathOfNode(name), signal);
  await removeDrain(api, target(name));
  return [];
}

/**
 * Closes the node to new pods, and writes down what ran on it; both in one write, so that a crash loses neither. A node that is still closed, and that a
 * run of ours drained and never gave back, is taken over: what ran there before that run counts.
 */
async function cordon(name: string, { api, run, signal }: DrainContext): Promise<boolean> {
  const node = await readOrGone(api, pathOfNode(name), NodeState, signal);
  if (node === undefined) return false;
  const isClosed = node.spec.unschedulable === true;
  const annotation = node.metadata.annotations[drainedAnnotation];
  const known = drainedBy(run.checksum, annotation) ?? (isClosed ? leftByAny(annotation) : undefined);
  const workloads = known ?? (await workloadsOf(api, await podsOn(api, name, signal), signal));
  const cordoned = known?.cordoned === true || !isClosed;
  const drained: Drained = { ...workloads, run: run.checksum, cordoned, away: true };
  const { resourceVersion } = node.metadata;
  const annotations = { [drainedAnnotation]: JSON.stringify(drained) };
  await patch(
    api,
    pathOfNode(name),
    { metadata: { resourceVersion, annotations }, spec: { unschedulable: true } },
    signal,
  );
  return true;
}

/** The annotation stays, for gates that come after the return; it counts for this run alone. */
async function uncordon(api: ClusterApi, name: string, run: string, signal: AbortSignal): Promise<void> {
  const node = await readOrGone(api, pathOfNode(name), NodeState, signal);
  const annotation = node?.metadata.annotations[drainedAnnotation];
  const drained = drainedBy(run, annotation) ?? leftByAny(annotation);
  if (drained === undefined || !(drained.cordoned || drained.away === true)) return;
  const annotations = { [drainedAnnotation]: JSON.stringify({ ...drained, run, cordoned: false, away: false }) };
  const opened = drained.cordoned ? { spec: { unschedulable: null } } : {};
  await patch(api, pathOfNode(name), { metadata: { annotations }, ...opened }, signal);
}

/** Without pods its routes harm nobody: what the agent still says after a while is told, and no fault. */
async function untilEmpty(name: string, context: DrainContext): Promise<void> {
  const { clock, everyMs, say } = context;
  const endMs = clock.monotonic() + context.farewellMs;
  for (;;) {
    const { said, problems } = await ask(context, [name], 'tideline_health.network', WorkerView);
    const view = said.get(name);
    const left = view === undefined ? undefined : leftOfWorker(name, view);
    if (left?.phase === 'empty') return;
    if (clock.monotonic() >= endMs) {
      say(`goes on without the word of the network agent: ${left?.text ?? `${name}: ${problems.get(name)}`}`);
      return;
    }
    await sleep(clock, everyMs);
  }
}
