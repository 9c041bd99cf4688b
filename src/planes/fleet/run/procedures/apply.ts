import type { ServerRole } from '../../../../model/spec/kinds/server.ts';
import type { CompiledFleet } from '../../compile/compile.ts';
import type { ServerDocument } from '../../compile/document.ts';
import type { Wave } from '../../compile/waves.ts';
import type { FleetPlan } from '../../plan.ts';
import type { GateName, Run, RunWave, Step } from '../steps.ts';

/** What the waves of an apply depend on beside the documents. */
export interface ApplyInput {
  /** Servers that never got a document: nothing runs there that could be drained. */
  readonly fresh: ReadonlySet<string>;
  /** Servers to which something new comes. The others of a wave are only made as their documents say. */
  readonly touched: ReadonlySet<string>;
  /** Clusters whose API can be reached from here. Elsewhere nothing is drained, and nodes and pods are not judged. */
  readonly apis: ReadonlySet<string>;
}

/**
 * What `apply` does: the waves of a plan, each with its steps. Members of an etcd that is new come in one wave, because the first of them is not
 * well before there are enough of them. What a gate asks of a whole cluster is asked when the last new server of that kind is there.
 */
export function applyRun(
  { waves, warnings }: Pick<FleetPlan, 'waves' | 'warnings'>,
  { documents }: Pick<CompiledFleet, 'documents'>,
  input: ApplyInput,
): Omit<Run, 'checksum'> {
  const all = withMembersTogether(waves, newEtcds(documents, input.fresh));
  const run = all.map((wave, index): RunWave => {
    const later = new Set(all.slice(index + 1).flatMap(({ servers }) => servers));
    return { ...wave, steps: stepsFor(wave, later, documents, input) };
  });
  const blind = [...new Set(waves.map(({ cluster }) => cluster))].filter((cluster) => !input.apis.has(cluster));
  return {
    format: 1,
    command: 'apply',
    waves: withObjects(run, input.apis),
    warnings: [
      ...warnings,
      ...blind.map(
        (cluster) =>
          `the source of Cluster ${cluster} names no kubeconfig: its servers are not drained, its nodes and pods not judged, and its objects not written`,
      ),
    ],
  };
}

function stepsFor(
  wave: Wave,
  later: ReadonlySet<string>,
  documents: CompiledFleet['documents'],
  { fresh, touched, apis }: ApplyInput,
): readonly Step[] {
  const { servers, cluster } = wave;
  const unsigned = servers.filter((server) => isUnsigned(documents.get(server)));
  const running = servers.filter((server) => !fresh.has(server));
  const restarted = running.filter((server) => hasOrchestrated(documents.get(server)));
  const gates = gatesFor(wave, later, documents, { fresh, apis });
  const drained = apis.has(cluster) ? running.filter((server) => touched.has(server)) : [];
  return [
    ...(unsigned.length === 0
      ? []
      : [{ do: 'apply', servers: unsigned, components: ['pki'] } as const, { do: 'sign', servers: unsigned } as const]),
    ...(drained.length === 0 ? [] : [{ do: 'drain', servers: drained } as const]),
    { do: 'apply', servers },
    ...(restarted.length === 0 ? [] : [{ do: 'restart', servers: restarted } as const]),
    ...gates.filter(isBeforeReturn),
    ...(drained.length === 0 ? [] : [{ do: 'return', servers: drained } as const]),
    ...gates.filter((step) => !isBeforeReturn(step)),
  ];
}

/** Servers carry traffic again when they themselves are well. What others see of them is judged when they do. */
function isBeforeReturn(step: Step): boolean {
  return step.do === 'gate' && ['EtcdHealthy', 'ApiReady', 'NodesReady'].includes(step.gate);
}

/** Seconds after which a gate that does not hold ends the run. */
const patience: Readonly<Record<GateName, number>> = {
  EtcdHealthy: 180,
  ApiReady: 300,
  VipHeld: 120,
  NodesReady: 300,
  PodsRunning: 600,
  EdgeFit: 300,
  ErrorRate: 60,
};

function gatesFor(
  { cluster, servers }: Wave,
  later: ReadonlySet<string>,
  documents: CompiledFleet['documents'],
  { fresh, apis }: Pick<ApplyInput, 'fresh' | 'apis'>,
): readonly Step[] {
  const having = (role: ServerRole): readonly string[] =>
    [...documents.values()]
      .filter(({ server }) => server.cluster === cluster && server.roles.includes(role))
      .map(({ server }) => server.id);
  /** Of these servers of the wave; none while one of the role is still to come for the first time. */
  const own = (role: ServerRole): readonly string[] => having(role).filter((server) => servers.includes(server));
  const complete = (role: ServerRole): boolean =>
    having(role).every((server) => !fresh.has(server) || !later.has(server));
  const gate = (name: GateName, of: readonly string[], asked = true): readonly Step[] =>
    of.length === 0 || !asked ? [] : [{ do: 'gate', gate: name, servers: of, timeoutSeconds: patience[name] }];
  const carrying = [...own('worker'), ...own('blade')];
  return [
    ...gate('EtcdHealthy', own('etcd'), complete('etcd')),
    ...gate('ApiReady', own('control-plane'), complete('control-plane')),
    ...gate('VipHeld', own('control-plane')),
    ...gate('NodesReady', own('worker'), apis.has(cluster)),
    ...gate('PodsRunning', own('worker'), apis.has(cluster)),
    ...gate('EdgeFit', own('blade'), complete('blade')),
    ...gate('ErrorRate', carrying, complete('blade') && having('blade').length > 0),
  ];
}

/** The objects of a cluster are written when its API is there, before its first worker needs them. */
function withObjects(waves: readonly RunWave[], apis: ReadonlySet<string>): readonly RunWave[] {
  const isApi = ({ kind }: RunWave): boolean => kind === 'etcd' || kind === 'control-plane';
  return waves.flatMap((wave) => {
    const { cluster } = wave;
    const own = waves.filter((other) => other.cluster === cluster);
    const isPlace = isApi(wave) && own.findLast(isApi) === wave;
    const isFirst = own[0] === wave && !own.some(isApi);
    if (!apis.has(cluster) || !(isPlace || isFirst)) return [wave];
    const objects: RunWave = { cluster, kind: 'cluster', servers: [], steps: [{ do: 'objects', cluster }] };
    return isPlace ? [wave, objects] : [objects, wave];
  });
}

function hasOrchestrated(document: ServerDocument | undefined): boolean {
  const units = document?.components.flatMap((component) => Object.values(component.units)) ?? [];
  return units.some(({ onChange }) => onChange === 'orchestrated');
}

/** Whether a certificate is wanted that nobody has signed yet. */
function isUnsigned(document: ServerDocument | undefined): boolean {
  return Object.values(document?.pki.certificates ?? {}).some(({ pem }) => pem === undefined);
}

/** Clusters of which no member of etcd ever got a document. */
function newEtcds(documents: CompiledFleet['documents'], fresh: ReadonlySet<string>): ReadonlySet<string> {
  const members = [...documents.values()].filter(({ server }) => server.roles.includes('etcd'));
  const old = new Set(members.filter(({ server }) => !fresh.has(server.id)).map(({ server }) => server.cluster));
  return new Set(members.map(({ server }) => server.cluster).filter((cluster) => !old.has(cluster)));
}

/** The waves of members of these clusters become one each, in the place of the first. */
function withMembersTogether(waves: readonly Wave[], clusters: ReadonlySet<string>): readonly Wave[] {
  const isMembers = (wave: Wave, of: string): boolean => wave.kind === 'etcd' && wave.cluster === of;
  return waves.flatMap((wave) => {
    if (wave.kind !== 'etcd' || !clusters.has(wave.cluster)) return [wave];
    const members = waves.filter((other) => isMembers(other, wave.cluster));
    return members[0] === wave ? [{ ...wave, servers: members.flatMap(({ servers }) => servers) }] : [];
  });
}
