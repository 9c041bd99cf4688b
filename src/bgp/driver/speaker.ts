import { comparePrefixes, type Prefix, parsePrefix } from '../../model/address.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { warnOfFew } from '../../runtime/few.ts';
import { Last } from '../../runtime/last.ts';
import type { Log } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { Signal, type Unsubscribe } from '../../runtime/signal.ts';
import { diffRoutes, routeSet } from '../diff.ts';
import { Guard, type GuardLimits, type Judgement } from '../guard.ts';
import { readEveryMs, startHeartbeat } from '../heartbeat.ts';
import { reasons } from '../reasons.ts';
import type { Route } from '../route.ts';
import type { DesiredOptions, NeighborStatus, RouteRefusal, Speaker, SpeakerStatus } from '../speaker.ts';
import type { LeaseTerms, RelayMessage, RelayState } from '../wire.ts';
import { RelayConnection } from './connection.ts';
import { FaultLog } from './faults.ts';
import { noMetrics, type SpeakerMetrics, speakerMetrics } from './metrics.ts';

export interface SpeakerOptions {
  /** The relay's socket, `<run-dir>/bgp.sock`. */
  readonly socketPath: string;
  /** As a function it is asked in every judgement. */
  readonly limits: GuardLimits | (() => GuardLimits);
  /** The lease of the VIPs; absent on servers that announce none. As a function it is asked whenever the set is sent. */
  readonly lease?: LeaseTerms | (() => LeaseTerms);
  readonly clock: Clock;
  readonly log: Log;
  readonly registry?: Registry;
  /** Interval at which the relay reads back and compares what ExaBGP holds. Default 30,000. */
  readonly verifyEveryMs?: number;
}

/** The driver of one server's ExaBGP through its relay (`bgp/README.md`). Constructing it has no effect. */
export function createSpeaker(options: SpeakerOptions): Speaker {
  return new RelaySpeaker(options);
}

/** A relay that says every second that it lives is taken to hang after this time. */
const silentAfterMs = 5000;

/** Of a part that hangs nothing is known, and a session that is not known to be up counts as down. */
function neighborOf(
  { address, asn, up, changedAtMs, reason }: NeighborStatus,
  relay: SpeakerStatus['relay'],
): NeighborStatus {
  const why = relay === 'silent' ? 'RelaySilent' : relay === 'exabgpSilent' ? 'ExabgpSilent' : undefined;
  return { address, asn, up: up && why === undefined, ...withoutUndefined({ changedAtMs, reason: why ?? reason }) };
}

class RelaySpeaker implements Speaker {
  readonly #options: SpeakerOptions;
  readonly #guard: Guard;
  readonly #metrics: SpeakerMetrics;
  readonly #connection: RelayConnection;
  readonly #statuses: Signal<SpeakerStatus>;
  readonly #timers: { renew?: Timer; verify?: Timer; retry?: Timer } = {};
  #desired: readonly Route[] | undefined;
  #how: DesiredOptions = {};
  #yields = false;
  #judgement: Judgement = { target: [], refusals: [], complete: false };
  #revision = 0;
  /** The last revision sent on this connection; nothing is sent before the relay is synchronised. */
  #sent: number | undefined;
  /** The terms that the relay obeys since the last set was sent. */
  #leaseSent: LeaseTerms | undefined;
  /** True when the desired set has changed since it was last sent. */
  #due = false;
  #adopted = false;
  #state: RelayState | undefined;
  /** When the relay last wrote something, once it has said that it lives; monotonic ms. */
  #heardMs: number | undefined;
  #silent = false;
  readonly #faults: FaultLog;
  #stopHeartbeat: () => void = () => {};
  #held: readonly Route[] = [];
  #fixed: ReadonlySet<string> = new Set();
  #fixedPrefixes: readonly Prefix[] = [];
  readonly #differences = new Last<number>();
  #stopped = false;
  /** True while another agent is in charge: two agents that replace each other would flap every route. */
  #replaced = false;

  constructor(options: SpeakerOptions) {
    this.#options = options;
    this.#guard = new Guard(options.limits);
    this.#faults = new FaultLog(options.log);
    this.#statuses = new Signal((error) => options.log.error({ err: error }, 'a listener of the speaker failed'));
    this.#metrics = options.registry === undefined ? noMetrics : speakerMetrics(options.registry);
    this.#connection = new RelayConnection({
      path: options.socketPath,
      clock: options.clock,
      onMessage: (message) => this.#receive(message),
      onClose: () => this.#connectionClosed(),
    });
  }

  start(): void {
    this.#connection.start();
    const { clock } = this.#options;
    this.#stopHeartbeat = startHeartbeat(clock, () => {
      this.#checkRelay();
      this.#faults.record(this.status(), clock.monotonic());
    });
    this.#readBackEvery(this.#options.verifyEveryMs ?? readEveryMs);
    this.#renewLater();
  }

  setDesired(routes: readonly Route[], options: DesiredOptions = {}): void {
    this.#desired = [...routes];
    this.#how = options;
    this.#due = true;
    this.#judgeAndSend();
  }

  setYields(yields: boolean): void {
    if (yields === this.#yields) return;
    this.#yields = yields;
    this.reconsider();
  }

  reconsider(): void {
    this.#due = true;
    this.#judgeAndSend();
  }

  status(): SpeakerStatus {
    const relay = this.#relayState();
    return {
      relay,
      neighbors: (this.#state?.neighbors ?? []).map((neighbor) => neighborOf(neighbor, relay)),
      announced: this.#held,
      refusals: [...this.#judgement.refusals, ...(this.#state?.rejected ?? [])],
      fixed: this.#fixedPrefixes,
      ...withoutUndefined({ yielded: this.#state?.yielded }),
    };
  }

  onStatus(listener: (status: SpeakerStatus) => void): Unsubscribe {
    return this.#statuses.subscribe(listener);
  }

  settled(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        timer.cancel();
        unsubscribe();
        if (error === undefined) resolve();
        else reject(error);
      };
      const unsubscribe = this.onStatus(() => {
        if (this.#isSettled()) done();
      });
      const timer = this.#options.clock.setTimeout(() => {
        done(
          new Error(`ExaBGP has not acknowledged the routes within ${timeoutMs} ms (relay: ${this.status().relay})`),
        );
      }, timeoutMs);
      if (this.#isSettled()) done();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopHeartbeat();
    for (const timer of Object.values(this.#timers)) timer.cancel();
    await this.#connection.stop();
  }

  #relayState(): SpeakerStatus['relay'] {
    if (this.#state === undefined) return 'disconnected';
    if (this.#silent) return 'silent';
    return this.#state.exabgpSilent ? 'exabgpSilent' : this.#state.phase;
  }

  /** The relay says that it lives every second; one of an older version does not say it, and is not waited for. */
  #checkRelay(): void {
    const silent = this.#heardMs !== undefined && this.#options.clock.monotonic() - this.#heardMs > silentAfterMs;
    if (silent === this.#silent) return;
    this.#silent = silent;
    this.#publishStatus();
  }

  #isSettled(): boolean {
    return !this.#due && this.#state?.settled === true && this.#state.revision === this.#sent;
  }

  #receive(message: RelayMessage): void {
    if (message.type === 'alive' || this.#heardMs !== undefined) this.#heardMs = this.#options.clock.monotonic();
    if (this.#silent) this.#checkRelay();
    switch (message.type) {
      case 'alive':
        return;
      case 'held':
        this.#held = message.routes;
        this.#fixed = new Set(message.fixed);
        this.#fixedPrefixes = message.fixed.flatMap((text) => parsePrefix(text) ?? []).toSorted(comparePrefixes);
        this.#publishStatus();
        return;
      case 'state':
        this.#state = message;
        if (!message.hasAgent) this.#replaced = false;
        if (message.phase === 'synced' && (this.#due || this.#sent === undefined)) this.#judgeAndSend();
        else this.#publishStatus();
        return;
      case 'replaced':
        this.#replaced = true;
        this.#metrics.countRefusal('AgentReplaced');
        this.#options.log.error({ reason: 'AgentReplaced' }, reasons.AgentReplaced);
        return;
      case 'refused':
        this.#options.log.error({ reason: message.reason, detail: message.message }, 'the relay refused a message');
    }
  }

  #connectionClosed(): void {
    this.#heardMs = undefined;
    this.#silent = false;
    this.#state = undefined;
    this.#sent = undefined;
    this.#publishStatus();
  }

  /** Judges the desired set and sends the result; what the relay reports first is the base of the first judgement. */
  #judgeAndSend(): void {
    this.#timers.retry?.cancel();
    if (this.#stopped || this.#replaced || this.#desired === undefined || this.#state?.phase !== 'synced')
      return this.#publishStatus();
    if (!this.#adopted) {
      this.#adopted = true;
      this.#guard.adopt(this.#held.filter((route) => !this.#fixed.has(route.prefix.text)));
    }
    const before = this.#judgement;
    this.#judgement = this.#guard.judge(this.#desired, {
      families: new Set(this.#state.neighbors.map(({ family }) => family)),
      nowMs: this.#options.clock.monotonic(),
      confirmed: this.#how.confirmed ?? false,
      ...withoutUndefined({ disproved: this.#how.disproved }),
    });
    this.#reportRefusals(before.refusals);
    // Our revision is above that of every earlier agent, so that the acknowledgement of its set is not taken for ours.
    this.#revision = Math.max(this.#revision, this.#state.revision) + 1;
    const { target, complete, retryAfterMs } = this.#judgement;
    const lease = this.#lease();
    const message = { type: 'desired', revision: this.#revision, complete, routes: target } as const;
    const yields = this.#yields ? true : undefined;
    if (this.#connection.send({ ...message, ...withoutUndefined({ lease, yields }) })) {
      this.#sent = this.#revision;
      this.#due = false;
      this.#leaseSent = lease;
      this.#renewLater();
    }
    if (retryAfterMs !== undefined) {
      this.#timers.retry = this.#options.clock.setTimeout(() => {
        this.#due = true;
        this.#judgeAndSend();
      }, retryAfterMs);
    }
    this.#publishStatus();
  }

  #lease(): LeaseTerms | undefined {
    const { lease } = this.#options;
    return typeof lease === 'function' ? lease() : lease;
  }

  /**
   * Renews the lease after a fifth of the shorter term: the one that the relay obeys, or the one that the next set brings. Every
   * set that is sent starts this anew, because a timer from before could end after a shorter lease.
   */
  #renewLater(): void {
    this.#timers.renew?.cancel();
    const terms = [this.#leaseSent, this.#lease()].flatMap((lease) => lease?.seconds ?? []);
    if (terms.length === 0 || this.#stopped) return;
    const renew = (): void => {
      this.#sendInCharge('renew');
      this.#renewLater();
    };
    this.#timers.renew = this.#options.clock.setTimeout(renew, Math.min(...terms) * 200);
  }

  /** Sends nothing before the first desired set, which makes this connection the relay's agent. */
  #sendInCharge(type: 'renew' | 'read'): void {
    if (this.#sent !== undefined) this.#connection.send({ type });
  }

  #reportRefusals(before: readonly RouteRefusal[]): void {
    const known = new Set(before.map(({ prefix, reason }) => `${prefix} ${reason}`));
    const fresh = this.#judgement.refusals.filter(({ prefix, reason }) => !known.has(`${prefix} ${reason}`));
    for (const { reason } of fresh) this.#metrics.countRefusal(reason);
    warnOfFew(this.#options.log, fresh, 'a route was refused');
  }

  #publishStatus(): void {
    const status = this.status();
    this.#faults.record(status, this.#options.clock.monotonic());
    const differences = this.#differences.get([this.#held, this.#fixed, this.#judgement.target], () => {
      const isOurs = (route: Route): boolean => !this.#fixed.has(route.prefix.text);
      const { announce, withdraw } = diffRoutes(
        routeSet(this.#held.filter(isOurs)),
        routeSet(this.#judgement.target.filter(isOurs)),
      );
      return announce.length + withdraw.length;
    });
    this.#metrics.recordStatus(status, this.#desired?.length ?? 0, differences + this.#countUnannounced());
    this.#statuses.emit(status);
  }

  /** The prefixes that are wanted and refused, so that nobody hears of them: no other gauge would say that they are missing. */
  #countUnannounced(): number {
    const { refusals, target } = this.#judgement;
    const refused = refusals.filter(({ action }) => action === 'announce').map(({ prefix }) => prefix);
    if (refused.length === 0) return 0;
    const granted = new Set(target.map(({ prefix }) => prefix.text));
    return new Set(refused.filter((prefix) => !granted.has(prefix))).size;
  }

  #readBackEvery(delayMs: number): void {
    this.#timers.verify = this.#options.clock.setTimeout(() => {
      this.#sendInCharge('read');
      if (!this.#stopped) this.#readBackEvery(delayMs);
    }, delayMs);
  }
}
