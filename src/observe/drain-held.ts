import { drainsOfCluster } from '../model/platform/drains.ts';
import { clustersOfPolicy, failbackOf } from '../model/platform/policies.ts';
import type { Platform } from '../model/spec/platform.ts';

/**
 * The policies of clusters that a change of drains takes out of service or brings back, and of which a zone may hold clusters back that were
 * down: who is led where then is in the zone alone, which is not read here.
 */
export function heldPerhaps(before: Platform, after: Platform, nowMs: number): readonly string[] {
  const isOut = (platform: Platform, name: string): boolean => drainsOfCluster(platform, name, nowMs).length > 0;
  const changed = [...after.clusters.keys()].filter((name) => isOut(before, name) !== isOut(after, name));
  return [...after.policies.values()].flatMap((policy) => {
    const rule = failbackOf(policy);
    if (rule === undefined || !clustersOfPolicy(policy).some((name) => changed.includes(name))) return [];
    return [
      `whether a zone of policy ${policy.metadata.name} holds back a cluster that was down (spec.failback ${rule.mode}); its users are not where they are supposed here, and tideline steering plan says who moves`,
    ];
  });
}
