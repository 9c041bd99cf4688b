import type { Route } from '../../src/bgp/route.ts';
import { emptyState } from '../../src/kube/state.ts';
import {
  compileStarted,
  notConverged,
  stateChanged,
  stateRead,
  tableAcknowledged,
} from '../../src/planes/edge/step/convergence.ts';
import { type BladeMemory, noMemory } from '../../src/planes/edge/step/memory.ts';
import type { BladeView, PeerAnswer } from '../../src/planes/edge/step/view.ts';
import { type VipStatus, vipStatuses } from '../../src/planes/edge/step/vip-status.ts';
import { type BladeActions, type Step, step } from '../../src/planes/edge/step.ts';
import type { DataPlaneStatus } from '../../src/planes/edge/table.ts';
import { platformForTests } from './edge-platform.ts';

export const vip = '192.0.2.10';

export const nginxForTests: DataPlaneStatus = {
  instance: 'first',
  generation: 1,
  hosts: 0,
  backends: 0,
  certificates: 0,
  freeBytes: {},
  draining: false,
  activeConnections: 0,
  refusedPairs: {},
  refusedHandshakes: 0,
  answered: {},
  workers: [],
  tries: {},
  backendTries: {},
};

/** The convergence of an nginx that has acknowledged the table of a cluster that was read. */
export const converged = tableAcknowledged(
  compileStarted(stateChanged(stateRead(notConverged, 'cluster', emptyState), 0), 0),
  {
    generation: 1,
    instance: 'first',
  },
);

const platform = platformForTests();
const [pool] = [...platform.edgePools.values()];
if (pool === undefined) throw new Error('the platform for tests has no pool');

/** A blade on which all is well, that has just started, was not probed yet and has no peers. */
export const calm: BladeView = {
  blade: 'paris-blade-1',
  nowMs: 100_000,
  dateMs: Date.UTC(2026, 0, 1),
  startedMs: 100_000,
  stoppingSinceMs: undefined,
  platform,
  pool,
  source: { phase: 'live', sinceMs: 0 },
  nginx: nginxForTests,
  convergence: converged,
  conditions: [],
  served: undefined,
  speaker: {
    relay: 'synced',
    neighbors: [{ address: '10.1.0.1', asn: 65_010, up: true }],
    announced: [],
    refusals: [],
  },
  host: { addedMs: 0, vips: [vip], missing: new Map() },
  probes: { number: 0, answers: new Map([[vip, 'first']]), tls: new Map() },
  reached: new Map(),
  peers: { answers: [], answeredMs: -Infinity },
};

/** A drain of this blade that does not end. */
export const drained = platformForTests({
  drains: [{ kind: 'Blade', name: 'paris-blade-1', expires: '2027-01-01T00:00:00Z' }],
});

/** One blade that steps, with an ExaBGP that does at once what it is told. */
export class SteppingBlade {
  view: BladeView;
  memory: BladeMemory = noMemory;
  /** The actions of the last step. */
  actions: Partial<BladeActions> = {};
  news: readonly string[] = [];

  constructor(view: Partial<BladeView> = {}) {
    this.view = { ...calm, ...view };
  }

  /** Changes a part of the view, for all steps from here on. */
  changeView(change: Partial<BladeView>): void {
    this.view = { ...this.view, ...change };
  }

  wait(ms: number): void {
    this.changeView({ nowMs: this.view.nowMs + ms, dateMs: this.view.dateMs + ms });
  }

  step(): Step {
    const result = step(this.view, this.memory);
    this.memory = result.memory;
    this.actions = result.actions;
    this.news = [...this.news, ...result.news.map(({ message }) => message)];
    if (result.actions.announce !== undefined) this.announced = result.actions.announce;
    return result;
  }

  /** Probes the VIPs and steps; true when the step wants the peers to be asked. */
  probe(): boolean {
    const { number, answers, tls } = this.view.probes;
    this.changeView({ probes: { number: number + 1, answers, tls } });
    return this.step().actions.ask;
  }

  /** What peers read of this blade now. */
  get published(): readonly VipStatus[] {
    return vipStatuses(this.memory, this.view.speaker);
  }

  get announced(): readonly Route[] {
    return this.view.speaker.announced;
  }

  set announced(routes: readonly Route[]) {
    this.changeView({ speaker: { ...this.view.speaker, announced: routes } });
  }

  /** Whether ExaBGP has the VIP. */
  holds(address = vip): boolean {
    return this.announced.some(({ prefix }) => prefix.text === `${address}/32`);
  }
}

/** What a peer answers to a question that left at `askedAtMs`. */
export function peerAnswer(
  blade: string,
  askedAtMs: number,
  vips: Readonly<Record<string, { readonly fit: boolean; readonly announced: boolean }>>,
): PeerAnswer {
  return { blade, askedAtMs, vips: new Map(Object.entries(vips)) };
}
