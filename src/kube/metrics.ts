import type { Clock } from '../runtime/clock.ts';
import { Counter, Gauge, type Registry } from '../runtime/metrics.ts';
import type { Kind } from './kinds.ts';
import { kinds } from './kinds.ts';
import type { KubeReason } from './reasons.ts';
import type { ClusterState, SourceStatus } from './source.ts';
import { objectsOfKind } from './state.ts';

/** The metrics of a cluster source. */
export interface SourceMetrics {
  changed(state: ClusterState): void;
  status(status: SourceStatus): void;
  error(reason: KubeReason): void;
}

const phases = ['syncing', 'live', 'stale'] as const;

export function createSourceMetrics(registry: Registry | undefined, clock: Clock): SourceMetrics {
  if (registry === undefined) return { changed: () => {}, status: () => {}, error: () => {} };
  let changedAt: number | undefined;
  const registers = [registry];
  const objects = new Gauge({
    name: 'tideline_kube_objects',
    help: 'Objects in force, by kind',
    labelNames: ['kind'],
    registers,
  });
  const phase = new Gauge({
    name: 'tideline_kube_source_phase',
    help: '1 for the phase the cluster source is in',
    labelNames: ['phase'],
    registers,
  });
  const errors = new Counter({
    name: 'tideline_kube_errors_total',
    help: 'Files and objects refused and inputs lost, by reason',
    labelNames: ['reason'],
    registers,
  });
  registry.registerMetric(
    new Gauge({
      name: 'tideline_kube_last_change_age_seconds',
      help: 'Time since the last change of the objects in force; absent before the first sync',
      registers: [],
      collect() {
        if (changedAt !== undefined) this.set((clock.monotonic() - changedAt) / 1000);
      },
    }),
  );
  return {
    changed(state) {
      changedAt = clock.monotonic();
      for (const kind of kinds) objects.set({ kind }, objectsOfKind(state, kind).size);
    },
    status(status) {
      for (const name of phases) phase.set({ phase: name }, status.phase === name ? 1 : 0);
    },
    error(reason) {
      errors.inc({ reason });
    },
  };
}

/** The metrics of the list-watch of every kind. */
export interface WatchMetrics {
  phase(kind: Kind, phase: string): void;
  /** The server sent something of this kind: an event, a bookmark or a page. */
  heard(kind: Kind): void;
  event(kind: Kind, type: string): void;
  relisted(kind: Kind, cause: string): void;
  reconnected(kind: Kind, cause: string): void;
}

const noWatchMetrics: WatchMetrics = {
  phase: () => {},
  heard: () => {},
  event: () => {},
  relisted: () => {},
  reconnected: () => {},
};

export function createWatchMetrics(registry: Registry | undefined, clock: Clock): WatchMetrics {
  if (registry === undefined) return noWatchMetrics;
  const registers = [registry];
  const heardAt = new Map<Kind, number>();
  const phaseOf = new Map<Kind, string>();
  const counter = (name: string, help: string, ...labels: readonly string[]) =>
    new Counter({ name, help, labelNames: ['kind', ...labels], registers });
  const states = new Gauge({
    name: 'tideline_kube_watch_phase',
    help: '1 for the phase the list-watch of a kind is in',
    labelNames: ['kind', 'phase'],
    registers,
  });
  const events = counter('tideline_kube_events_total', 'Events of watches, by kind and type', 'type');
  const relists = counter('tideline_kube_relists_total', 'Lists begun, by kind and cause', 'cause');
  const reconnects = counter('tideline_kube_reconnects_total', 'Watches opened again, by kind and cause', 'cause');
  registry.registerMetric(
    new Gauge({
      name: 'tideline_kube_last_event_age_seconds',
      help: 'Time since the kube-apiserver last sent anything of a kind (bookmarks too); absent before it did',
      labelNames: ['kind'],
      registers: [],
      collect() {
        for (const [kind, at] of heardAt) this.set({ kind }, (clock.monotonic() - at) / 1000);
      },
    }),
  );
  return {
    phase(kind, phase) {
      const before = phaseOf.get(kind);
      if (before === phase) return;
      if (before !== undefined) states.set({ kind, phase: before }, 0);
      states.set({ kind, phase }, 1);
      phaseOf.set(kind, phase);
    },
    heard: (kind) => heardAt.set(kind, clock.monotonic()),
    event: (kind, type) => events.inc({ kind, type }),
    relisted: (kind, cause) => relists.inc({ kind, cause }),
    reconnected: (kind, cause) => reconnects.inc({ kind, cause }),
  };
}

/** The metrics of the connections to the kube-apiserver. */
export interface ClientMetrics {
  bytes(count: number): void;
  /** Counts an answer by its status; 0 when none came. */
  answered(status: number): void;
}

/** `reloads` returns how often credentials were read again so far. */
export function createClientMetrics(registry: Registry | undefined, reloads: () => number): ClientMetrics {
  if (registry === undefined) return { bytes: () => {}, answered: () => {} };
  const registers = [registry];
  const bytes = new Counter({
    name: 'tideline_kube_received_bytes_total',
    help: 'Bytes of answers and watches of the kube-apiserver',
    registers,
  });
  const answers = new Counter({
    name: 'tideline_kube_requests_total',
    help: 'Requests to the kube-apiserver by the code of the answer; 0: none came',
    labelNames: ['code'],
    registers,
  });
  registry.registerMetric(
    new Gauge({
      name: 'tideline_kube_credential_reloads',
      help: 'How often certificates, tokens or the kubeconfig were read anew because they changed or expired',
      registers: [],
      collect() {
        this.set(reloads());
      },
    }),
  );
  return { bytes: (count) => bytes.inc(count), answered: (status) => answers.inc({ code: String(status) }) };
}
