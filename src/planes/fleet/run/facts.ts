import { z } from 'zod';
import { compareText } from '../../../model/values.ts';
import { ask } from './ask.ts';
import { type Documents, type Facts, hasRole, type Member, type Standing } from './procedures/situation.ts';
import type { Called, Reach } from './reach.ts';

/** What servers say before a procedure is planned. */

const Members = z.object({
  members: z.array(
    z.object({
      name: z.string(),
      peers: z.array(z.string()),
      healthy: z.boolean(),
      learner: z.boolean(),
      leader: z.boolean(),
    }),
  ),
});
const StandingView = z.object({
  quorum: z.boolean(),
  raftIndex: z.number().default(0),
  revision: z.number().optional(),
  bare: z.boolean().default(false),
});
const Running = z.array(z.string());

export interface Asked {
  readonly reach: Pick<Reach, 'call'>;
  readonly signal: AbortSignal;
  readonly before: Documents;
  readonly after: Documents;
  /** The servers that a procedure is about; whoever shares a cluster with them is asked as well. */
  readonly servers: readonly string[];
}

export async function factsOf(asked: Asked): Promise<Facts> {
  const { reach, signal, before, after, servers } = asked;
  const documents = new Map([...before, ...after]);
  const clusters = new Set(servers.flatMap((server) => documents.get(server)?.server.cluster ?? []));
  const all = [...documents.values()]
    .filter(({ server }) => clusters.has(server.cluster))
    .map(({ server }) => server.id)
    .toSorted(compareText);
  const pinged = all.length === 0 ? new Map() : await reach.call(all, 'test.ping', {}, signal);
  const silent = new Set(all.filter((server) => !isTrue(pinged.get(server))));
  const awake = all.filter((server) => !silent.has(server));
  const etcds = awake.filter((server) => hasRole(documents.get(server), 'etcd'));
  const [members, { standings, bare }, foreign] = await Promise.all([
    membersOf(asked, etcds, documents),
    standingsOf(asked, etcds),
    foreignOf(
      asked,
      awake.filter((server) => !before.has(server)),
    ),
  ]);
  return { silent, members, standings, bare, foreign };
}

function isTrue(called: Called | undefined): boolean {
  return called !== undefined && 'value' in called && called.value === true;
}

/** The view of the first member that has a quorum behind it, for each cluster. */
async function membersOf(
  asked: Asked,
  etcds: readonly string[],
  documents: Documents,
): Promise<ReadonlyMap<string, readonly Member[]>> {
  const running = etcds.filter((server) => asked.before.has(server));
  const { said } = await ask(asked, running, 'tideline_etcd.members', Members);
  const found = new Map<string, readonly Member[]>();
  for (const [server, { members }] of said) {
    const cluster = documents.get(server)?.server.cluster ?? '';
    if (found.has(cluster)) continue;
    found.set(
      cluster,
      members.map(({ peers, ...member }) => ({ ...member, peer: peers[0] ?? '' })),
    );
  }
  return found;
}

/** Members with data, whether they are one cluster or not. */
async function standingsOf(asked: Asked, etcds: readonly string[]): Promise<Pick<Facts, 'standings' | 'bare'>> {
  const { said } = await ask(asked, etcds, 'tideline_etcd.standing', StandingView);
  const standings = [...said].flatMap(([server, { quorum, raftIndex, revision }]): readonly [string, Standing][] =>
    revision === undefined ? [] : [[server, { quorum, raftIndex, revision }]],
  );
  const bare = [...said].flatMap(([server, one]) => (one.bare && asked.before.has(server) ? [server] : []));
  return { standings: new Map(standings), bare: new Set(bare) };
}

/** Services of new servers that a document has: the machine was something else before. */
async function foreignOf(asked: Asked, fresh: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { said } = await ask(asked, fresh, 'service.get_running', Running);
  const ours = new Set(
    [...asked.after.values()]
      .flatMap(({ components }) => components.flatMap(({ units }) => Object.keys(units)))
      .map((unit) => unit.replace(/\.service$/, '')),
  );
  return new Map(
    [...said].flatMap(([server, running]) => {
      const foreign = running.map((unit) => unit.replace(/\.service$/, '')).filter((unit) => ours.has(unit));
      return foreign.length === 0 ? [] : [[server, foreign.toSorted(compareText)] as const];
    }),
  );
}
