import { compareVersions, versionNumbers } from '../../../../model/version.ts';
import type { ServerDocument } from '../../compile/document.ts';
import type { Wave } from '../../compile/waves.ts';
import type { RunWave, Step } from '../steps.ts';
import { feltBy } from './felt.ts';
import { againstTouch, illFirst } from './quorum.ts';
import type { Refusal } from './reasons.ts';
import { type Documents, hasRole, having, type Planned, refused, type Situation } from './situation.ts';
import { blindWarnings, call, drained, gatesFor, restart, type Touch, touched } from './touch.ts';

/** Which servers are upgraded: those of a cluster, or only the agents of a pool or a site. */
export type UpgradeOf =
  | { readonly cluster: string }
  | { readonly cluster: string; readonly agentsOf: { readonly name: string; readonly servers: ReadonlySet<string> } };

/**
 * Other versions of programs come true: first a snapshot that was restored once, then etcd, then the API servers, then the controllers, which must not
 * be newer than any API server that answers them, then workers, whose kubelet must not be newer either, and blades.
 */
export function upgradeRun(situation: Situation, of: UpgradeOf): Planned {
  const { before, after } = situation;
  const agents = 'agentsOf' in of ? of.agentsOf : undefined;
  const changed = [...after.documents.values()].filter(
    (document) =>
      document.server.cluster === of.cluster &&
      before.has(document.server.id) &&
      JSON.stringify(before.get(document.server.id)) !== JSON.stringify(document) &&
      agents?.servers.has(document.server.id) !== false,
  );
  const refusals = agents === undefined ? againstVersions(changed, before) : againstOthers(changed, before);
  if (refusals.length > 0) return refused(...refusals);
  const names = new Set(changed.map(({ server }) => server.id));
  const command = `upgrade ${agents?.name ?? of.cluster}`;
  const waves = after.waves
    .filter(({ cluster }) => cluster === of.cluster)
    .map((wave) => ({ ...wave, servers: wave.servers.filter((server) => names.has(server)) }))
    .filter(({ servers }) => servers.length > 0);
  const isControl = ({ kind }: Wave) => kind === 'etcd' || kind === 'control-plane';
  const touch: Touch = {
    documents: after.documents,
    fresh: new Set(),
    again: new Set(),
    felt: feltBy(names, before, after.documents),
    apis: situation.apis,
    coming: new Set(),
  };
  const controls = waves.filter(isControl).toSorted((a, b) => order(a, situation) - order(b, situation));
  const keeper = keeperOf(situation, of.cluster);
  if (controls.length > 0 && keeper === undefined) return refused(unknownMembers(of.cluster));
  const ill = againstTouch(situation.facts.members.get(of.cluster) ?? [], [...names]);
  if (ill.length > 0) return refused(...ill);
  return {
    ok: true,
    run: {
      format: 1,
      command,
      warnings: blindWarnings(waves, situation.apis),
      waves: [
        ...(controls.length > 0 && keeper !== undefined ? [snapshotWave(of.cluster, keeper)] : []),
        ...controlWaves(controls, situation, touch),
        ...waves.filter((wave) => !isControl(wave)).map((wave) => touched(wave, touch)),
      ],
    },
  };
}

const snapshotWave = (cluster: string, member: string): RunWave => ({
  cluster,
  kind: 'cluster',
  servers: [member],
  steps: [call([member], 'tideline_etcd.snapshot')],
});

/** Programs that must not all change at once when the minor version does. */
function controlWaves(waves: readonly Wave[], { before }: Situation, touch: Touch): readonly RunWave[] {
  const { documents } = touch;
  const moves = (wave: Wave, name: string) =>
    wave.servers.some((server) => versionOf(before.get(server), name) !== versionOf(documents.get(server), name));
  const minor = waves.some((wave) =>
    wave.servers.some((server) => minorMoves(before.get(server), documents.get(server))),
  );
  if (!minor) return waves.map((wave) => touched(wave, touch));
  const etcd = waves.filter((wave) => moves(wave, 'etcd'));
  const controls = waves.filter(({ servers }) =>
    servers.some((server) => hasRole(documents.get(server), 'control-plane')),
  );
  return [
    ...etcd.map((wave) => only(wave, touch, 'etcd')),
    ...controls.map((wave) => only(wave, touch, 'kube-apiserver')),
    ...controls.map((wave) => controllers(wave, touch)),
  ];
}

/** One program of a server, restarted by name: the links of the others already lead to their new versions. */
function only(wave: Wave, touch: Touch, name: 'etcd' | 'kube-apiserver'): RunWave {
  const { servers } = wave;
  const steps: readonly Step[] = [{ do: 'apply', servers, components: [name] }, restart(servers, [`${name}.service`])];
  return { ...wave, steps: drained(servers, steps, gatesFor(wave, touch), touch) };
}

/** Everything else, at a time when all API servers are of the new version. */
function controllers(wave: Wave, touch: Touch): RunWave {
  const { servers } = wave;
  const steps: readonly Step[] = [
    { do: 'apply', servers },
    { do: 'restart', servers },
    restart(servers, ['kube-controller-manager.service', 'kube-scheduler.service']),
  ];
  return { ...wave, steps: drained(servers, steps, gatesFor(wave, touch), touch) };
}

/** Clusters in which a server that is set up would get another version of etcd or the API server. */
export function upgradedIn(before: Documents, after: Documents): readonly string[] {
  const clusters = [...after].filter(([id, document]) => isUpgraded(before.get(id), document));
  return [...new Set(clusters.map(([, { server }]) => server.cluster))];
}

function isUpgraded(before: ServerDocument | undefined, after: ServerDocument): boolean {
  return ['etcd', 'kube-apiserver'].some((name) => {
    const from = versionOf(before, name);
    return from !== undefined && from !== versionOf(after, name);
  });
}

function versionOf(document: ServerDocument | undefined, name: string): string | undefined {
  return document?.artifacts[name]?.version;
}

function minorMoves(before: ServerDocument | undefined, after: ServerDocument | undefined): boolean {
  const [from, to] = [versionOf(before, 'kube-apiserver'), versionOf(after, 'kube-apiserver')];
  return from !== undefined && to !== undefined && versionNumbers(from)[1] !== versionNumbers(to)[1];
}

/** The leader is the last of the members: it hands its office over once, and to one that has its new version. */
function order({ cluster, servers }: Wave, { facts, after }: Situation): number {
  const members = facts.members.get(cluster) ?? [];
  const leads = members.some(({ name, leader }) => leader && servers.includes(name));
  const member = servers.some((server) => hasRole(after.documents.get(server), 'etcd'));
  return member ? illFirst(members, servers) + Number(leads) : 3;
}

/** A member that is well takes the snapshot; one that does not lead has less to do. */
function keeperOf({ facts, before }: Situation, cluster: string): string | undefined {
  const members = having(before, cluster, 'etcd');
  return (facts.members.get(cluster) ?? [])
    .filter(({ name, healthy, learner }) => healthy && !learner && members.includes(name) && !facts.silent.has(name))
    .toSorted((a, b) => Number(a.leader) - Number(b.leader))[0]?.name;
}

const unknownMembers = (cluster: string): Refusal => ({
  reason: 'MembersUnknown',
  message: `no healthy member of the etcd of ${cluster} can take the snapshot that comes before an upgrade`,
  fix: 'bring its members back first',
});

/** Kubernetes goes from one minor version to the next, and never back. */
function againstVersions(changed: readonly ServerDocument[], before: Documents): readonly Refusal[] {
  const found = changed.flatMap((document) =>
    ['kube-apiserver', 'etcd'].flatMap((name): readonly Refusal[] => {
      const [from, to] = [versionOf(before.get(document.server.id), name), versionOf(document, name)];
      if (from === undefined || to === undefined) return [];
      const minors = versionNumbers(to)[1] - versionNumbers(from)[1];
      const older: Refusal = {
        reason: 'VersionOlder',
        message: `${name} ${to} is older than ${from}, which runs`,
        fix: `name ${from} or a newer one in the Fleet; the way back is a snapshot of before`,
      };
      const skipped: Refusal = {
        reason: 'VersionSkipped',
        message: `${name} would go from ${from} to ${to}`,
        fix: `upgrade to 1.${versionNumbers(from)[1] + 1} first`,
      };
      if (compareVersions(to, from) < 0) return [older];
      return minors > 1 ? [skipped] : [];
    }),
  );
  return [...new Map(found.map((refusal) => [refusal.message, refusal])).values()];
}

/** The agents are one artifact; whoever upgrades them over a pool means nothing else, neither another program nor another setting. */
function againstOthers(changed: readonly ServerDocument[], before: Documents): readonly Refusal[] {
  return changed.flatMap((document) => {
    const old = before.get(document.server.id);
    const others = old === undefined ? ['everything'] : otherParts(old, document);
    if (others.length === 0) return [];
    return [
      {
        reason: 'NotOnlyAgents',
        message: `${document.server.id} would also get another ${others.join(', ')}`,
        fix: 'bring the rest by fleet apply first, or upgrade the whole cluster, or change nothing but the version of tideline',
      },
    ];
  });
}

/** What differs between two documents beside the agents: artifacts by name, and other parts of the document. */
function otherParts(before: ServerDocument, after: ServerDocument): readonly string[] {
  const names = new Set([...Object.keys(before.artifacts), ...Object.keys(after.artifacts)]);
  const artifacts = [...names].filter(
    (name) => name !== 'tideline' && JSON.stringify(before.artifacts[name]) !== JSON.stringify(after.artifacts[name]),
  );
  const components = after.components.filter(
    (component) =>
      JSON.stringify(before.components.find(({ name }) => name === component.name)) !== JSON.stringify(component),
  );
  const parts = (['server', 'system', 'pki'] as const).filter(
    (part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]),
  );
  return [...artifacts, ...components.map(({ name }) => name), ...parts];
}
