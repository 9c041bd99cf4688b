import { messageOf } from '../../../../model/values.ts';
import type { ClusterApi } from '../cluster-objects.ts';
import type { StepContext, StepFault, StepHandlers } from '../handlers.ts';
import { type FleetWorld, having } from '../world.ts';
import { drainBlades, returnBlades } from './blades.ts';
import { type DrainContext, type Patience, usualPatience } from './context.ts';
import { announceApi, handOver, withdrawApi } from './control-planes.ts';
import type { DrainFault } from './evict.ts';
import { drainWorker, forgetWorker, returnWorker } from './worker.ts';

/** How runs in this world drain servers before they touch them, and give them back. */
export function drainsOf(
  world: FleetWorld,
  patience: Patience = usualPatience,
): Required<Pick<StepHandlers, 'drain' | 'return' | 'forget'>> {
  return {
    async drain({ servers }, step) {
      const context = contextOf(world, step, patience);
      const back = async (): Promise<void> => {
        const faults = await giveBack(servers, { ...context, signal: AbortSignal.timeout(backMs) }).catch(unsaid);
        for (const { message } of faults) step.say(`not returned: ${message}`);
      };
      try {
        const faults = await inOrder([
          () => drainBlades(having(world, servers, 'blade'), context),
          () => everyWorker(having(world, servers, 'worker'), context, drainWorker),
          () => handOver(having(world, servers, 'etcd'), context),
          () => withdrawApi(having(world, servers, 'control-plane'), context),
        ]);
        if (faults.length > 0) await back();
        return faults;
      } catch (error) {
        await back();
        throw error;
      }
    },
    async return({ servers }, step) {
      return giveBack(servers, contextOf(world, step, patience));
    },
    async forget({ servers }, step) {
      const context = contextOf(world, step, patience);
      return inOrder([() => everyWorker(having(world, servers, 'worker'), context, forgetWorker)]);
    },
  };
}

const unsaid = (error: unknown): readonly StepFault[] => [{ message: messageOf(error) }];

/** So long giving back may take after a drain that failed. */
const backMs = 60_000;

/** What this run took, and nothing else: a node that somebody else had closed stays closed. */
function giveBack(servers: readonly string[], context: DrainContext): Promise<readonly StepFault[]> {
  const { world } = context;
  return inOrder([
    () => announceApi(having(world, servers, 'control-plane'), context),
    () => everyWorker(having(world, servers, 'worker'), context, returnWorker),
    () => returnBlades(having(world, servers, 'blade'), context),
  ]);
}

function contextOf(world: FleetWorld, step: StepContext, patience: Patience): DrainContext {
  const { run, reach, signal, say, wave } = step;
  const { cluster } = wave;
  // A control plane is drained without the API, which may be what is to be mended.
  const api: ClusterApi = { request: async (request) => (await world.api(cluster)).request(request) };
  return { run, reach, signal, say, ...patience, clock: world.clock, api, world, cluster };
}

type Part = () => Promise<readonly DrainFault[]>;

/** Each part when the one before is done without a fault. */
async function inOrder(parts: readonly Part[]): Promise<readonly StepFault[]> {
  for (const part of parts) {
    const faults = await part();
    if (faults.length > 0) return faults.map(({ reason, message }) => ({ message: `${reason}: ${message}` }));
  }
  return [];
}

async function everyWorker(
  workers: readonly string[],
  context: DrainContext,
  work: (name: string, context: DrainContext) => Promise<readonly DrainFault[]>,
): Promise<readonly DrainFault[]> {
  const faults = await Promise.all(
    workers.map(async (worker) =>
      (await work(worker, context)).map(({ reason, message }) => ({ reason, message: `${worker}: ${message}` })),
    ),
  );
  return faults.flat();
}
