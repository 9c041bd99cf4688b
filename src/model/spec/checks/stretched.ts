import { siteOfQuorum } from '../../platform/fleets.ts';
import { type Objects, problemAt, type SpecProblem, valid } from '../objects.ts';

/**
 * Fleets whose etcd is stretched over sites in vain: the loss of one site ends the cluster all the same, and each write waits for the way between the sites. It is a
 * warning, because two sites cannot do better and somebody may want the slower etcd nevertheless.
 */
export function stretchedEtcd(objects: Objects): readonly SpecProblem[] {
  const servers = valid(objects.Server.byName.values()).map(({ value }) => value);
  return valid(objects.Fleet.byName.values()).flatMap(({ at, value }) => {
    const members = servers.filter(
      ({ spec }) => spec.state === 'active' && spec.cluster === value.spec.cluster && spec.roles.includes('etcd'),
    );
    const found = siteOfQuorum(members);
    if (found === undefined) return [];
    return problemAt(at, ['spec', 'cluster'], {
      reason: 'EtcdStretched',
      message: `etcd stands in several sites, and ${found.site} has ${found.members.length} of its ${members.length} members (${found.members
        .map(({ metadata }) => metadata.name)
        .join(', ')}): the loss of ${found.site} is the loss of the quorum, and every write waits for another site`,
      expected: 'members in three sites or more, of which none has half of them, or all in one site',
      fix: 'give the role to a server of a third site, or make a cluster for each site and let steering lead users from one to the other',
    });
  });
}
