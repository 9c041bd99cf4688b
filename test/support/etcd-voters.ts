import { z } from 'zod';
import type { BootedCluster } from './booted-cluster.ts';

const Members = z.object({
  members: z.array(z.object({ name: z.string(), healthy: z.boolean(), learner: z.boolean() })),
});

/** The members of etcd, as one of them says, that have a vote and are well. */
export async function votersBy({ operator }: BootedCluster, member: string): Promise<readonly string[]> {
  const { members } = Members.parse(await operator.call(member, 'tideline_etcd.members'));
  return members.filter(({ healthy, learner }) => healthy && !learner).map(({ name }) => name);
}
