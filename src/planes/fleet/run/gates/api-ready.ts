import { z } from 'zod';
import { ask, type Heard } from '../ask.ts';
import type { Gate } from '../handlers.ts';
import { type FleetWorld, serversOf } from '../world.ts';
import { missing, unheard } from './texts.ts';

/** What `tideline_health.api` says. */
export const ApiView = z.object({
  ready: z.boolean(),
  status: z.number().optional(),
  failed: z.array(z.string()).default([]),
  problem: z.string().optional(),
});
export type ApiView = z.infer<typeof ApiView>;

/** The API server of every control plane of the cluster says that it is ready. */
export function apiReady(world: FleetWorld): Gate {
  return async (_, context) => {
    const servers = serversOf(world, context.wave.cluster, 'control-plane');
    return judgeApi(await ask(context, servers, 'tideline_health.api', ApiView));
  };
}

export function judgeApi({ said, problems }: Heard<ApiView>): string | undefined {
  const unready = [...said].flatMap(([server, { ready, status, failed, problem }]) => {
    if (ready) return [];
    const answer = failed.length > 0 ? failed.join(', ') : `it answers ${status}`;
    return [`the API server of ${server} is not ready (${problem ?? answer})`];
  });
  return missing([...unheard(problems), ...unready]);
}
