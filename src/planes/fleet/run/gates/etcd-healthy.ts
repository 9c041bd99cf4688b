import { z } from 'zod';
import { ask, type Heard } from '../ask.ts';
import type { Gate } from '../handlers.ts';
import { type FleetWorld, serversOf } from '../world.ts';
import { missing, unheard } from './texts.ts';

/** What `tideline_health.etcd` says: the cluster as one member sees it. */
export const EtcdView = z.object({
  self: z.string().nullable(),
  leader: z.string().nullable(),
  members: z.record(
    z.string(),
    z.object({
      name: z.string(),
      learner: z.boolean(),
      urls: z.array(z.string()),
      healthy: z.boolean(),
      problem: z.string().optional(),
      raftIndex: z.number().optional(),
    }),
  ),
  alarms: z.array(z.object({ member: z.string(), alarm: z.string() })),
});
export type EtcdView = z.infer<typeof EtcdView>;
type Member = EtcdView['members'][string];

/** So many entries a member may be behind: under load they are not asked at the same moment. */
const mostBehind = 1000;

/** Every member that the spec has is there, healthy, a voter and as far as the others, and no other is; one more may be lost. */
export function etcdHealthy(world: FleetWorld): Gate {
  return async (_, context) => {
    const expected = serversOf(world, context.wave.cluster, 'etcd');
    return judgeEtcd(expected, await ask(context, expected, 'tideline_health.etcd', EtcdView));
  };
}

/** What is missing for etcd to be well with exactly these members. The view of the member that sees the most counts. */
export function judgeEtcd(expected: readonly string[], { said, problems }: Heard<EtcdView>): string | undefined {
  const views = [...said.values()].toSorted((a, b) => healthyIn(b) - healthyIn(a));
  const [view] = views;
  if (view === undefined) return missing(['no member answers', ...unheard(problems)]);
  const members = Object.values(view.members);
  const names = new Set(members.map(({ name }) => name));
  const learners = new Set(members.flatMap(({ name, learner }) => (learner ? [name] : [])));
  return missing([
    // A learner cannot say who the members are, and is named as one.
    ...unheard(new Map([...problems].filter(([server]) => !learners.has(server)))),
    ...expected.filter((name) => !names.has(name)).map((name) => `${name} is no member`),
    ...members.flatMap((member) => against(member, expected)),
    ...alarmsIn(view),
    ...behind(members),
    ...(view.leader === null ? ['members do not agree on a leader'] : []),
    ...spare(members, expected),
  ]);
}

const healthyIn = ({ members }: EtcdView) => Object.values(members).filter(({ healthy }) => healthy).length;

function against({ name, learner, urls, healthy, problem }: Member, expected: readonly string[]): readonly string[] {
  if (name === '') return ['a member that was added has not started yet'];
  return [
    ...(expected.includes(name) ? [] : [`${name} is a member that the spec does not have`]),
    ...(learner ? [`${name} is a learner, which has no vote`] : []),
    ...(healthy ? [] : [`${name} is not healthy (${problem ?? `${urls.join(', ') || 'no URL'} does not answer`})`]),
  ];
}

function alarmsIn({ alarms, members }: EtcdView): readonly string[] {
  return alarms.map(({ member, alarm }) => `${members[member]?.name ?? member} has the alarm ${alarm}`);
}

function behind(members: readonly Member[]): readonly string[] {
  const newest = Math.max(0, ...members.map(({ raftIndex = 0 }) => raftIndex));
  return members.flatMap(({ name, raftIndex }) =>
    raftIndex !== undefined && newest - raftIndex > mostBehind
      ? [`${name} is ${newest - raftIndex} entries behind`]
      : [],
  );
}

/** A cluster that is meant to have one member, or two, never has one to spare. */
function spare(members: readonly Member[], expected: readonly string[]): readonly string[] {
  const voters = members.filter(({ learner }) => !learner);
  const healthy = voters.filter((member) => member.healthy).length;
  const quorum = Math.floor(voters.length / 2) + 1;
  if (expected.length < 3 || healthy - 1 >= quorum) return [];
  return [`${healthy} of ${voters.length} voters are healthy: one more that is lost takes the quorum with it`];
}
