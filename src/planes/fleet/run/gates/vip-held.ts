import { z } from 'zod';
import { ask, type Heard } from '../ask.ts';
import type { Gate } from '../handlers.ts';
import { type FleetWorld, having } from '../world.ts';
import { missing, unheard } from './texts.ts';

/** What `tideline_health.vip` says: what makes the API's VIP announced by a control plane. */
export const VipView = z.object({
  prefixes: z.array(z.string()),
  missing: z.array(z.string()),
  /** What the health check told ExaBGP last; null while its unit does not run, or has not said anything yet. */
  state: z.string().nullable(),
  withdrawn: z.boolean(),
  sessions: z.record(z.string(), z.boolean()),
});
export type VipView = z.infer<typeof VipView>;

/** The control planes of the wave announce the API's address to each of their routers. */
export function vipHeld(world: FleetWorld): Gate {
  return async ({ servers }, context) => {
    const own = having(world, servers, 'control-plane');
    return judgeVip(await ask(context, own, 'tideline_health.vip', VipView));
  };
}

export function judgeVip({ said, problems }: Heard<VipView>): string | undefined {
  return missing([
    ...unheard(problems),
    ...[...said].flatMap(([server, view]) => against(view).map((clause) => `${server} ${clause}`)),
  ]);
}

function against(view: VipView): readonly string[] {
  const down = Object.entries(view.sessions).flatMap(([router, up]) => (up ? [] : [router]));
  const [prefix = 'the VIP'] = view.prefixes;
  return [
    ...(view.withdrawn ? [`has withdrawn ${prefix} until it is returned`] : []),
    ...(view.withdrawn || view.state === 'UP'
      ? []
      : [`does not announce ${prefix} (${view.state ?? 'no health check'})`]),
    ...view.missing.map((one) => `does not have ${one} on its loopback interface`),
    ...down.map((router) => `has no session with ${router}`),
  ];
}

/** Whether this control plane takes requests for the VIP now, by one router at least. */
export function isHeld({ state, withdrawn, sessions }: VipView): boolean {
  const routers = Object.values(sessions);
  return state === 'UP' && !withdrawn && (routers.length === 0 || routers.some((up) => up));
}
