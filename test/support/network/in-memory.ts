import type { Route } from '../../../src/bgp/route.ts';
import type { DesiredOptions, Speaker, SpeakerStatus } from '../../../src/bgp/speaker.ts';
import type { Acceptance } from '../../../src/kube/acceptance.ts';
import type { ClusterListener, ClusterSource, SourceStatus } from '../../../src/kube/source.ts';
import type { Prefix } from '../../../src/model/address.ts';
import { Site } from '../../../src/model/spec/kinds.ts';
import type { DoubtPart } from '../../../src/model/status.ts';
import { NetworkAgent } from '../../../src/planes/network/agent.ts';
import type { BlackholeTable } from '../../../src/planes/network/kernel/blackholes.ts';
import type { KernelRoutes, KernelRules } from '../../../src/planes/network/kernel/parse.ts';
import { textOf, type UplinkRule } from '../../../src/planes/network/kernel/uplinks.ts';
import type { NetworkSpec } from '../../../src/planes/network/planner.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { stateFromObjects } from '../cluster-state.ts';
import { FakeClock } from '../fake-clock.ts';
import type { Manifest } from '../source/conformance.ts';

export const siteOf = (pods: string, servers: string): Site =>
  Site.parse({
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'Site',
    metadata: { name: 'paris' },
    spec: {
      type: 'datacentre',
      location: { country: 'FR', latitude: 48.86, longitude: 2.35 },
      prefixes: { pods: [pods], servers: [servers] },
    },
  });
export const paris = siteOf('10.10.0.0/16', '10.1.0.0/24');

/** The surroundings of one agent, in memory: what it does to the kernel and to BGP is in `did`, in order. */
export class InMemory implements ClusterSource, Speaker, BlackholeTable {
  readonly did: string[] = [];
  readonly clock = new FakeClock();
  spec: Omit<NetworkSpec, 'frozen'> & { readonly frozen?: boolean } = { sites: [paris], drains: [] };
  specProblem: string | undefined;
  /** What a person wrote into the accept file. */
  accepted: Acceptance | undefined;
  addresses = new Set(['10.1.0.11']);
  fixed: readonly Prefix[] = [];
  kernel: readonly Prefix[] = [];
  foreign: KernelRoutes['foreign'] = [];
  kernelFails = false;
  uplinkRules: readonly UplinkRule[] = [];
  rulesFail = false;
  /** How long a change of the kernel takes, and how far the agent's clock is ahead of the timers because of that. */
  changeTakesMs = 0;
  lateMs = 0;
  relay: SpeakerStatus['relay'] = 'synced';
  announced: readonly Route[] = [];
  acknowledges = true;
  source: SourceStatus = { phase: 'live', sinceMs: 0 };
  yields = false;
  yielded: SpeakerStatus['yielded'];
  #cluster: ClusterListener | undefined;
  #listener: ((status: SpeakerStatus) => void) | undefined;
  #desired: readonly Route[] = [];

  start(listener?: ClusterListener): void {
    if (listener !== undefined) this.#cluster = listener;
  }
  doubting(): DoubtPart {
    return { doubts: [], accepted: [] };
  }
  status(): SourceStatus & SpeakerStatus {
    const { relay, announced, fixed, yielded } = this;
    return { ...this.source, ...(yielded && { yielded }), relay, neighbors: [], announced, refusals: [], fixed };
  }
  async stop(): Promise<void> {}
  setDesired(routes: readonly Route[], options: DesiredOptions = {}): void {
    const text = routes.map(({ prefix }) => prefix.text).join(' ');
    const disproved = [...(options.disproved ?? [])].map((one) => ` without ${one}`).join('');
    this.did.push(`announce [${text}]${options.confirmed === true ? ' confirmed' : ''}${disproved}`);
    this.#desired = routes;
    if (this.acknowledges) this.acknowledge();
  }
  acknowledge(): void {
    this.announced = this.#desired;
    this.wake();
  }
  wake(): void {
    this.#listener?.(this.status());
  }
  onStatus(listener: (status: SpeakerStatus) => void): () => void {
    this.#listener = listener;
    return () => {};
  }
  async settled(): Promise<void> {}
  reconsider(): void {}
  setYields(yields: boolean): void {
    if (yields !== this.yields) this.did.push(yields ? 'yield' : 'yield no more');
    this.yields = yields;
  }
  async read(): Promise<KernelRoutes> {
    if (this.kernelFails) throw new Error('no kernel');
    return { blackholes: this.kernel, foreign: this.foreign, uplinks: ['eth0'] };
  }
  watch(): () => void {
    return () => {};
  }
  async rules(): Promise<KernelRules> {
    return { foreign: [], uplink: this.uplinkRules };
  }
  async changeRules(add: readonly UplinkRule[], remove: readonly UplinkRule[]): Promise<string> {
    if (this.rulesFail) return 'RTNETLINK answers: Operation not supported';
    this.did.push(...add.map((rule) => `+ ${textOf(rule)}`), ...remove.map((rule) => `- ${textOf(rule)}`));
    const gone = new Set(remove.map(textOf));
    this.uplinkRules = [...this.uplinkRules.filter((rule) => !gone.has(textOf(rule))), ...add];
    return '';
  }
  async change(add: readonly Prefix[], remove: readonly Prefix[]): Promise<string> {
    if (this.kernelFails) return 'RTNETLINK answers: Operation not permitted';
    this.lateMs += this.changeTakesMs;
    this.did.push(...add.map(({ text }) => `+ ${text}`), ...remove.map(({ text }) => `- ${text}`));
    const gone = new Set(remove.map(({ text }) => text));
    this.kernel = [...this.kernel.filter(({ text }) => !gone.has(text)), ...add];
    return '';
  }
  turn(source: SourceStatus): void {
    this.source = source;
    this.#cluster?.onStatus(source);
  }
  publish(...objects: readonly Manifest[]): void {
    this.#cluster?.onChange({ state: stateFromObjects(objects), changed: new Map() });
  }
  /** What was done within this time, and not returned before. */
  async happens(ms = 100): Promise<readonly string[]> {
    await this.clock.advance(ms);
    return this.did.splice(0);
  }
}

/** A new agent of paris-worker-1 in these surroundings. */
export function agentOf(world: InMemory): NetworkAgent {
  return new NetworkAgent({
    node: 'paris-worker-1',
    podsFrom: 'calico',
    spec: () => ({ frozen: false, ...world.spec }),
    specProblem: () => world.specProblem,
    accepts: {
      path: '/state/accept-network-paris',
      read: async () => world.accepted,
      remove: async () => {
        world.accepted = undefined;
      },
    },
    source: world,
    speaker: world,
    blackholes: world,
    addresses: () => world.addresses,
    clock: {
      now: () => world.clock.now(),
      monotonic: () => world.clock.monotonic() + world.lateMs,
      setTimeout: (act, ms) => world.clock.setTimeout(act, ms),
    },
    log: silentLog,
  });
}
