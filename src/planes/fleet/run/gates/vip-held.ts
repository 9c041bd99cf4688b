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
    const routers = new Map(own.map((server) => [server, routersOf(world, server)]));
    return judgeVip(await ask(context, own, 'tideline_health.vip', VipView), routers);
  };
}

/** The routers to which a control plane announces by its document. */
export function routersOf({ documents }: Pick<FleetWorld, 'documents'>, server: string): readonly string[] {
  const files = documents.get(server)?.components.find(({ name }) => name === 'exabgp')?.files ?? {};
  const texts = Object.entries(files).flatMap(([path, { text }]) => (path.endsWith('/exabgp.conf') ? [text] : []));
  return texts.flatMap((text) => [...text.matchAll(/^neighbor (\S+) \{$/gm)].map(([, router = '']) => router));
}

/** `routers`: those that each server should have, whatever it says. */
export function judgeVip(
  { said, problems }: Heard<VipView>,
  routers: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  return missing([
    ...unheard(problems),
    ...[...said].flatMap(([server, view]) =>
      against(view, routers.get(server) ?? []).map((clause) => `${server} ${clause}`),
    ),
  ]);
}

function against(view: VipView, routers: readonly string[]): readonly string[] {
  const all = [...new Set([...Object.keys(view.sessions), ...routers])];
  const down = all.filter((router) => view.sessions[router] !== true);
  const [prefix = 'the VIP'] = view.prefixes;
  return [
    ...(view.prefixes.length === 0 ? ['has no address to announce'] : []),
    ...(view.withdrawn ? [`has withdrawn ${prefix} until it is returned`] : []),
    ...(view.withdrawn || view.state === 'UP'
      ? []
      : [`does not announce ${prefix} (${view.state ?? 'no health check'})`]),
    ...view.missing.map((one) => `does not have ${one} on its loopback interface`),
    ...down.map((router) => `has no session with ${router}`),
  ];
}

/** Whether this control plane takes requests for the VIP now, by one router at least where it should have any. */
export function isHeld({ prefixes, state, withdrawn, sessions }: VipView, routers: readonly string[]): boolean {
  const all = Object.values(sessions);
  const isHeard = all.some((up) => up) || (all.length === 0 && routers.length === 0);
  return prefixes.length > 0 && state === 'UP' && !withdrawn && isHeard;
}
