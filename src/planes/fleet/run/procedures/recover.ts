import { compareText } from '../../../../model/values.ts';
import type { RunWave, Step } from '../steps.ts';
import { membershipWave } from './membership.ts';
import type { Refusal } from './reasons.ts';
import { having, type Planned, peerOf, refused, type Situation, serverSilent, serverUnknown } from './situation.ts';
import { blindWarnings, call, gate, gatesFor, isControl, restart, returned, signed, start, stop } from './touch.ts';

/** What is done after the worst. API servers stop before anything happens to the data behind them, and start when it is one again. */

export interface Snapshot {
  /** A path on every member, or a place on the file server of Salt. */
  readonly source: string;
  readonly sha256: string;
}

const api = ['kube-apiserver.service'];
const etcd = ['etcd.service'];
const none: ReadonlySet<string> = new Set();
const controllers = ['kube-controller-manager.service', 'kube-scheduler.service'];

/** All data is lost, or wrong: every member begins again from one snapshot. */
export function restoreRun(situation: Situation, cluster: string, { source, sha256 }: Snapshot): Planned {
  const { facts } = situation;
  const { members, controls } = partsOf(situation, cluster);
  const silent = members.filter((server) => facts.silent.has(server));
  const bare = members.filter((server) => facts.bare.has(server));
  if (members.length === 0) return refused(noSurvivor(cluster));
  if (silent.length > 0) return refused(...silent.map(serverSilent));
  if (bare.length > 0 && bare.length < members.length) return refused(...bare.map(diskEmpty));
  const steps: readonly Step[] = [
    ...(bare.length > 0 ? setUp(situation, bare) : []),
    ...stopped(situation, controls, members, bare),
    call(members, 'tideline_etcd.restore', { source, sha256 }),
    start(members, etcd),
    gate('EtcdHealthy', members),
  ];
  return {
    ok: true,
    run: {
      format: 1,
      command: `recover snapshot ${cluster}`,
      waves: [
        { cluster, kind: 'cluster', servers: members, steps },
        ...(bare.length > 0 ? [wholeAgain(cluster, bare)] : []),
        apiAgain(situation, cluster, []),
      ],
      warnings: [
        `everything that was written after the snapshot is lost: objects, leases, and the addresses that pods have taken since`,
        `every watch of ${cluster} ends and lists again; our agents keep what they announce and serve meanwhile`,
      ],
    },
  };
}

/** Every member has an empty disk: etcd comes up on all of them at once, with nothing in it and nobody who reads it, and gets its data after that. */
function setUp({ after: { documents } }: Situation, bare: readonly string[]): readonly Step[] {
  return [...signed(bare, documents, new Set(bare)), { do: 'apply', servers: bare, components: ['common', 'etcd'] }];
}

/** What else the servers have starts when there is data again. */
const wholeAgain = (cluster: string, servers: readonly string[]): RunWave => ({
  cluster,
  kind: 'cluster',
  servers,
  steps: [{ do: 'apply', servers }],
});

/**
 * Most members are lost, one at least is not: the one with the newest data goes on alone, with its revisions raised, and the others that answer join
 * it as new ones. Those that do not are replaced later, each by itself.
 */
export function quorumRun(situation: Situation, cluster: string): Planned {
  const { before, after, facts } = situation;
  const { members, controls } = partsOf(situation, cluster);
  const survivors = members.flatMap((server) => {
    const standing = facts.standings.get(server);
    return standing === undefined || facts.silent.has(server) ? [] : [{ server, ...standing }];
  });
  const [newest] = survivors.toSorted(
    (a, b) => b.revision - a.revision || b.raftIndex - a.raftIndex || compareText(a.server, b.server),
  );
  if (newest === undefined) return refused(noSurvivor(cluster));
  if (facts.members.has(cluster) || survivors.some(({ quorum }) => quorum)) return refused(notLost(cluster));
  const bare = members.filter((server) => facts.bare.has(server));
  const answering = members.filter((server) => !facts.silent.has(server) && !bare.includes(server));
  const others = answering.filter((server) => server !== newest.server);
  const absent = members.filter((server) => facts.silent.has(server));
  const one = [newest.server];
  // What was asked for the plan may be hours old, and a run may go on days after it ended: asked again before each thing that would end a quorum.
  const lost = call(answering, 'tideline_etcd.no_quorum');
  const alone: readonly Step[] = [
    ...stopped(situation, controls, others, bare).flatMap((step) => [lost, step]),
    call(one, 'tideline_etcd.alone'),
    call(one, 'tideline_etcd.snapshot'),
    stop(one, etcd),
    call(one, 'tideline_etcd.restore', { source: 'taken', only: one }),
    start(one, etcd),
  ];
  return {
    ok: true,
    run: {
      format: 1,
      command: `recover quorum ${cluster}`,
      waves: [
        { cluster, kind: 'cluster', servers: answering, steps: alone },
        ...others.map((server) => joinedTo(newest.server, server, situation)),
        ...(absent.length + bare.length === 0
          ? [{ cluster, kind: 'cluster', servers: members, steps: [gate('EtcdHealthy', members)] } as const]
          : []),
        apiAgain(situation, cluster, bare),
      ],
      warnings: [
        `${newest.server} has the newest data of those that answer; what only ${[...absent, ...bare].join(', ') || 'the others'} had is lost`,
        ...unfenced(absent, members),
        ...absent.map(
          (server) => `${server} is no member any more: tideline fleet replace ${server} when it answers again`,
        ),
        ...(bare.length === 0
          ? []
          : [
              `${bare.join(', ')} lost their disks: tideline fleet replace ${bare.join(',')} when this run is finished`,
            ]),
      ],
    },
  };

  function joinedTo(keeper: string, server: string, { after: { documents } }: Situation): RunWave {
    const document = documents.get(server) ?? before.get(server);
    const about = { name: server, peer: document === undefined ? '' : peerOf(document) };
    const steps: readonly Step[] = [
      call([keeper], 'tideline_etcd.add', about),
      call([server], 'tideline_etcd.join', { aside: true }),
      start([server], etcd),
      call([keeper], 'tideline_etcd.promote', about),
    ];
    return { cluster, kind: 'etcd', servers: after.documents.has(server) ? [server] : [], steps };
  }
}

/**
 * Servers that were away for long, one or a rack: certificates may have expired, documents are others. They get both before anything of theirs starts
 * again. A member of etcd that was taken out meanwhile joins as a new one.
 */
export function returnRun(situation: Situation, servers: readonly string[]): Planned {
  const { after, before, facts, apis } = situation;
  const unknown = servers.filter((server) => !after.documents.has(server));
  const silent = servers.filter((server) => facts.silent.has(server));
  if (unknown.length + silent.length > 0) return refused(...unknown.map(serverUnknown), ...silent.map(serverSilent));
  const waves = after.waves
    .map((wave) => ({ ...wave, servers: wave.servers.filter((server) => servers.includes(server)) }))
    .filter((wave) => wave.servers.length > 0)
    .map((wave): RunWave => {
      const [server = ''] = wave.servers;
      const members = facts.members.get(wave.cluster) ?? [];
      const out = wave.kind === 'etcd' && members.length > 0 && !members.some(({ name }) => name === server);
      const keepers = members
        .filter(({ name, healthy, learner }) => healthy && !learner && name !== server && !facts.silent.has(name))
        .map(({ name }) => name)
        .toSorted(compareText);
      const { cluster } = wave;
      if (out) {
        const membership = {
          cluster,
          before,
          documents: after.documents,
          apis,
          keepers,
          silent: facts.silent,
          coming: none,
        };
        return membershipWave({ what: 'replace', server }, membership);
      }
      const { documents } = after;
      const steps: readonly Step[] = [
        ...signed(wave.servers, documents, new Set(wave.servers)),
        { do: 'apply', servers: wave.servers },
        { do: 'restart', servers: wave.servers },
      ];
      const gates = gatesFor(wave, { documents, apis, coming: new Set() });
      // A worker or a blade can only be given back where its cluster's API can be reached.
      const back = wave.servers.filter((server) => isControl(documents.get(server)) || apis.has(wave.cluster));
      return { ...wave, steps: returned(back, steps, gates) };
    });
  return {
    ok: true,
    run: { format: 1, command: `recover servers ${servers.join(' ')}`, waves, warnings: blindWarnings(waves, apis) },
  };
}

function partsOf({ after: { documents } }: Situation, cluster: string) {
  return { members: having(documents, cluster, 'etcd'), controls: having(documents, cluster, 'control-plane') };
}

function stopped(
  { facts }: Situation,
  controls: readonly string[],
  members: readonly string[],
  bare: readonly string[],
): readonly Step[] {
  const answering = controls.filter((server) => !facts.silent.has(server) && !bare.includes(server));
  return [
    ...(answering.length > 0 ? [stop(answering, api)] : []),
    ...(members.length > 0 ? [stop(members, etcd)] : []),
  ];
}

/** What members of the old cluster can do that nobody here can stop. */
function unfenced(absent: readonly string[], members: readonly string[]): readonly string[] {
  if (absent.length === 0) return [];
  const names = absent.join(', ');
  const isQuorum = absent.length > members.length / 2;
  return [
    isQuorum
      ? `nothing keeps ${names} away: when their power returns they are a quorum of the old etcd and go on with the old data beside the new one`
      : `nothing keeps ${names} away: when the power returns, etcd with the old data starts there`,
    `API servers still have ${names} in --etcd-servers, and would read and write there as well`,
    `keep ${names} off the network until "systemctl disable --now etcd" was given there`,
  ];
}

/** Everything that held a view of the old data starts anew. */
function apiAgain({ after: { documents }, facts }: Situation, cluster: string, bare: readonly string[]): RunWave {
  const all = having(documents, cluster, 'control-plane');
  const controls = all.filter((server) => !facts.silent.has(server) && !bare.includes(server));
  const workers = having(documents, cluster, 'worker').filter((server) => !facts.silent.has(server));
  return {
    cluster,
    kind: 'cluster',
    servers: controls,
    steps: [
      start(controls, api),
      restart(controls, controllers),
      ...(controls.length === all.length ? [gate('ApiReady', controls)] : []),
      gate('VipHeld', controls),
      ...(workers.length > 0 ? [gate('NodesReady', workers)] : []),
    ],
  };
}

const noSurvivor = (cluster: string): Refusal => ({
  reason: 'NoSurvivor',
  message: `no member of the etcd of ${cluster} has data`,
  fix: 'restore a snapshot: tideline fleet recover --snapshot',
});
const diskEmpty = (server: string): Refusal => ({
  reason: 'DiskEmpty',
  message: `${server} has lost its disk, and others have not`,
  fix: 'tideline fleet recover --quorum where most members are lost, otherwise tideline fleet replace',
});
const notLost = (cluster: string): Refusal => ({
  reason: 'MemberHealthy',
  message: `the etcd of ${cluster} has a quorum`,
  fix: 'replace the members that are lost: tideline fleet replace',
});
