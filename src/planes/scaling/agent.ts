import type { Platform } from '../../model/spec/platform.ts';
import { messageOf } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { Observed } from './compile/observed.ts';
import { type PresentHealth, targetsOf } from './compile/world.ts';
import type { MemoryFile } from './follow/memory.ts';
import type { Remembrance } from './follow/remembrance.ts';
import { type OpenStep, withLook } from './follow/steps.ts';
import type { Forecast, Question } from './forecast/forecast.ts';
import { type Step, stepMs } from './forecast/history.ts';
import { scalingMetrics } from './metrics.ts';
import { bookOf, type SeriesBook } from './serve/series.ts';
import { seriesOf } from './serve/series-of.ts';
import { type ScalingStatus, statusOf } from './status.ts';
import { type MeasuredNow, type Seen, stepOf } from './step.ts';

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
  /** So much more may come, as a part of what was measured. */
  readonly margin: number;
  readonly memory: Pick<MemoryFile, 'read' | 'write'>;
  /** Keeps what was measured, and forecasts by it; absent where demand is not measured here. */
  readonly history?: DemandHistory | undefined;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}

export interface DemandHistory {
  readonly append: (step: Step) => Promise<void>;
  /** Undefined where nothing is kept yet. */
  readonly forecast: (question: Question) => Promise<Forecast | undefined>;
}

/** Replicas that are wanted now are Ready by then, and so long it takes until somebody forecasts again. */
const aheadMs = 15 * 60_000;
/** The share of its own past errors that a margin covers. */
const quantile = 0.975;

const retry = { firstMs: 2000, ceilingMs: 30_000, jitter: [0.5, 1] } as const;
/** What was measured is told for so many intervals, and at least so long; then there is no number, and autoscalers keep what they have. */
const toldIntervals = 4;
const toldMs = 60_000;

/**
 * Follows demand and health, and keeps the numbers of one moment for the autoscalers of a cluster: what is measured as it is, and floors that rise at
 * once and fall slowly. Nothing of a workload is written.
 */
export class ScalingAgent {
  readonly #options: ScalingAgentOptions;
  readonly #loop: Loop;
  #kept: Remembrance | undefined;
  #lastDown: ReadonlySet<string> | undefined;
  #seen: Seen | undefined;
  #measured: MeasuredNow | undefined;
  #books: { readonly whole: SeriesBook; readonly floors: SeriesBook } = { whole: new Map(), floors: new Map() };
  #problem: string | undefined;
  #unwritten: string | undefined;
  #open: OpenStep | undefined;
  #forecast: Forecast | undefined;
  #forecastAtMs = -Infinity;
  #forecasting: Promise<void> | undefined;
  #unforecast: string | undefined;

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

  /** Starts a run soon, because something outside changed. */
  refresh(): void {
    this.#loop.trigger();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#forecasting;
  }

  /** The numbers as they are now. */
  book(): SeriesBook {
    const { clock, everyMs } = this.#options;
    const oldest = clock.now() - Math.max(toldMs, toldIntervals * everyMs);
    return this.#seen !== undefined && this.#seen.numbers.atMs >= oldest ? this.#books.whole : this.#books.floors;
  }

  status(): ScalingStatus {
    return statusOf({
      cluster: this.#options.cluster,
      seen: this.#seen,
      told: this.#kept?.floors ?? new Map(),
      problems: [this.#problem, this.#unwritten, this.#unforecast].filter((one) => one !== undefined),
    });
  }

  async #run(): Promise<number> {
    const { everyMs, clock, memory } = this.#options;
    const begunMs = clock.monotonic();
    if (this.#kept === undefined) {
      this.#kept = await memory.read();
      // What was told stands, also while nobody tells what comes.
      this.#write();
    }
    const seen = await this.#look(this.#kept);
    this.#take(seen);
    await this.#keepHistory();
    this.#unwritten = await memory.write(seen.kept);
    return Math.max(0, everyMs - (clock.monotonic() - begunMs));
  }

  async #look(before: Remembrance): Promise<Seen> {
    const { platform: current, cluster, measure, health, observe, margin, clock } = this.#options;
    const platform = current();
    const own = this.#targets(platform).map(([name]) => name);
    const [measured, present, observed] = await Promise.all([
      measure(platform),
      health(platform),
      observe(platform, own),
    ]);
    this.#measured = measured;
    // What is silent once may be so by chance.
    const last = this.#lastDown ?? present.down;
    this.#lastDown = present.down;
    const down = new Set([...present.down].filter((name) => last.has(name)));
    return stepOf(before, {
      platform,
      cluster,
      measured,
      health: { ...present, down },
      observed,
      margin,
      forecast: this.#forecast,
      nowMs: clock.now(),
    });
  }

  /** Keeps what was measured, and has a forecast made each five minutes; nobody waits for it. */
  async #keepHistory(): Promise<void> {
    const { history, clock, margin, log } = this.#options;
    if (history === undefined || this.#measured === undefined) return;
    const nowMs = clock.now();
    const { open, ended } = withLook(this.#open, this.#measured, nowMs);
    this.#open = open;
    if (ended !== undefined) {
      const failed = await history.append(ended).then(() => undefined, messageOf);
      this.#unforecast = failed === undefined ? undefined : `what was measured cannot be kept: ${failed}`;
    }
    if (this.#forecasting !== undefined || clock.monotonic() - this.#forecastAtMs < stepMs) return;
    this.#forecastAtMs = clock.monotonic();
    const question = { nowMs, atMs: nowMs + aheadMs, quantile, fallbackMargin: margin };
    this.#forecasting = history
      .forecast(question)
      .then((made) => {
        this.#forecast = made;
        this.#unforecast = undefined;
      })
      .catch((error: unknown) => {
        this.#unforecast = `nothing is forecast: ${messageOf(error)}`;
        log.warn({ error: messageOf(error) }, 'nothing is forecast; floors follow what is measured');
      })
      .finally(() => {
        this.#forecasting = undefined;
      });
  }

  #take(seen: Seen): void {
    for (const [target, { replicas }] of seen.kept.floors) {
      const from = this.#kept?.floors.get(target)?.replicas;
      if (from !== replicas) this.#options.log.info({ target, from, replicas }, 'a floor changed');
    }
    this.#kept = seen.kept;
    this.#seen = seen;
    this.#problem = undefined;
    this.#write();
  }

  #targets(platform: Platform): ReturnType<typeof targetsOf> {
    return targetsOf(platform).filter(([, { spec }]) => spec.cluster === this.#options.cluster);
  }

  /** Writes down what autoscalers are told. */
  #write(): void {
    const { platform, clock } = this.#options;
    const seen = this.#seen;
    const numbers = {
      targets: this.#targets(platform()),
      told: new Map([...(this.#kept?.floors ?? [])].map(([target, { replicas }]) => [target, replicas])),
      computedAtMs: seen?.atMs ?? clock.now(),
      observed: seen?.observed ?? new Map<string, Observed>(),
    };
    const measured = seen === undefined ? {} : { measured: seen.numbers };
    this.#books = { whole: bookOf(seriesOf({ ...numbers, ...measured })), floors: bookOf(seriesOf(numbers)) };
  }
}
