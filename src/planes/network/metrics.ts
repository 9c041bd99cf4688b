import { Gauge, type Registry } from '../../runtime/metrics.ts';
import type { NetworkNotice, NetworkPlan, NetworkRefusal } from './plan.ts';

export interface NetworkFigures {
  readonly plan: NetworkPlan;
  readonly notices: readonly { readonly reason: string }[];
  /** How many blackholes of ours the kernel has. */
  readonly blackholes: number;
  /** How many `ip rule`s of ours the kernel has. */
  readonly uplinkRules: number;
  readonly refusals: readonly { readonly reason: string }[];
}

export interface NetworkMetrics {
  update(now: NetworkFigures): void;
  /** Returns the refusals that were not in the call before. */
  newRefusals(refusals: readonly NetworkRefusal[]): readonly NetworkRefusal[];
  /** Returns the notices that were not in the call before. */
  newNotices(notices: readonly NetworkNotice[]): readonly NetworkNotice[];
}

export function createNetworkMetrics(registry: Registry | undefined): NetworkMetrics {
  const registers = registry === undefined ? [] : [registry];
  const wanted = new Gauge({
    name: 'tideline_network_routes_wanted',
    help: 'Routes this node wants, by class',
    labelNames: ['class'],
    registers,
  });
  const blackholes = new Gauge({
    name: 'tideline_network_blackholes',
    help: 'Blackhole routes of ours in the kernel',
    registers,
  });
  const uplinkRules = new Gauge({
    name: 'tideline_network_uplink_rules',
    help: 'Rules of ours in the kernel for packets from uplinks to blocks with holes',
    registers,
  });
  const holding = new Gauge({
    name: 'tideline_network_holding',
    help: '1 while too little is known and all that is announced stays, by reason',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Gauge({
    name: 'tideline_network_refusals',
    help: 'What is not announced now although it looks as if it should, by reason',
    labelNames: ['reason'],
    registers,
  });
  const noticed = new Gauge({
    name: 'tideline_network_notices',
    help: 'What is announced all the same although something is wrong about it, by reason',
    labelNames: ['reason'],
    registers,
  });
  const newOf = onlyNew();
  const newNoticesOf = onlyNew();
  return {
    update({ plan, notices, blackholes: installed, uplinkRules: rules, refusals }) {
      const routes = plan.action === 'announce' ? plan.routes : [];
      for (const name of ['pods', 'server'])
        wanted.set({ class: name }, routes.filter((route) => route.class === name).length);
      blackholes.set(installed);
      uplinkRules.set(rules);
      holding.reset();
      if (plan.action === 'hold') holding.set({ reason: plan.reason }, 1);
      refused.reset();
      for (const { reason } of refusals) refused.inc({ reason });
      noticed.reset();
      for (const { reason } of notices) noticed.inc({ reason });
    },
    newRefusals: (refusals) => newOf(refusals),
    newNotices: (notices) => newNoticesOf(notices),
  };
}

/** Makes a function that returns what was not in its last call. */
function onlyNew(): <T extends NetworkRefusal>(now: readonly T[]) => readonly T[] {
  let known = new Set<string>();
  return (now) => {
    const before = known;
    known = new Set(now.map(idOf));
    return now.filter((one) => !before.has(idOf(one)));
  };
}

function idOf({ subject, reason }: NetworkRefusal): string {
  return `${subject} ${reason}`;
}
