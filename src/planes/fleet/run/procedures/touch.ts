import type { ServerRole } from '../../../../model/spec/kinds/server.ts';
import type { ServerDocument } from '../../compile/document.ts';
import type { Wave } from '../../compile/waves.ts';
import type { GateName, RunWave, Step } from '../steps.ts';
import { type Documents, hasRole, having, isUnsigned } from './situation.ts';

/** The steps in which one wave gets its documents, stated once for every command: drained before, judged after. */

/** Seconds after which a gate that does not hold ends the run. */
const patience: Readonly<Record<GateName, number>> = {
  EtcdSpares: 60,
  EtcdHealthy: 180,
  ApiReady: 300,
  VipHeld: 120,
  NodesReady: 300,
  PodsRunning: 600,
  EdgeFit: 300,
  ErrorRate: 120,
};

export interface Touch {
  readonly documents: Documents;
  /** Servers that have nothing yet, or nothing any more: they carry nothing that could be drained. */
  readonly fresh: ReadonlySet<string>;
  /** Servers that were set up anew: their keys are others, whatever was signed for them. */
  readonly again: ReadonlySet<string>;
  /** Servers whose programs notice what comes. The others are neither drained nor restarted. */
  readonly felt: ReadonlySet<string>;
  /** Clusters whose API can be reached from here. Elsewhere no worker and no blade is drained, and nodes and pods are not judged. */
  readonly apis: ReadonlySet<string>;
  /** Fresh servers that come in later waves. What a gate asks of all servers of a role is asked when none of them is among these. */
  readonly coming: ReadonlySet<string>;
}

/** A wave that gets everything of its documents. */
export function touched(wave: Wave, touch: Touch): RunWave {
  const { documents, fresh, again, felt } = touch;
  const running = wave.servers.filter((server) => felt.has(server) && !fresh.has(server));
  // Fresh servers as well: an earlier run may have started something there and failed at a gate.
  const restarted = wave.servers.filter(
    (server) => (fresh.has(server) || felt.has(server)) && hasOrchestrated(documents.get(server)),
  );
  const steps: readonly Step[] = [
    { do: 'apply', servers: wave.servers },
    ...(restarted.length > 0 ? [{ do: 'restart', servers: restarted } as const] : []),
  ];
  const before = signed(wave.servers, documents, again);
  return { ...wave, steps: [...before, ...drained(running, steps, gatesFor(wave, touch), touch)] };
}

/**
 * These steps, while what the servers carry is elsewhere. They carry traffic again when they themselves are well; what others see of them is judged
 * after that.
 */
export function drained(
  servers: readonly string[],
  steps: readonly Step[],
  gates: readonly Step[],
  { documents, apis }: Pick<Touch, 'documents' | 'apis'>,
): readonly Step[] {
  const away = servers.filter((server) => {
    const document = documents.get(server);
    return document !== undefined && (isControl(document) || apis.has(document.server.cluster));
  });
  const drain: readonly Step[] = away.length === 0 ? [] : [{ do: 'drain', servers: away }];
  const members = servers.filter((server) => hasRole(documents.get(server), 'etcd'));
  const spared = members.length === 0 ? [] : [gate('EtcdSpares', members)];
  return [...spared, ...drain, ...returned(away, steps, gates)];
}

/** These steps, and the return of servers that somebody drained before. */
export function returned(servers: readonly string[], steps: readonly Step[], gates: readonly Step[]): readonly Step[] {
  return [
    ...steps,
    ...gates.filter(isBeforeReturn),
    ...(servers.length === 0 ? [] : [{ do: 'return', servers } as const]),
    ...gates.filter((step) => !isBeforeReturn(step)),
  ];
}

/** Whether it is drained without the API, which may be what is to be mended. */
export function isControl(document: ServerDocument | undefined): boolean {
  return hasRole(document, 'control-plane') || hasRole(document, 'etcd');
}

/** What a person must know of clusters whose API cannot be reached from here. */
export function blindWarnings(waves: readonly Pick<Wave, 'cluster'>[], apis: Touch['apis']): readonly string[] {
  return [...new Set(waves.map(({ cluster }) => cluster))]
    .filter((cluster) => !apis.has(cluster))
    .map(
      (cluster) =>
        `the source of Cluster ${cluster} names no kubeconfig: its workers and blades are not drained, its nodes and pods not judged, and its objects not written`,
    );
}

function isBeforeReturn(step: Step): boolean {
  return step.do === 'gate' && ['EtcdHealthy', 'ApiReady', 'NodesReady'].includes(step.gate);
}

/** Keys are made and certificates come before anything is drained that would start with them. A component brings those that it needs. */
export function signed(servers: readonly string[], documents: Documents, again: ReadonlySet<string>): readonly Step[] {
  const wanted = servers.filter((server) => {
    const document = documents.get(server);
    return document !== undefined && (again.has(server) || isUnsigned(document));
  });
  if (wanted.length === 0) return [];
  return [
    { do: 'apply', servers: wanted, components: ['pki'] },
    { do: 'sign', servers: wanted },
  ];
}

/** What must hold before the next wave. A member of etcd may be a control plane as well. */
export function gatesFor(
  { cluster, servers }: Pick<Wave, 'cluster' | 'servers'>,
  { documents, apis, coming }: Pick<Touch, 'documents' | 'apis' | 'coming'>,
): readonly Step[] {
  const all = (role: ServerRole) => having(documents, cluster, role);
  const own = (role: ServerRole) => all(role).filter((server) => servers.includes(server));
  const isWhole = (role: ServerRole) => !all(role).some((server) => coming.has(server));
  const one = (name: GateName, of: readonly string[], asked = true): readonly Step[] =>
    of.length === 0 || !asked ? [] : [gate(name, of)];
  return [
    ...one('EtcdHealthy', own('etcd'), isWhole('etcd')),
    ...one('ApiReady', own('control-plane'), isWhole('control-plane')),
    ...one('VipHeld', own('control-plane')),
    ...one('NodesReady', own('worker'), apis.has(cluster)),
    ...one('PodsRunning', own('worker'), apis.has(cluster)),
    ...one('EdgeFit', own('blade'), isWhole('blade')),
    ...one('ErrorRate', [...own('worker'), ...own('blade')], isWhole('blade') && all('blade').length > 0),
  ];
}

/** Whether the formula leaves a unit of it to the wave. */
function hasOrchestrated(document: ServerDocument | undefined): boolean {
  const units = document?.components.flatMap((component) => Object.values(component.units)) ?? [];
  return units.some(({ onChange }) => onChange === 'orchestrated');
}

export function gate(name: GateName, servers: readonly string[]): Step {
  return { do: 'gate', gate: name, servers, timeoutSeconds: patience[name] };
}

type CallArguments = Extract<Step, { readonly do: 'call' }>['arguments'];

export function call(servers: readonly string[], name: string, given: CallArguments = {}): Step {
  return { do: 'call', servers, function: name, arguments: given };
}

export const stop = (servers: readonly string[], units: readonly string[]): Step =>
  call(servers, 'tideline_units.stop', { units });
/** For servers that leave: their documents are gone. */
export const retire = (servers: readonly string[], units: readonly string[]): Step =>
  call(servers, 'tideline_units.retire', { units });
export const start = (servers: readonly string[], units: readonly string[]): Step =>
  call(servers, 'tideline_units.start', { units });
export const restart = (servers: readonly string[], units: readonly string[]): Step =>
  call(servers, 'tideline_units.restart', { units });
