import { z } from 'zod';
import { sleep } from '../../../../runtime/clock.ts';
import { ask } from '../ask.ts';
import { EtcdView } from '../gates/etcd-healthy.ts';
import { isHeld, routersOf, VipView } from '../gates/vip-held.ts';
import { serversOf } from '../world.ts';
import type { DrainContext } from './context.ts';
import type { DrainFault } from './evict.ts';

const Moved = z.object({ moved: z.boolean(), to: z.string().optional(), problem: z.string().optional() });
const Told = z.object({ state: z.string().nullable() });

/**
 * A member of etcd gives the lead away before it is touched: an election in the middle of a stop costs a second. One that cannot say whether it has the
 * lead is touched only where others say who else has it, or where its etcd does not run: what is down must stay repairable.
 */
export async function handOver(members: readonly string[], context: DrainContext): Promise<readonly DrainFault[]> {
  const { said, problems } = await ask(context, members, 'tideline_drain.move_etcd_leader', Moved);
  const stuck = new Map<string, string>();
  for (const [server, { to, problem }] of said) {
    if (to !== undefined) context.say(`etcd is led by ${to}, and no longer by ${server}`);
    if (problem !== undefined) stuck.set(server, problem);
  }
  const leads = await mayLead([...stuck.keys()], context);
  for (const [server, problem] of stuck)
    if (!leads.has(server)) context.say(`${server} is not asked to hand the lead of etcd over: ${problem}`);
  return refusals(new Map([...problems, ...[...stuck].filter(([server]) => leads.has(server))]));
}

/** Of members that do not know it themselves, those that run and may have the lead. */
async function mayLead(members: readonly string[], context: DrainContext): Promise<ReadonlySet<string>> {
  const all = serversOf(context.world, context.cluster, 'etcd');
  // An only member has nobody to hand the lead to.
  if (members.length === 0 || all.length === 1) return new Set();
  const others = all.filter((server) => !members.includes(server));
  const views = await ask(context, others, 'tideline_health.etcd', EtcdView);
  const leaders = [...views.said.values()].flatMap((view) => view.members[view.leader ?? '']?.name ?? []);
  const running = await ask(context, members, 'service.get_running', z.array(z.string()));
  return new Set(
    members.filter((server) => {
      const isDown = running.said.get(server)?.every((unit) => unit.replace(/\.service$/, '') !== 'etcd') ?? false;
      const isOther = leaders.length > 0 && !leaders.includes(server);
      return !isDown && !isOther;
    }),
  );
}

/**
 * Control planes withdraw the API's address, and wait for the routers, while their API servers still answer. Where there is another control
 * plane, one must announce it.
 */
export async function withdrawApi(servers: readonly string[], context: DrainContext): Promise<readonly DrainFault[]> {
  const { world, cluster, clock, routersMs } = context;
  if (servers.length === 0) return [];
  const others = serversOf(world, cluster, 'control-plane').filter((server) => !servers.includes(server));
  const { said } = await ask(context, others, 'tideline_health.vip', VipView);
  if (others.length > 0 && ![...said].some(([server, view]) => isHeld(view, routersOf(world, server)))) {
    const message = `of ${others.join(', ')} none announces the API's address`;
    return [{ reason: 'NoOtherApi', message }];
  }
  const { problems } = await ask(context, servers, 'tideline_drain.withdraw_api', Told);
  if (problems.size === 0) await sleep(clock, routersMs);
  return refusals(problems);
}

export async function announceApi(servers: readonly string[], context: DrainContext): Promise<readonly DrainFault[]> {
  const { problems } = await ask(context, servers, 'tideline_drain.announce_api', Told);
  return refusals(problems);
}

function refusals(problems: ReadonlyMap<string, string>): readonly DrainFault[] {
  return [...problems].map(([server, problem]) => ({ reason: 'ServerRefuses', message: `${server}: ${problem}` }));
}
