import type { ComponentName } from '../../compile/document.ts';
import type { Wave } from '../../compile/waves.ts';
import type { GateName, RunWave, Step } from '../steps.ts';
import { isFelt } from './felt.ts';
import { type Documents, hasRole, isUnsigned } from './situation.ts';

/** The steps in which one wave gets its documents: drained before, gated after. */

/** How long each gate may take to hold after its wave was touched. */
const timeoutSeconds: Readonly<Record<GateName, number>> = {
  EtcdHealthy: 180,
  ApiReady: 240,
  VipHeld: 60,
  NodesReady: 300,
  PodsRunning: 600,
  EdgeFit: 300,
  ErrorRate: 120,
};

export interface Touch {
  readonly documents: Documents;
  /** Servers that have nothing yet, or nothing any more: they carry nothing that could be drained, and nothing runs that could be restarted. */
  readonly fresh: ReadonlySet<string>;
  /** What servers had; absent: whatever changes is noticed. */
  readonly before?: Documents;
}

/** A wave that gets everything of its documents. */
export function touched(wave: Wave, { documents, fresh, before }: Touch): RunWave {
  const { servers } = wave;
  const running = servers.filter((server) => {
    const [old, now] = [before?.get(server), documents.get(server)];
    return !fresh.has(server) && (old === undefined || now === undefined || isFelt(old, now));
  });
  return {
    ...wave,
    steps: [
      ...drained(running, [
        ...signed(servers, documents, fresh),
        { do: 'apply', servers },
        ...(running.length > 0 ? [{ do: 'restart', servers: running } as const] : []),
      ]),
      ...gatesFor(wave, documents),
    ],
  };
}

/** These steps, while what the servers carry is elsewhere. */
export function drained(servers: readonly string[], steps: readonly Step[]): readonly Step[] {
  return servers.length === 0 ? steps : [{ do: 'drain', servers }, ...steps, { do: 'return', servers }];
}

/** Keys and certificates come before everything that would start with them. */
export function signed(servers: readonly string[], documents: Documents, fresh: ReadonlySet<string>): readonly Step[] {
  const wanted = servers.filter((server) => {
    const document = documents.get(server);
    return document !== undefined && (fresh.has(server) || isUnsigned(document));
  });
  if (wanted.length === 0) return [];
  const components: readonly ComponentName[] = ['common', 'pki'];
  return [
    { do: 'apply', servers: wanted, components },
    { do: 'sign', servers: wanted },
  ];
}

/** What must hold before the next wave. A member of etcd may be a control plane as well. */
export function gatesFor({ kind, servers }: Pick<Wave, 'kind' | 'servers'>, documents: Documents): readonly Step[] {
  const controls = servers.some((server) => hasRole(documents.get(server), 'control-plane'));
  const api: readonly GateName[] = controls ? ['ApiReady', 'VipHeld'] : [];
  const gates: Readonly<Record<Wave['kind'], readonly GateName[]>> = {
    etcd: ['EtcdHealthy', ...api],
    'control-plane': api,
    canary: ['NodesReady', 'PodsRunning', 'ErrorRate'],
    worker: ['NodesReady', 'PodsRunning', 'ErrorRate'],
    blade: ['EdgeFit', 'ErrorRate'],
  };
  return gates[kind].map((name) => gate(name, servers));
}

export function gate(name: GateName, servers: readonly string[]): Step {
  return { do: 'gate', gate: name, servers, timeoutSeconds: timeoutSeconds[name] };
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
