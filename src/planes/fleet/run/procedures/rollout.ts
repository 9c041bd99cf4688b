import type { EdgePool } from '../../../../model/spec/kinds.ts';
import { compareText } from '../../../../model/values.ts';
import type { Wave } from '../../compile/waves.ts';
import type { RunWave, Step } from '../steps.ts';
import { feltBy } from './felt.ts';
import { membershipWave } from './membership.ts';
import { againstQuorum, againstTouch, illFirst, memberSteps } from './quorum.ts';
import type { Refusal } from './reasons.ts';
import {
  type Documents,
  hasRole,
  having,
  type Member,
  type Planned,
  refused,
  type Situation,
  unitsOf,
} from './situation.ts';
import { blindWarnings, call, gate, retire, touched } from './touch.ts';
import { upgradedIn } from './upgrade.ts';

/** What a run is asked to do to servers. Whoever is in none of the lists is touched only where the others change its document. */
export interface Rollout {
  readonly command: string;
  /** Servers whose document is another one now, and that are to get it. */
  readonly changed: ReadonlySet<string>;
  /** Servers that were set up anew: they have a name that is known, and nothing else. */
  readonly again?: ReadonlySet<string>;
  /** Servers that have no document any more and are to stop. */
  readonly leave?: ReadonlySet<string>;
  readonly warnings?: readonly string[];
}

const none: ReadonlySet<string> = new Set();

/**
 * Members of etcd first, so that their majority is never touched by two things at once; then control planes one by one, workers, blades; and at
 * last whoever leaves, when those that stay are well.
 */
export function rollout(situation: Situation, asked: Rollout): Planned {
  const { before, after, facts, apis } = situation;
  const { changed, again = none, leave = none } = asked;
  const fresh = new Set([...changed, ...again].filter((server) => again.has(server) || !before.has(server)));
  const felt = feltBy([...changed, ...again], before, after.documents);
  const clusters = clustersOf([...changed, ...again, ...leave], before, after.documents);
  const plans = clusters.map((cluster) => membershipOf(cluster, situation, { changed, again, leave }));
  const members = new Set(plans.flatMap(({ moved }) => moved));
  const rest = new Set([...changed, ...again].filter((server) => !members.has(server)));
  const said = (cluster: string) => (facts.members.get(cluster) ?? []).filter(({ name }) => !members.has(name));
  const refusals = [
    ...plans.flatMap(({ refusals: some }) => some),
    ...clusters.flatMap((cluster) => againstTouch(said(cluster), [...rest])),
    ...againstLeaving(situation, leave),
    ...againstUpgrade(situation, [...changed, ...again]),
  ];
  if (refusals.length > 0) return refused(...refusals);
  const waves = clusters.flatMap((cluster, index) => {
    const own = wavesFor(cluster, after.waves, rest).toSorted(
      (a, b) => illFirst(said(cluster), a.servers) - illFirst(said(cluster), b.servers),
    );
    const isControl = ({ kind }: Wave) => kind === 'etcd' || kind === 'control-plane';
    const ordered = [...own.filter(isControl), ...own.filter((wave) => !isControl(wave))];
    return [
      ...(plans[index]?.waves ?? []),
      ...ordered.map((wave, place) => {
        const later = ordered.slice(place + 1).flatMap(({ servers }) => servers);
        const coming = new Set(later.filter((server) => fresh.has(server)));
        return touched(wave, { documents: after.documents, fresh, again, felt, apis, coming });
      }),
      ...goodbyes(
        cluster,
        situation,
        [...leave].filter((server) => !members.has(server)),
      ),
    ];
  });
  const silent = [...leave].filter((server) => facts.silent.has(server));
  const warnings = [
    ...(asked.warnings ?? []),
    ...blindWarnings(waves, apis),
    ...silent.map(
      (server) =>
        `${server} does not answer and is left out: what it runs is to be stopped before it is back in the network`,
    ),
  ];
  return {
    ok: true,
    run: { format: 1, command: asked.command, waves: waves.filter(({ steps }) => steps.length > 0), warnings },
  };
}

function clustersOf(servers: readonly string[], before: Documents, after: Documents): readonly string[] {
  const clusters = servers.flatMap((server) => (after.get(server) ?? before.get(server))?.server.cluster ?? []);
  return [...new Set(clusters)].toSorted(compareText);
}

/** A cluster of which no member of etcd ever had a document. */
function isNew(cluster: string, { before }: Situation): boolean {
  return having(before, cluster, 'etcd').length === 0;
}

function wavesFor(cluster: string, waves: readonly Wave[], servers: ReadonlySet<string>): readonly Wave[] {
  return waves
    .filter((wave) => wave.cluster === cluster)
    .map((wave) => ({ ...wave, servers: wave.servers.filter((server) => servers.has(server)) }))
    .filter((wave) => wave.servers.length > 0);
}

type Sets = Required<Pick<Rollout, 'changed' | 'again' | 'leave'>>;

interface MembershipPlan {
  readonly waves: readonly RunWave[];
  /** The servers that come or go in them. */
  readonly moved: readonly string[];
  readonly refusals: readonly Refusal[];
}

const nothing: MembershipPlan = { waves: [], moved: [], refusals: [] };

/** The waves in which the membership of a running etcd changes, or why it must not. */
function membershipOf(cluster: string, situation: Situation, { changed, again, leave }: Sets): MembershipPlan {
  const { before, after, facts, apis } = situation;
  if (isNew(cluster, situation)) return nothing;
  const [old, now] = [having(before, cluster, 'etcd'), having(after.documents, cluster, 'etcd')];
  const change = {
    join: now.filter((server) => changed.has(server) && !old.includes(server)),
    replace: now.filter((server) => again.has(server) && old.includes(server)),
    leave: old.filter((server) => leave.has(server) && !now.includes(server)),
  };
  const moved = [...change.join, ...change.replace, ...change.leave];
  if (moved.length === 0) return nothing;
  const said = facts.members.get(cluster);
  if (said === undefined) return { ...nothing, moved, refusals: [unknownMembers(cluster)] };
  const members = afterLoss(said, change.replace);
  const steps = memberSteps(members, change);
  const keepers = keepersOf(members, [...change.leave, ...change.replace], facts.silent);
  const well = healthyOnes(said, change.replace);
  // Members that are well and would be replaced are refused for that alone; that they count as lost would be no fact.
  const refusals = well.length > 0 ? well : againstQuorum(members, steps);
  const membership = { cluster, before, documents: after.documents, apis, keepers, silent: facts.silent };
  const waves = steps.map((step, index) => {
    const later = steps.slice(index + 1).filter(({ what }) => what !== 'leave');
    return membershipWave(step, { ...membership, coming: new Set(later.map(({ server }) => server)) });
  });
  const gone = { cluster, kind: 'cluster', servers: now, steps: [gate('EtcdHealthy', now)] } as const;
  return { waves: [...waves, gone], moved, refusals };
}

/** A member that is replaced has lost its data, whatever the others still think of it. */
function afterLoss(members: readonly Member[], lost: readonly string[]): readonly Member[] {
  return members.map((member) => (lost.includes(member.name) ? { ...member, healthy: false } : member));
}

function keepersOf(members: readonly Member[], not: readonly string[], silent: ReadonlySet<string>): readonly string[] {
  return members
    .filter(({ name, healthy, learner }) => healthy && !learner && !not.includes(name) && !silent.has(name))
    .map(({ name }) => name)
    .toSorted(compareText);
}

const unknownMembers = (cluster: string): Refusal => ({
  reason: 'MembersUnknown',
  message: `no member of the etcd of ${cluster} says who its members are`,
  fix: `bring its members back, or run tideline fleet recover for ${cluster}`,
});

function healthyOnes(members: readonly Member[], replaced: readonly string[]): readonly Refusal[] {
  return members
    .filter(({ name, healthy, learner }) => healthy && !learner && replaced.includes(name))
    .map(({ name }) => ({
      reason: 'MemberHealthy',
      message: `${name} is a healthy member of etcd`,
      fix: `stop its etcd first if its disk is to be replaced: systemctl stop etcd`,
    }));
}

/** Whoever leaves and is no member of etcd: emptied, then stopped, then forgotten by the API. Of one that is dead only the last is left. */
function goodbyes(
  cluster: string,
  { before, after, apis, facts }: Situation,
  leave: readonly string[],
): readonly RunWave[] {
  return leave
    .filter((server) => before.get(server)?.server.cluster === cluster)
    .flatMap((server): readonly RunWave[] => {
      const document = before.get(server);
      if (document === undefined) return [];
      const control = hasRole(document, 'control-plane');
      const kind = control ? 'control-plane' : hasRole(document, 'blade') ? 'blade' : 'worker';
      const forgotten: readonly Step[] =
        kind === 'worker' && apis.has(cluster) ? [{ do: 'forget', servers: [server] }] : [];
      if (facts.silent.has(server)) return [{ cluster, kind, servers: [server], steps: forgotten }];
      const empty: readonly Step[] = control
        ? [call([server], 'tideline_drain.withdraw_api')]
        : apis.has(cluster)
          ? [{ do: 'drain', servers: [server] }]
          : [];
      const stopped = [...empty, retire([server], unitsOf(document))];
      const others = having(after.documents, cluster, 'control-plane').filter((name) => before.has(name));
      const last: readonly Step[] = control
        ? [gate('ApiReady', others), gate('VipHeld', others)]
        : kind === 'blade' && apis.has(cluster)
          ? [{ do: 'return', servers: [server] }]
          : forgotten;
      return [{ cluster, kind, servers: [server], steps: [...stopped, ...last] }];
    });
}

/** Versions change by an upgrade alone, which keeps their order. */
function againstUpgrade({ before, after }: Situation, servers: readonly string[]): readonly Refusal[] {
  const documents = new Map([...after.documents].filter(([id]) => servers.includes(id)));
  return upgradedIn(before, documents).map((cluster) => ({
    reason: 'UpgradeFirst',
    message: `etcd or the API server of ${cluster} would get another version on the way`,
    fix: `run tideline fleet upgrade ${cluster} first, or name in the Fleet the versions that run`,
  }));
}

/** What nobody may take from a cluster. */
function againstLeaving({ before, after, pools }: Situation, leave: ReadonlySet<string>): readonly Refusal[] {
  const clusters = clustersOf([...leave], before, after.documents);
  const last = (['control-plane', 'worker'] as const).flatMap((role) =>
    clusters
      .filter((cluster) => having(before, cluster, role).some((server) => leave.has(server)))
      .filter((cluster) => having(after.documents, cluster, role).length === 0)
      .map(
        (cluster): Refusal => ({
          reason: role === 'worker' ? 'LastWorker' : 'LastControlPlane',
          message: `${cluster} would have no ${role === 'worker' ? 'worker' : 'control plane'}`,
          fix: 'add another one first',
        }),
      ),
  );
  return [...last, ...pools.flatMap((pool) => tooSmall(pool, before, leave))];
}

function tooSmall({ metadata, spec }: EdgePool, before: Documents, leave: ReadonlySet<string>): readonly Refusal[] {
  const blades = spec.blades.map(({ name }) => name);
  const stay = blades.filter((name) => !leave.has(name) && before.has(name));
  const cluster = [...leave].some(
    (server) => hasRole(before.get(server), 'blade') && before.get(server)?.server.cluster === spec.cluster,
  );
  if (!cluster || stay.length >= spec.minAnnouncers) return [];
  return [
    {
      reason: 'PoolTooSmall',
      message: `${metadata.name} would have ${stay.length} blades, and ${spec.minAnnouncers} must announce its addresses`,
      fix: 'add a blade first',
    },
  ];
}
