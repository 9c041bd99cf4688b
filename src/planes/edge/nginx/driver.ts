import { chmod } from 'node:fs/promises';
import { messageOf } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { Loop } from '../../../runtime/loop.ts';
import { Signal, type Unsubscribe } from '../../../runtime/signal.ts';
import type { RequestCounts } from '../requests/counts.ts';
import type { Backend, DataPlane, DataPlaneStatus, HealthReport, RoutingTable } from '../table.ts';
import { type Acknowledgement, ControlChannel, ControlRefusal } from './control.ts';
import {
  type Convergence,
  type Failure,
  type Message,
  messageFailed,
  newConvergence,
  nextMessage,
  type Outcome,
  type Push,
  pushAcknowledged,
  putAcknowledged,
  type Setting,
  type SettingBody,
  type Subject,
  statusOf,
  statusReceived,
  versionOf,
  wantEndpoints,
  wantSetting,
  wantTable,
} from './convergence.ts';
import { Debt } from './debt.ts';
import { deltaSize, encodeDelta } from './delta.ts';
import type { DataPlaneReason } from './reasons.ts';
import { Waiters } from './waiters.ts';

export interface DataPlaneOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The length of a part, which nginx stages without holding up requests for more than a few milliseconds. */
const partLength = 32 * 1024;

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  return new NginxDriver(options);
}

/**
 * Converges one nginx to the wanted table: `convergence.ts` says what to send, this loop sends it, one message at a
 * time, and `waiters.ts` keeps the promises of callers. A change waits while nginx is away, and its promise is rejected
 * when nginx refuses it. Status listeners are also called when an nginx that was started has got its first table.
 */
class NginxDriver implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #channel: ControlChannel;
  readonly #loop: Loop;
  readonly #statuses: Signal<DataPlaneStatus | undefined>;
  readonly #waiters = new Waiters();
  #state = newConvergence();
  readonly #debt = new Debt();
  #life: 'new' | 'started' | 'stopped' = 'new';

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    const { socketPath, clock, log } = options;
    this.#channel = new ControlChannel(socketPath, () => {
      this.#debt.takes(clock.monotonic());
    });
    this.#statuses = new Signal((error) => log.error({ err: error }, 'a listener of the data plane failed'));
    this.#loop = new Loop({
      clock,
      run: () => this.#converge(),
      onError: (error) => this.#reportRefusal(error),
      retry: { firstMs: 50, ceilingMs: 1000 },
    });
  }

  start(): void {
    this.#life = 'started';
    this.#loop.trigger();
  }

  apply(table: RoutingTable): Promise<number> {
    return this.#waitFor('table', wantTable(this.#state, table));
  }

  applyEndpoints(backends: readonly Backend[]): Promise<number> {
    return this.#waitFor('table', wantEndpoints(this.#state, backends));
  }

  async setHealth(report: HealthReport): Promise<void> {
    await this.#setSetting('health', report);
  }

  async setDraining(draining: boolean): Promise<void> {
    await this.#setSetting('draining', { draining });
  }

  requests(): Promise<RequestCounts> {
    return this.#channel.requests();
  }

  status(): DataPlaneStatus | undefined {
    return statusOf(this.#state);
  }

  owingSinceMs(): number {
    const nowMs = this.#options.clock.monotonic();
    return nowMs - this.#debt.ageMs(nowMs);
  }

  onStatus(listener: (status: DataPlaneStatus | undefined) => void): Unsubscribe {
    return this.#statuses.subscribe(listener);
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    this.#channel.close();
    await this.#loop.stop();
    this.#waiters.end(new Error('the data plane driver was stopped (Stopped)'));
  }

  #setSetting(setting: Setting, body: SettingBody): Promise<number> {
    return this.#waitFor(setting, wantSetting(this.#state, setting, body));
  }

  /** Resolves when nginx holds what is wanted of the subject in this state. */
  #waitFor(subject: Subject, state: Convergence): Promise<number> {
    this.#state = state;
    const settled = this.#waiters.wait(subject, versionOf(state, subject));
    if (this.#life === 'started') this.#loop.trigger();
    return settled;
  }

  /** Sends one message after the other until nothing is left to send; resolves with the ms until the next run. */
  async #converge(): Promise<number> {
    while (this.#life === 'started') {
      const step = nextMessage(this.#state, this.#options.clock.monotonic());
      this.#applyOutcome(step);
      if ('waitMs' in step) {
        this.#debt.ends();
        return step.waitMs;
      }
      if (step.message.do === 'push') this.#debt.owes(this.#options.clock.monotonic());
      await this.#send(step.message);
    }
    return Infinity;
  }

  #applyOutcome({ state, settled }: Outcome): void {
    this.#state = state;
    for (const settlement of settled) this.#waiters.settle(settlement);
  }

  async #send(message: Message): Promise<void> {
    const before = this.status();
    try {
      this.#applyOutcome(await this.#exchange(message));
      if (message.do === 'push') this.#debt.ends();
    } catch (error) {
      const failure = failureOf(error);
      this.#applyOutcome(messageFailed(this.#state, message, failure));
      if (message.do === 'push' && failure.is === 'refused') this.#debt.ends();
      if (before !== undefined && this.status() === undefined) this.#reportAway(error);
      throw error;
    } finally {
      await this.#emitStatusChange(before);
    }
  }

  /**
   * Sends a message to nginx, and applies the answer to the state at that time: callers may have changed it meanwhile.
   */
  async #exchange(message: Message): Promise<Outcome> {
    switch (message.do) {
      case 'ask': {
        const status = await this.#channel.status();
        return { state: statusReceived(this.#state, message, status), settled: [] };
      }
      case 'push': {
        const { generation, leftOut } = await this.#push(message);
        const pairs = leftOut.filter(({ kind }) => kind === 'certificate');
        const refused = Object.fromEntries(pairs.map(({ name, reason, detail }) => [name, detail ?? reason]));
        return pushAcknowledged(this.#state, message, generation, refused);
      }
      case 'put':
        await this.#channel.put(`/v1/${message.setting}`, message.body);
        return putAcknowledged(this.#state, message);
    }
  }

  async #push({ base, from, delta }: Push): Promise<Acknowledgement> {
    const { log, clock } = this.#options;
    const parts = encodeDelta(delta, partLength);
    const startedAt = clock.monotonic();
    const [first] = parts;
    const answer =
      from !== undefined && parts.length === 1 && first !== undefined
        ? await this.#channel.delta(base, first)
        : await this.#channel.transaction(base, from === undefined, parts);
    const { generation, leftOut } = answer;
    const fields = { generation, entries: deltaSize(delta), ms: Math.round(clock.monotonic() - startedAt) };
    if (from === undefined) log.info(fields, 'the whole table was pushed to nginx');
    else log.debug(fields, 'a change was pushed to nginx');
    for (const entry of leftOut) log.warn({ ...entry }, 'nginx left an entry out of the table');
    return answer;
  }

  #reportRefusal(error: unknown): void {
    if (!(error instanceof ControlRefusal)) return;
    this.#options.log.warn({ reason: error.reason, message: error.message }, 'nginx refused a change');
  }

  #reportAway(error: unknown): void {
    if (this.#life === 'stopped') return;
    const reason: DataPlaneReason = 'ControlUnreachable';
    this.#options.log.warn({ reason, message: messageOf(error) }, 'nginx does not answer on its control socket');
  }

  /** Tells the listeners that nginx appeared, disappeared, started again, got its first table or refuses other pairs. */
  async #emitStatusChange(before: DataPlaneStatus | undefined): Promise<void> {
    if (this.#life === 'stopped') return;
    const status = this.status();
    const restarted = before?.instance !== status?.instance;
    if (restarted && status !== undefined) {
      this.#options.log.info(
        { instance: status.instance, generation: status.generation },
        'nginx answers on its control socket',
      );
      // The folder is closed already. nginx makes the socket itself with mode 0666, which a worker of another user may not change.
      await chmod(this.#options.socketPath, 0o600).catch(() => undefined);
    }
    const filled = before?.generation === 0 && status !== undefined && status.generation > 0;
    const refusing = Object.keys(before?.refusedPairs ?? {}).join() !== Object.keys(status?.refusedPairs ?? {}).join();
    if (restarted || filled || refusing) this.#statuses.emit(status);
  }
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof ControlRefusal)) return { is: 'lost' };
  if (error.status === 409) return { is: 'mismatch', error };
  return error.status === 503 ? { is: 'busy', error } : { is: 'refused', error };
}
