import type { Refusal } from './reasons.ts';
import type { Member } from './situation.ts';

/** What is done to the membership of an etcd, one after the other; each step keeps a majority, or the whole is refused. */
export type MemberStep =
  | { readonly what: 'join'; readonly server: string }
  /** The dead member goes out and comes in again as a new one. */
  | { readonly what: 'replace'; readonly server: string }
  | { readonly what: 'leave'; readonly server: string };

export interface MemberChange {
  readonly join: readonly string[];
  readonly replace: readonly string[];
  readonly leave: readonly string[];
}

/** Who is dead goes first, because it counts against the majority; who is well stays until the new ones are there. */
export function memberSteps(members: readonly Member[], { join, replace, leave }: MemberChange): readonly MemberStep[] {
  const dead = (server: string) => members.some(({ name, healthy }) => name === server && !healthy);
  const there = (server: string) => members.some(({ name, learner }) => name === server && !learner);
  const leader = (server: string) => members.some((member) => member.name === server && member.leader);
  const last = leave.filter((server) => !dead(server)).toSorted((a, b) => Number(leader(a)) - Number(leader(b)));
  return [
    ...leave.filter(dead).map((server) => ({ what: 'leave', server }) as const),
    ...replace.map((server) => ({ what: 'replace', server }) as const),
    ...join.filter((server) => !there(server)).map((server) => ({ what: 'join', server }) as const),
    ...last.map((server) => ({ what: 'leave', server }) as const),
  ];
}

/** The steps after which, or in which, too few members would be healthy. */
export function againstQuorum(members: readonly Member[], steps: readonly MemberStep[]): readonly Refusal[] {
  const voters = new Map(members.filter(({ learner }) => !learner).map(({ name, healthy }) => [name, healthy]));
  const lost = (why: string): Refusal => {
    const healthy = [...voters.values()].filter(Boolean).length;
    return {
      reason: 'QuorumWouldBeLost',
      message: `${why}: ${healthy} of ${voters.size} voters would be healthy, ${majority(voters.size)} are needed`,
      fix: 'bring the members back that are not healthy, or recover the cluster',
    };
  };
  for (const { what, server } of steps) {
    if (!holds(voters)) return [lost(`before ${server} changes`)];
    if (what === 'leave') voters.delete(server);
    else if (what === 'replace') voters.delete(server);
    if (voters.size === 0) return [lost(`without ${server}`)];
    if (!holds(voters)) return [lost(`without ${server}`)];
    if (what !== 'leave') voters.set(server, true);
  }
  return [];
}

/** Members that are touched may be restarted. One that is ill comes first, because nobody else can be spared before it is well again. */
export function illFirst(members: readonly Member[], servers: readonly string[]): number {
  return members.some(({ name, healthy }) => !healthy && servers.includes(name)) ? 0 : 1;
}

/** Members that are ill and would not be touched, while others are. */
export function againstTouch(members: readonly Member[], touched: readonly string[]): readonly Refusal[] {
  const voters = members.filter(({ learner }) => !learner);
  if (!voters.some(({ name }) => touched.includes(name))) return [];
  return voters
    .filter(({ name, healthy }) => !healthy && !touched.includes(name))
    .map(({ name }) => ({
      reason: 'QuorumWouldBeLost',
      message: `${name} is not healthy, so that no other member of its etcd can be restarted`,
      fix: `bring it back, or run tideline fleet replace ${name}`,
    }));
}

function holds(voters: ReadonlyMap<string, boolean>): boolean {
  return [...voters.values()].filter(Boolean).length >= majority(voters.size);
}

const majority = (voters: number): number => Math.floor(voters / 2) + 1;
