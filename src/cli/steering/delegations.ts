import { Resolver } from 'node:dns/promises';
import type { Delegation, Resolving } from '../../observe/ask-delegation.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import type { SteeringReason } from '../../planes/steering/reasons.ts';
import { addressOfNameServer } from '../name-servers.ts';

/** Whether anybody asks the zone of a plan: what its parent delegates to, beside the name servers of the provider. */
export interface Delegated {
  readonly provider: ZonePlan['provider'];
  readonly zone: string;
  /** The name servers of the provider's zone. */
  readonly own: readonly string[];
  readonly parent: Delegation;
}

/** Asks the parent of each zone once. Never rejects. */
export async function delegationsOf(plans: readonly ZonePlan[]): Promise<readonly Delegated[]> {
  const { askDelegation } = await import('../../observe/ask-delegation.ts');
  const zones = [...new Set(plans.map(({ zone }) => zone))];
  const said = await Promise.all(zones.map(async (zone) => [zone, await askDelegation(zone, byResolver())] as const));
  const parents = new Map(said);
  return plans.flatMap((plan): readonly Delegated[] => {
    const { provider, zone } = plan;
    const parent = parents.get(zone);
    return parent === undefined ? [] : [{ provider, zone, own: nameServersIn(plan), parent }];
  });
}

/** The names in the NS record of the provider's zone. */
export function nameServersIn({ zone, state }: Pick<ZonePlan, 'zone' | 'state'>): readonly string[] {
  return state.records.flatMap(({ name, type, target }) =>
    name === zone && type === 'NS' && target.kind === 'values'
      ? target.values.map((value) => value.replace(/\.$/, '').toLowerCase())
      : [],
  );
}

/** True when the parent was asked and leads nobody to the provider's zone. */
export function isUnasked({ own, parent }: Delegated): boolean {
  return 'servers' in parent && !parent.servers.some((name) => own.includes(name));
}

const reason: SteeringReason = 'NotDelegated';

/** Lines for people; none while the parent leads to the provider and to nobody who is unknown here. */
export function renderDelegations(all: readonly Delegated[]): readonly string[] {
  const owns = new Map(
    [...Map.groupBy(all, ({ zone }) => zone)].map(([zone, some]) => [zone, some.flatMap(({ own }) => own)]),
  );
  const lines = all.flatMap((one): readonly string[] => {
    const { provider, zone, own, parent } = one;
    if ('problem' in parent)
      return [`whether the parent of ${zone} leads to ${provider} was not asked: ${parent.problem}`];
    const { servers } = parent;
    if (servers.length === 0)
      return [`! nobody asks ${zone}: its parent ${parent.parent} does not delegate it (${reason})`];
    if (isUnasked(one))
      return [
        `! nobody asks ${zone} at ${provider}: its parent ${parent.parent} delegates it to ${servers.join(', ')}, and not to ${own.join(', ') || 'any of its name servers'} (${reason})`,
      ];
    const others = servers.filter((name) => owns.get(zone)?.includes(name) === false);
    if (others.length === 0) return [];
    return [
      `the parent of ${zone} leads to ${others.join(', ')} as well, which ${others.length === 1 ? 'is' : 'are'} in no NS record of these plans`,
    ];
  });
  return [...new Set(lines)];
}

/** By the resolver of this machine. */
function byResolver(): Resolving {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  return {
    serversOf: (zone) => resolver.resolveNs(zone),
    addressOf: addressOfNameServer,
  };
}
