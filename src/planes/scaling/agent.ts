import { answersNow, drainedAt } from '../../answers/answers.ts';
import { freezeInForce, freezeLine } from '../../model/platform/freezes.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { messageOf } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { nothing } from './compile/failures.ts';
import { type Floor, floorsOf, rememberedArriving } from './compile/floors.ts';
import type { Observed } from './compile/observed.ts';
import type { PresentHealth, ScalingWorld } from './compile/world.ts';
import { demandOf, type Measured } from './demand.ts';
import { floorFindings, readFindings } from './findings.ts';
import { earlierText, type KnownRates, knownRates, withKnown } from './follow/demand-kept.ts';
import { type KeptFloor, keptFloors } from './follow/floors-kept.ts';
import type { MemoryFile } from './follow/memory.ts';
import { releaseDoubts } from './hold/doubts.ts';
import { scalingMetrics } from './metrics.ts';
import type { ScalingFinding } from './reasons.ts';
import { bookOf, type SeriesBook } from './serve/series.ts';
import { type MeasuredNumbers, seriesOf } from './serve/series-of.ts';
import { type ScalingStatus, statusOf } from './status.ts';

/** What edges counted in the last minute, or somebody wrote down. */
export interface MeasuredNow extends Omit<Measured, 'margin'> {
  /** The time over which it was measured. */
  readonly seconds: number;
  readonly hosts: ReadonlyMap<string, number>;
}

export interface ScalingAgentOptions {
  /** The last good platform. */
  readonly platform: () => Platform;
  /** The Cluster whose autoscalers are served. */
  readonly cluster: string;
  /** Rejects where nothing was measured. */
  readonly measure: (platform: Platform) => Promise<MeasuredNow>;
  readonly health: (platform: Platform) => Promise<PresentHealth>;
  /** Asks the agent's own cluster; never rejects. */
  readonly observe: (platform: Platform, targets: readonly string[]) => Promise<ReadonlyMap<string, Observed>>;
  readonly margin: number;
  readonly memory: MemoryFile;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}

/** What a run found out. */
export interface Seen {
  readonly world: ScalingWorld;
  readonly floors: readonly Floor[];
  readonly observed: ReadonlyMap<string, Observed>;
  readonly findings: readonly ScalingFinding[];
  readonly doubts: readonly string[];
  readonly atMs: number;
}

const retry = { firstMs: 2000, ceilingMs: 30_000, jitter: [0.5, 1] } as const;
/** What was measured is told for so many intervals, and at least so long; then there is no number, and autoscalers keep what they have. */
const toldIntervals = 4;
const toldMs = 60_000;

/**
 * Follows demand and health, and keeps the numbers of one moment for the autoscalers of a cluster: what is measured as it is, and floors that rise at
 * once and fall slowly. Nothing of a cluster is written.
 */
export class ScalingAgent {
  readonly #options: ScalingAgentOptions;
  readonly #loop: Loop;
  #floors: ReadonlyMap<string, KeptFloor> = new Map();
  #rates: KnownRates = new Map();
  #isRemembered = false;
  #seen: Seen | undefined;
  #measured: MeasuredNumbers | undefined;
  #problem: string | undefined;
  #unwritten: string | undefined;
  #frozen: string | undefined;

  constructor(options: ScalingAgentOptions) {
    this.#options = options;
    const { clock, log, registry } = options;
    scalingMetrics(
      registry,
      () => this.status(),
      () => clock.now(),
    );
    this.#loop = new Loop({
      clock,
      debounceMs: 100,
      ceilingMs: 1000,
      retry,
      run: () => this.#run(),
      onError: (error) => {
        this.#problem = messageOf(error);
        log.warn({ error: this.#problem }, 'floors could not be computed; what was told stays');
      },
    });
  }

  start(): void {
    this.#loop.trigger();
  }

  refresh(): void {
    this.#loop.trigger();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** The numbers as they are now. */
  book(): SeriesBook {
    const { cluster, clock, everyMs } = this.#options;
    const measured = this.#measured;
    const oldest = clock.now() - Math.max(toldMs, toldIntervals * everyMs);
    return bookOf(
      seriesOf({
        cluster,
        floors: this.#seen?.floors ?? [],
        told: new Map([...this.#floors].map(([target, { replicas }]) => [target, replicas])),
        computedAtMs: this.#seen?.atMs ?? clock.now(),
        observed: this.#seen?.observed ?? new Map(),
        ...(measured === undefined || measured.atMs < oldest ? {} : { measured }),
      }),
    );
  }

  status(): ScalingStatus {
    return statusOf({
      cluster: this.#options.cluster,
      seen: this.#seen,
      floors: this.#floors,
      problem: this.#problem,
      unwritten: this.#unwritten,
      frozen: this.#frozen,
    });
  }

  async #run(): Promise<number> {
    const { everyMs, clock, memory } = this.#options;
    if (!this.#isRemembered) {
      const { floors, rates } = await memory.read();
      this.#floors = floors;
      this.#rates = rates;
      this.#isRemembered = true;
    }
    const measured = await this.#measure();
    const seen = await this.#look(measured);
    this.#keep(seen);
    this.#measured = numbersOf(measured, seen);
    this.#seen = seen;
    this.#problem = undefined;
    this.#unwritten = await memory.write({ floors: this.#floors, rates: this.#rates });
    return Math.max(0, everyMs - (clock.now() - seen.atMs));
  }

  async #measure(): Promise<MeasuredNow> {
    const { measure, platform, clock } = this.#options;
    const measured = await measure(platform());
    this.#rates = knownRates(this.#rates, measured, clock.now());
    return measured;
  }

  async #look(measured: MeasuredNow): Promise<Seen> {
    const { platform: current, cluster, health, observe, margin, clock } = this.#options;
    const platform = current();
    const atMs = clock.now();
    const earlier = earlierText(this.#rates, measured);
    const demand = demandOf(platform, { ...withKnown({ ...measured, margin }, this.#rates) }, atMs);
    const own = [...platform.scalingTargets].flatMap(([name, { spec }]) => (spec.cluster === cluster ? [name] : []));
    const [present, observed] = await Promise.all([health(platform), observe(platform, own)]);
    const world: ScalingWorld = {
      platform,
      answers: new Map([...platform.policies].map(([name, policy]) => [name, answersNow(platform, policy, atMs)])),
      demand: { ...demand, unheard: [...demand.unheard, ...(earlier === undefined ? [] : [earlier])] },
      drained: drainedAt(platform, atMs),
      health: present,
    };
    const arriving = rememberedArriving(world);
    const floors = floorsOf(world, arriving);
    const doubts = releaseDoubts({ world, arriving, floors, observed }, atMs);
    const ofOwn = floors.filter(({ target }) => own.includes(target));
    const findings = [
      ...readFindings(world, observed, false),
      ...ofOwn.flatMap((floor) => floorFindings(floor, observed.get(floor.target))),
    ];
    return { world, floors: ofOwn, observed, findings, doubts, atMs };
  }

  #keep({ world, floors, doubts, atMs }: Seen): void {
    const { log } = this.#options;
    const freeze = freezeInForce(world.platform, atMs);
    this.#frozen = freeze === undefined ? undefined : freezeLine(freeze);
    if (freeze !== undefined) return;
    const before = this.#floors;
    this.#floors = keptFloors(before, floors, { nowMs: atMs, doubts });
    for (const [target, { replicas }] of this.#floors) {
      const from = before.get(target)?.replicas;
      if (from !== replicas) log.info({ target, from, replicas }, 'a floor changed');
    }
  }
}

function numbersOf({ rates, seconds, hosts, unknownPerSecond }: MeasuredNow, { world }: Seen): MeasuredNumbers {
  const all = Object.values(rates.requestsPerSecond).reduce((sum, rate) => sum + rate, unknownPerSecond);
  // Floors count with a margin; what is told of now is what was measured.
  const arriving = rememberedArriving({ ...world, demand: { ...world.demand, factor: 1 } })(nothing);
  return {
    atMs: rates.measuredAtMs,
    seconds,
    arriving,
    policies: new Map([...world.demand.shares].map(([policy, share]) => [policy, all * share])),
    hosts,
    countries: new Map(Object.entries(rates.requestsPerSecond)),
  };
}
