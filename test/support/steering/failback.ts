import { sumByCluster } from '../../../src/answers/distribution.ts';
import type { Hold } from '../../../src/answers/hold.ts';
import type { Return } from '../../../src/answers/returns.ts';
import { countedAlike } from '../../../src/model/country-weights.ts';
import { clusterByAddress } from '../../../src/model/platform/entries.ts';
import { withOverlays } from '../../../src/model/platform/overlays.ts';
import type { TrafficPolicy } from '../../../src/model/spec/kinds.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { intentOf } from '../../../src/planes/steering/compile/intent.ts';
import { dialects } from '../../../src/planes/steering/dialects/table.ts';
import { applyPlans } from '../../../src/planes/steering/plan/apply.ts';
import type { Counts } from '../../../src/planes/steering/plan/failback.ts';
import { planPaced } from '../../../src/planes/steering/plan/paced.ts';
import { type Asked, checksumOf, isEmpty, planStep, type ZonePlan } from '../../../src/planes/steering/plan/plan.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { readable } from '../../../src/planes/steering/records/foreign.ts';
import { readHolds, readReturns } from '../../../src/planes/steering/records/holds.ts';
import { everything } from '../../../src/planes/steering/records/scope.ts';
import { memoryProviders } from './memory.ts';

const zone = 'video.example';
const host = 'www.video.example';

/** The platform whose policy leads users back by this rule, and lets no plan move anybody without a person's word. */
export function withFailback(platform: Platform, failback: NonNullable<TrafficPolicy['spec']['failback']>): Platform {
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const guard = { ...video.spec.guard, maxTrafficShare: 0 };
  const spec = { ...video.spec, failback, guard };
  return { ...platform, policies: new Map(platform.policies).set('video', { ...video, spec }) };
}

/** A Route 53 zone in memory whose checkers say what this world says, and agents that look at it; time passes only by `pass`. */
export class FailbackWorld {
  platform: Platform;
  /** Clusters, or addresses, that are down, and clusters of which nobody says anything. */
  readonly down = new Set<string>();
  readonly silent = new Set<string>();
  nowMs = Date.UTC(2026, 10, 27, 12);
  monotonicMs = 1000;
  counts: Counts = new Map();
  weights = countedAlike();
  /** A write that fails before the batch with this number, counted from 1 over all writes. */
  failsBefore = Infinity;
  #batches = 0;
  readonly #memory: Promise<ZoneProvider>;

  constructor(platform: Platform) {
    this.platform = platform;
    this.#memory = memoryProviders()('route53');
  }

  pass(minutes: number): void {
    this.nowMs += minutes * 60_000;
    this.monotonicMs += minutes * 60_000;
  }

  /** Another agent goes on: what this one counted is forgotten. */
  restart(): void {
    this.counts = new Map();
    this.monotonicMs = Math.random() * 1e6;
  }

  /** One look of an agent, which applies its plan if no person is asked. */
  async look(): Promise<ZonePlan> {
    const provider = await this.provider();
    const asked: Asked = { by: 'agent@test', weights: this.weights };
    const { nowMs, monotonicMs, counts } = this;
    const platform = withOverlays(this.platform, nowMs);
    const first = await planStep(platform, provider, { zone, purpose: everything }, nowMs, asked);
    const watched = await planPaced(platform, provider, first, { counts, nowMs, monotonicMs, asked });
    this.counts = watched.counts;
    if (!isEmpty(watched.plan)) await this.apply(watched.plan);
    return watched.plan;
  }

  /** Looks every two minutes for so long. */
  async watch(minutes: number): Promise<void> {
    for (let passed = 0; passed < minutes; passed += 2) {
      this.pass(2);
      await this.look();
    }
  }

  async apply(plan: ZonePlan): Promise<void> {
    const approval = { share: 0, failoverShare: 0, removals: [], down: [], broken: [] };
    const outcome = await applyPlans([plan], { checksum: checksumOf([plan]), ...approval }, () => this.provider());
    if ('failure' in outcome) throw outcome.failure;
  }

  /** What the zone answers a country in the present health: `paris 20%, cloud 80%` by cluster. */
  async answer(country: string): Promise<Readonly<Record<string, number>>> {
    const { records } = await (await this.#memory).read(zone);
    const reading = dialects.route53.interpret(readable(records));
    const clusterOf = clusterByAddress(this.platform);
    const failed = reading.checks.filter(({ address }) => this.down.has(clusterOf.get(address) ?? ''));
    const answer = sumByCluster(reading.view(host, 'A', failed).answer(country), (address) => clusterOf.get(address));
    return Object.fromEntries(answer);
  }

  async returns(): Promise<readonly Return[]> {
    const { records } = await (await this.#memory).read(zone);
    return readReturns(zone, records).get('video') ?? [];
  }

  async holds(): Promise<readonly Hold[]> {
    const { records } = await (await this.#memory).read(zone);
    return readHolds(zone, records).get('video') ?? [];
  }

  async provider(): Promise<ZoneProvider> {
    const memory = await this.#memory;
    return {
      ...memory,
      applyBatch: async (...words) => {
        this.#batches += 1;
        if (this.#batches >= this.failsBefore) {
          this.failsBefore = Infinity;
          throw new Error('the agent was killed');
        }
        return memory.applyBatch(...words);
      },
      readHealth: async (_state, keys) => {
        const clusterOf = clusterByAddress(this.platform);
        const { healthChecks } = intentOf(this.platform, 'route53', zone, 0);
        const clusters = new Map(healthChecks.map(({ key, address }) => [key, clusterOf.get(address) ?? '']));
        const told = keys.filter((key) => !this.silent.has(clusters.get(key) ?? ''));
        const addresses = new Map(healthChecks.map(({ key, address }) => [key, address]));
        const isDown = (key: string): boolean =>
          [clusters, addresses].some((names) => this.down.has(names.get(key) ?? ''));
        return new Map(told.map((key) => [key, !isDown(key)]));
      },
    };
  }
}
