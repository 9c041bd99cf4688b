import type { OwnObject } from '../kube/objects/own.ts';
import type { EventWish } from '../kube/status/event.ts';
import { apiVersion } from '../model/contract.ts';
import { zonesOfPolicy } from '../model/platform/policy-standing.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Looked } from './steered-status.ts';

/**
 * The Events about the TrafficPolicies of an API of which a zone waits for a person, for as long as it waits, by the reason of the zone. Their notes
 * name no figure and no checksum, which change with every look: each text would be an Event of its own. The status of the policy has them.
 */
export function policyEvents(
  place: string,
  policies: Iterable<OwnObject<string>>,
  { platform, zones, verdicts }: Looked,
): readonly EventWish[] {
  return [...policies].flatMap(({ metadata: { name, uid, generation } }): readonly EventWish[] => {
    const policy = platform.policies.get(name);
    const said = verdicts.find((one) => one.place === place && one.kind === 'TrafficPolicy' && one.name === name);
    if (policy === undefined || said === undefined || said.generation !== generation) return [];
    const object = {
      apiVersion,
      kind: 'TrafficPolicy',
      resource: 'trafficpolicies',
      name,
      ...withoutUndefined({ uid }),
    };
    return zonesOfPolicy(policy, zones).flatMap(({ provider, zone, state, plan, conditions }): readonly EventWish[] => {
      if (state !== 'waits' || plan?.policies.includes(name) !== true) return [];
      const reasons = conditions.flatMap(({ reason, fix, host }) => (fix && host === undefined ? [reason] : []));
      return [...new Set(reasons)].map((reason) => ({
        object,
        type: 'Warning',
        reason,
        note: `the ${provider} zone ${zone} waits for a person: \`tideline steering plan FOLDER\` shows who would move, and the condition InForce of this policy says why it waits and which command applies it.`,
      }));
    });
  });
}
