import { freezeInForce, freezeLine } from '../../model/platform/freezes.ts';
import { withOverlays } from '../../model/platform/overlays.ts';
import { shellWords } from '../../model/shell-words.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { PlanePart } from '../../model/status.ts';
import type {
  LeadershipView,
  ParityView,
  SteeringStatus,
  ZoneApplyView,
  ZoneView,
} from '../../model/steering-status.ts';
import { withoutUndefined } from '../../model/values.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { type Clock, sleep } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { AfterApply, type AskNameServers } from './after-apply.ts';
import { type ZoneAtProvider, zonesOf } from './compile/intent.ts';
import { connected } from './connected.ts';
import type { ProviderName } from './dialects/dialect.ts';
import { driftIn } from './drift-watch.ts';
import { withoutNews } from './held-overlays.ts';
import type { KnownZones } from './known-zones.ts';
import { type SteeringMetrics, steeringMetrics } from './metrics.ts';
import { msUntilMoments } from './moments.ts';
import { ParityWatch } from './parity-watch.ts';
import { applyPlans } from './plan/apply.ts';
import { approvalsFor } from './plan/guard.ts';
import { planPaced } from './plan/paced.ts';
import { type Asked, checksumOf, planEach, type ZonePlan } from './plan/plan.ts';
import type { Probe } from './plan/present.ts';
import type { Gate, ZoneProvider, ZoneReader } from './providers/provider.ts';
import { SteeringError, type SteeringReason } from './reasons.ts';
import { everything } from './records/scope.ts';
import { statusOf } from './status.ts';
import { type SpecTrouble, stepOf, type World } from './step.ts';
import { asksForPerson, heldBackNotice, type Told, toldOf } from './told.ts';
import { unnamedZone } from './unnamed.ts';
import { keyOf, memoriesOf, plannedAmong, plannedZone, stateOf, viewOf, ZoneMemory } from './zone-memory.ts';

/** What the agent may do. Only the one that applies has anything to write with. */
export type Hands =
  | { readonly mode: 'observe' | 'recommend' }
  | { readonly mode: 'automatic'; readonly write: (provider: ProviderName, gate: Gate) => Promise<ZoneProvider> };

/** One of several agents; without it every agent may write, and the fence of a zone lets one win. */
export interface Candidate {
  readonly leading: boolean;
  stand(): void;
  resign(): Promise<void>;
  status(): Omit<LeadershipView, 'by'>;
}

export interface SteeringAgentOptions {
  /** The last good platform. */
  readonly platform: () => Platform;
  readonly trouble: () => SpecTrouble;
  readonly hands: Hands;
  /** Connects to a provider by a transport that cannot write. */
  readonly read: (provider: ProviderName, gate: Gate) => Promise<ZoneReader>;
  readonly providers: ProviderName | 'all';
  readonly probe?: Probe;
  /** Asks the name servers after each apply; without it nobody is asked. */
  readonly ask?: AskNameServers | undefined;
  /** Looks what clusters lack of the hosts of the policies that name them; without it nobody does. */
  readonly parity?: (platform: Platform) => Promise<readonly ParityView[]>;
  /** How much of the traffic each country has, read anew for each plan; without it every country counts the same. */
  readonly weights?: () => Promise<Asked['weights']>;
  /** Who will have applied a plan. */
  readonly by: string;
  /** The words of a command that a person repeats, from the paths of the spec on. */
  readonly specWords: readonly string[];
  readonly candidate?: Candidate | undefined;
  /** The zones that were planned on this machine before; without it a start knows those of the policies alone. */
  readonly known?: KnownZones | undefined;
  /** Is told what became of this platform in every zone, after each run in which it was looked at. */
  readonly onLooked?: ((platform: Platform, zones: readonly ZoneView[]) => void) | undefined;
  /** The time between two looks at the zones when nothing changes, give or take a fifth. */
  readonly everyMs: number;
  readonly clock: Clock;
  /** A random number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly registry: Registry;
}

/** Meetings with other writers: the zone is read again at once. More in a row count as failures. */
const meetings: ReadonlySet<SteeringReason> = new Set(['StaleGeneration', 'WriteOverlapped', 'PlanChanged']);
const mostMeetings = 5;
/** What stops a write on its way without being anybody's fault. */
const stops: ReadonlySet<SteeringReason> = new Set(['Frozen', 'StandsBy', 'Interrupted']);
const retry = { firstMs: 5000, ceilingMs: 300_000, jitter: [0.5, 1] } as const;
const againMs = 500;
/** A stop waits so long for the request in flight. */
const patienceMs = 15_000;
const mostApplied = 20;

/**
 * Keeps the zones as the policies want them: platform and zone → plan → one step for each zone. It remembers nothing that it could not read
 * again. What the guards do not allow is never applied: it waits, and says by which command a person applies it.
 */
export class SteeringAgent {
  readonly #options: SteeringAgentOptions;
  readonly #loop: Loop;
  readonly #metrics: SteeringMetrics;
  readonly #zones: Map<string, ZoneMemory>;
  readonly #readers = new Map<ProviderName, Promise<ZoneReader>>();
  readonly #writers = new Map<ProviderName, Promise<ZoneProvider>>();
  readonly #after: AfterApply | undefined;
  readonly #parity: ParityWatch | undefined;
  #applied: readonly ZoneApplyView[] = [];
  #stopping = false;
  /** How often something outside changed. */
  #changes = 0;

  constructor(options: SteeringAgentOptions) {
    this.#options = options;
    const { clock, log, registry, ask, parity, known, everyMs } = options;
    this.#zones = memoriesOf(known?.zones ?? [], clock.now());
    this.#after = ask === undefined ? undefined : new AfterApply({ ask, log, onChange: () => this.refresh() });
    if (parity !== undefined) this.#parity = new ParityWatch({ look: parity, everyMs: everyMs / 2, clock, log });
    this.#metrics = steeringMetrics(
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
      onError: (error) => log.error({ err: error }, 'a run of the steering agent failed; tried again'),
    });
  }

  start(): void {
    this.#options.candidate?.stand();
    this.#loop.trigger();
  }

  /** Starts a run soon, because something outside changed. */
  refresh(): void {
    this.#changes += 1;
    this.#loop.trigger();
  }

  status(): PlanePart<SteeringStatus> {
    const { clock, hands, candidate } = this.#options;
    return statusOf({
      mode: hands.mode,
      leadership: candidate === undefined ? { by: 'fence', leading: true } : { by: 'lease', ...candidate.status() },
      zones: this.#zones.values(),
      applied: this.#applied,
      parity: this.#parity?.views,
      nowMs: clock.now(),
      monotonicMs: clock.monotonic(),
    });
  }

  /**
   * Ends the agent. No further request leaves after this is called; one in flight is waited for. What was begun is left as it is, which is
   * whole for every host, and whoever plans next goes on from there.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#after?.stop();
    const { clock, candidate } = this.#options;
    await Promise.race([this.#loop.stop(), sleep(clock, patienceMs)]);
    await candidate?.resign();
  }

  /** Looks at every zone that is due; resolves with the ms until the next run is due by itself. */
  async #run(): Promise<number> {
    const { candidate, clock, known, onLooked } = this.#options;
    if (this.#stopping) return Infinity;
    const [changes, looked] = [this.#changes, this.#platform()];
    const zones = this.#take(zonesOf(looked));
    if (candidate?.leading === false) {
      for (const memory of this.#zones.values()) memory.note('standby', [], clock.now());
      this.#parity?.forget();
      await known?.keep(plannedAmong(this.#zones));
      return this.#untilNext(zones);
    }
    this.#parity?.refresh(looked);
    const plans: ZonePlan[] = [];
    let again = false;
    for (const memory of zones) {
      if (memory.retryAtMs > clock.monotonic()) continue;
      const plan = await this.#lookAt(memory);
      if (plan === 'again') again = true;
      else if (plan !== undefined) plans.push(plan);
    }
    const unnamed = await this.#lookAtUnnamed(zones);
    await known?.keep(plannedAmong(this.#zones));
    this.#sayWhatToDo(zones, plans);
    // A platform that changed meanwhile is looked at again at once.
    if (!again && changes === this.#changes) onLooked?.(looked, this.status().zones);
    return again ? againMs * (1 + this.#options.random()) : this.#untilNext([...zones, ...unnamed]);
  }

  /** The memories of these zones; those of others are forgotten, unless they were planned before, here or by an earlier agent. */
  #take(zones: readonly ZoneAtProvider[]): readonly ZoneMemory[] {
    const { clock, providers } = this.#options;
    const wanted = zones.filter(({ provider }) => providers === 'all' || provider === providers);
    const memories = wanted.map((zone) => this.#zones.get(keyOf(zone)) ?? new ZoneMemory(zone, clock.now()));
    for (const [key, memory] of this.#zones) if (!memory.wasPlanned) this.#zones.delete(key);
    for (const memory of memories) this.#zones.set(keyOf(memory), memory);
    return memories;
  }

  /** Keeps the zones that no policy names any more while something of ours is left in them; none is written. */
  async #lookAtUnnamed(named: readonly ZoneMemory[]): Promise<readonly ZoneMemory[]> {
    const { clock, specWords } = this.#options;
    const unnamed = [...this.#zones.values()].filter((memory) => !named.includes(memory));
    for (const memory of unnamed.filter(({ retryAtMs }) => retryAtMs <= clock.monotonic())) {
      try {
        const told = await unnamedZone(memory, await this.#reader(memory.provider), specWords);
        memory.noteUnnamed(clock.now());
        if (told !== undefined) this.#note(memory, 'waits', [told]);
        else this.#zones.delete(keyOf(memory));
      } catch (error) {
        this.#failed(memory, error);
      }
    }
    return unnamed;
  }

  /** Plans one zone, and applies the plan when nothing speaks against it. Never rejects. */
  async #lookAt(memory: ZoneMemory): Promise<ZonePlan | 'again' | undefined> {
    try {
      const plan = await this.#plan(memory);
      memory.notePlan(plan, this.#platform());
      await this.#lookForDrift(memory, plan);
      const step = stepOf(this.#world(), plannedZone(plan));
      if (step.does === 'apply' && (await this.#apply(memory, plan))) return 'again';
      if (step.does === 'wait' && (await this.#applyTheRest(memory, plan))) return 'again';
      memory.collisions = 0;
      this.#after?.look(plan);
      const held = plan.heldBack.map(heldBackNotice);
      const isHeld = step.does === 'nothing' && held.length > 0;
      this.#note(memory, isHeld ? 'waits' : stateOf[step.does], [
        ...step.because,
        ...held,
        ...plan.notices.filter(({ reason }) => reason === 'FailbackPartly'),
        ...(this.#after?.notices(plan) ?? []),
      ]);
      return plan;
    } catch (error) {
      return this.#failed(memory, error);
    }
  }

  async #plan(memory: ZoneMemory, platform = this.#platform()): Promise<ZonePlan> {
    const { clock, hands, by, probe, weights } = this.#options;
    const { provider, zone } = memory;
    const asked = { by, ...withoutUndefined({ probe, weights: await weights?.() }) };
    const purpose = { zones: [{ provider, zone }], purpose: everything };
    const [plan] = await planEach(platform, purpose, (name) => this.#reader(name), clock.now(), asked);
    if (plan === undefined) throw new Error(`no plan of ${provider} zone ${zone}`);
    if (hands.mode !== 'automatic') return plan;
    const watch = { counts: memory.counts, nowMs: clock.now(), monotonicMs: clock.monotonic(), asked };
    const watched = await planPaced(platform, await this.#reader(provider), plan, watch);
    memory.counts = watched.counts;
    return watched.plan;
  }

  /** Applies what does not wait for a person, where only overlays do that are not in the zone yet. */
  async #applyTheRest(memory: ZoneMemory, waiting: ZonePlan): Promise<boolean> {
    const { hands, platform, clock } = this.#options;
    const rest = hands.mode === 'automatic' ? withoutNews(platform(), waiting, clock.now()) : undefined;
    if (rest === undefined) return false;
    const plan = await this.#plan(memory, rest);
    return stepOf(this.#world(), plannedZone(plan)).does === 'apply' && this.#apply(memory, plan);
  }

  #platform(): Platform {
    return withOverlays(this.#options.platform(), this.#options.clock.now());
  }

  #reader(provider: ProviderName): Promise<ZoneReader> {
    return connected(this.#readers, provider, () => this.#options.read(provider, this.#gate));
  }

  async #lookForDrift(memory: ZoneMemory, plan: ZonePlan): Promise<void> {
    const { clock, log } = this.#options;
    const { provider, zone } = plan;
    const drift = await driftIn(plan, this.#platform(), await this.#reader(provider));
    if (memory.noteDrift(drift, clock.now()))
      log.warn({ provider, zone, detail: drift?.what, edits: drift?.lines }, 'somebody else edited a zone');
  }

  /** Carries a plan out; it is refused again there if it needs any approval. False for an agent that has nothing to write with. */
  async #apply(memory: ZoneMemory, plan: ZonePlan): Promise<boolean> {
    const { hands, clock, log } = this.#options;
    if (hands.mode !== 'automatic') return false;
    this.#note(memory, 'applies', []);
    const checksum = checksumOf([plan]);
    const nobodys = { share: 0, failoverShare: 0, removals: [], down: [], broken: [] };
    const outcome = await applyPlans([plan], { checksum, ...nobodys }, (name) =>
      connected(this.#writers, name, () => hands.write(name, this.#gate)),
    );
    if ('failure' in outcome) throw outcome.failure;
    const [written] = outcome.applied;
    if (written === undefined) return true;
    const { provider, zone, generation } = written;
    const { movedShare, hosts, countries } = viewOf(plan);
    const view = { provider, zone, atMs: clock.now(), checksum, generation, movedShare, hosts, countries };
    this.#applied = [view, ...this.#applied].slice(0, mostApplied);
    this.#metrics.applied(written);
    this.#after?.applied(plan, generation);
    log.info({ provider, zone, plan: checksum, generation, movedShare }, 'a plan was applied');
    return true;
  }

  #world(): World {
    const { hands, trouble } = this.#options;
    const frozen = this.#frozen();
    return { mode: hands.mode, trouble: trouble(), ...(frozen === undefined ? {} : { frozen }) };
  }

  #frozen(): string | undefined {
    const { platform, clock } = this.#options;
    const freeze = freezeInForce(platform(), clock.now());
    return freeze === undefined ? undefined : freezeLine(freeze);
  }

  /** Judges every single request, so that a Freeze, a lost Lease or a stop holds within one request, wherever a write stands. */
  readonly #gate: Gate = (request) => {
    if (this.#stopping) throw new SteeringError('Interrupted', 'the agent was asked to end');
    if (request === 'read') return;
    const frozen = this.#frozen();
    if (frozen !== undefined) throw new SteeringError('Frozen', frozen);
    if (this.#options.candidate?.leading === false)
      throw new SteeringError('StandsBy', 'this agent holds the Lease no more');
  };

  #failed(memory: ZoneMemory, error: unknown): 'again' | undefined {
    const { clock, random } = this.#options;
    const told = toldOf(error);
    const { reason } = told;
    // A connection may be the cause: its credentials or what it remembers of the zone.
    this.#readers.delete(memory.provider);
    this.#writers.delete(memory.provider);
    if (stops.has(reason)) {
      this.#note(memory, reason === 'StandsBy' ? 'standby' : 'waits', [told]);
      return undefined;
    }
    if (meetings.has(reason) && memory.collisions < mostMeetings) {
      memory.collisions += 1;
      return 'again';
    }
    memory.failures += 1;
    memory.retryAtMs = clock.monotonic() + backoffMs(memory.failures, retry, { random });
    this.#note(memory, 'fails', [told]);
    return undefined;
  }

  #note(memory: ZoneMemory, state: ZoneMemory['state'], because: readonly Told[]): void {
    const { clock, log } = this.#options;
    const { provider, zone } = memory;
    for (const { reason, message } of memory.note(state, because, clock.now()))
      log.warn({ provider, zone, state, reason, detail: message }, 'a zone is not as the policies want it');
  }

  /**
   * Adds to each condition that a person can end by a command which one it is. A command speaks of all zones of a provider, and has its
   * checksum only when all of them were planned now.
   */
  #sayWhatToDo(zones: readonly ZoneMemory[], plans: readonly ZonePlan[]): void {
    if (this.#options.hands.mode === 'observe') return;
    for (const [provider, memories] of Map.groupBy(zones, (memory) => memory.provider)) {
      const theirs = plans.filter((plan) => plan.provider === provider);
      const command = this.#command(provider, theirs.length === memories.length ? theirs : undefined);
      for (const memory of memories)
        memory.conditions = memory.conditions.map((one) =>
          asksForPerson.has(one.reason) ? { ...one, fix: command } : one,
        );
    }
  }

  #command(provider: ProviderName, plans: readonly ZonePlan[] | undefined): string {
    const words = ['tideline', 'steering', plans === undefined ? 'plan' : 'apply', ...this.#options.specWords];
    const start = shellWords([...words, '--provider', provider]);
    if (plans === undefined) return start;
    return [start, `--plan ${checksumOf(plans)}`, ...approvalsFor(plans.flatMap(({ overGuard }) => overGuard))].join(
      ' ',
    );
  }

  /** Until the next look, the end of a Drain or a Freeze, or the next attempt, whichever comes first. */
  #untilNext(zones: readonly ZoneMemory[]): number {
    const { platform, clock, everyMs, random } = this.#options;
    const tries = zones.map(({ retryAtMs }) => retryAtMs - clock.monotonic()).filter((ms) => ms > 0);
    const lookMs = everyMs * (0.8 + 0.4 * random());
    return Math.max(1, Math.min(lookMs, ...msUntilMoments(platform(), clock.now()), ...tries));
  }
}
