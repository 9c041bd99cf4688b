import { chmod } from 'node:fs/promises';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Backend, BackendKey, DataPlane, DataPlaneStatus, PolicyHealth, RoutingTable } from '../table.ts';
import { type Acknowledgement, ControlChannel, ControlRefusal } from './control.ts';
import {
  applyDelta,
  deltaSize,
  diffBackends,
  diffTables,
  emptyTable,
  encodeDelta,
  type IndexedTable,
  indexTable,
  type TableDelta,
} from './delta.ts';
import type { DataPlaneReason } from './reasons.ts';

export interface DataPlaneOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly log: Log;
}

const pollMs = 250;
const firstRetryMs = 50;
const retryCeilingMs = 1000;
/** A part that nginx stages without holding up requests for more than a few milliseconds. */
const partLength = 32 * 1024;

interface Waiter {
  readonly version: number;
  readonly resolve: (generation: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Something small that nginx holds beside the table: sent when it changes and after every start of nginx. */
interface Setting {
  body: unknown;
  version: number;
  /** What nginx holds: the version, and the nginx that has it. */
  sent: { readonly version: number; readonly instance: string } | undefined;
  waiters: Waiter[];
}

/** What nginx holds, as far as we know: everything, or undefined when only a full push can tell. */
interface Held {
  readonly instance: string;
  readonly generation: number;
  readonly table: IndexedTable;
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  return new NginxDriver(options);
}

/**
 * Converges one nginx to the wanted table: one exchange at a time, a poll every 250 ms to see that it lives and is the
 * same one. A change waits for nginx as long as that is away; it is rejected when nginx refuses it. Status listeners are
 * also called when a started nginx got its first table.
 */
class NginxDriver implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #channel: ControlChannel;
  readonly #listeners = new Set<(status: DataPlaneStatus | undefined) => void>();
  readonly #settings = new Map<'/v1/health' | '/v1/draining', Setting>();
  #desired: IndexedTable | undefined;
  #version = 0;
  #changed: 'nothing' | 'everything' | Set<BackendKey> = 'nothing';
  #waiters: Waiter[] = [];
  #held: Held | undefined;
  /** The last table that nginx took, for a started nginx that refuses the wanted one. */
  #served: IndexedTable | undefined;
  /**
   * What nginx refused as a whole is not asked of it again before there is another table: it serves the one before, and
   * of the refused one only the endpoints of backends that it serves are still followed.
   */
  #refused: { readonly table: IndexedTable; readonly instance: string } | undefined;
  /** What it refused even so, until something changes. */
  #refusedBeside: { readonly version: number; readonly instance: string } | undefined;
  #status: DataPlaneStatus | undefined;
  #polledAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #failures = 0;
  #started = false;
  #stopped = false;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#channel = new ControlChannel(options.socketPath);
  }

  start(): void {
    this.#started = true;
    this.#wake();
  }

  apply(table: RoutingTable): Promise<number> {
    this.#desired = indexTable(table);
    this.#changed = 'everything';
    return this.#wait();
  }

  applyEndpoints(backends: readonly Backend[]): Promise<number> {
    for (const backend of backends) {
      if (this.#desired?.backends.has(backend.key) !== true) continue;
      this.#desired.backends.set(backend.key, backend);
      if (this.#changed === 'nothing') this.#changed = new Set();
      if (this.#changed !== 'everything') this.#changed.add(backend.key);
    }
    return this.#wait();
  }

  async setHealth(policies: readonly PolicyHealth[]): Promise<void> {
    await this.#set('/v1/health', { policies });
  }

  async setDraining(draining: boolean): Promise<void> {
    await this.#set('/v1/draining', { draining });
  }

  status(): DataPlaneStatus | undefined {
    return this.#status;
  }

  onStatus(listener: (status: DataPlaneStatus | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#channel.close();
    await this.#running;
    const error = new Error('the data plane driver was stopped (Stopped)');
    for (const waiter of this.#takeWaiters(Number.POSITIVE_INFINITY)) waiter.reject(error);
    for (const setting of this.#settings.values()) {
      for (const waiter of setting.waiters) waiter.reject(error);
    }
  }

  #wait(): Promise<number> {
    this.#version += 1;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiters.push({ version: this.#version, resolve, reject });
    this.#wake();
    return promise;
  }

  #set(path: '/v1/health' | '/v1/draining', body: unknown): Promise<number> {
    const setting = this.#settings.get(path) ?? { body, version: 0, sent: undefined, waiters: [] };
    this.#settings.set(path, setting);
    if (JSON.stringify(setting.body) !== JSON.stringify(body) || setting.version === 0) setting.version += 1;
    setting.body = body;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    setting.waiters.push({ version: setting.version, resolve, reject });
    this.#wake();
    return promise;
  }

  /** Runs a turn now, or once more after the one that runs. */
  #wake(): void {
    if (!this.#started || this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#running = this.#turn();
  }

  async #turn(): Promise<void> {
    let delayMs = pollMs;
    try {
      do {
        this.#again = false;
        await this.#converge();
        this.#failures = 0;
      } while (this.#again && !this.#stopped);
    } catch (error) {
      delayMs = Math.min(firstRetryMs * 2 ** this.#failures, retryCeilingMs);
      this.#failures += 1;
      this.#onFailure(error);
    }
    this.#running = undefined;
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimeout(() => this.#wake(), delayMs);
  }

  async #converge(): Promise<void> {
    const status = await this.#freshStatus();
    const { instance, generation } = status;
    if (this.#held?.instance !== instance || this.#held.generation !== generation) this.#held = undefined;
    const refused = this.#refused?.table === this.#desired && this.#refused?.instance === instance;
    const behind = this.#held === undefined || this.#changed !== 'nothing';
    if (this.#desired !== undefined && behind) {
      if (!refused) await this.#push(this.#desired, status);
      else await this.#pushBeside(this.#desired, status);
    }
    if (this.#changed === 'nothing' && this.#held !== undefined) {
      this.#resolve(this.#version, this.#held.generation);
    }
    for (const [path, setting] of this.#settings) await this.#send(path, setting, instance);
  }

  /** The last status while it is fresh and nobody else could have changed anything; else asks. */
  async #freshStatus(): Promise<DataPlaneStatus> {
    const now = this.#options.clock.monotonic();
    if (this.#status !== undefined && now - this.#polledAt < pollMs) return this.#status;
    const status = await this.#channel.status();
    this.#polledAt = now;
    await this.#tell(status);
    return status;
  }

  async #push(desired: IndexedTable, status: DataPlaneStatus): Promise<void> {
    const version = this.#version;
    const held = this.#held;
    const delta = this.#deltaFrom(held, desired);
    this.#changed = 'nothing';
    try {
      if (held !== undefined && deltaSize(delta) === 0) return;
      const generation = await this.#take(status, held, delta);
      this.#resolve(version, generation);
    } catch (error) {
      this.#changed = 'everything';
      if (error instanceof ControlRefusal && error.status === 409) this.#held = undefined;
      else if (error instanceof ControlRefusal && error.status !== 503) {
        this.#refused = { table: desired, instance: status.instance };
        for (const waiter of this.#takeWaiters(version)) waiter.reject(error);
      }
      throw error;
    }
  }

  /**
   * What can be done beside a refused table: nginx keeps (or, started anew, gets) the one it took last, with the endpoints
   * of now. No tenant's part of a table may hold up the endpoints of the others.
   */
  async #pushBeside(desired: IndexedTable, status: DataPlaneStatus): Promise<void> {
    const version = this.#version;
    const { instance } = status;
    if (this.#refusedBeside?.version === version && this.#refusedBeside.instance === instance) return;
    const held = this.#held;
    const from = held?.table ?? emptyTable();
    const served = this.#served ?? from;
    const backends = new Map([...served.backends].map(([key, backend]) => [key, desired.backends.get(key) ?? backend]));
    const delta = diffTables(from, { ...served, backends });
    try {
      if (deltaSize(delta) > 0) await this.#take(status, held, delta);
      if (this.#held !== undefined) this.#resolve(version, this.#held.generation);
    } catch (error) {
      if (error instanceof ControlRefusal && error.status === 409) this.#held = undefined;
      else if (error instanceof ControlRefusal && error.status !== 503) {
        this.#refusedBeside = { version, instance };
        for (const waiter of this.#takeWaiters(version)) waiter.reject(error);
      }
      throw error;
    }
  }

  /** Sends a delta and takes note of what nginx holds after it; resolves with the generation. */
  async #take(status: DataPlaneStatus, held: Held | undefined, delta: TableDelta): Promise<number> {
    const { generation, leftOut } = await this.#exchange(status, held, delta);
    const table = held?.table ?? emptyTable();
    applyDelta(table, delta);
    this.#held = { instance: status.instance, generation, table };
    this.#served = table;
    for (const entry of leftOut) this.#options.log.warn({ ...entry }, 'nginx left an entry out of the table');
    const { hosts, backends, certificates } = table;
    const counts = { hosts: hosts.size, backends: backends.size, certificates: certificates.size };
    await this.#tell({ ...status, ...counts, generation });
    return generation;
  }

  #deltaFrom(held: Held | undefined, desired: IndexedTable): TableDelta {
    if (held === undefined) return diffTables(emptyTable(), desired);
    if (this.#changed instanceof Set) return diffBackends(held.table, desired, this.#changed);
    return diffTables(held.table, desired);
  }

  async #exchange(status: DataPlaneStatus, held: Held | undefined, delta: TableDelta): Promise<Acknowledgement> {
    const { log, clock } = this.#options;
    const base = { instance: status.instance, generation: status.generation };
    const parts = encodeDelta(delta, partLength);
    const startedAt = clock.monotonic();
    const [first] = parts;
    const answer =
      held !== undefined && parts.length === 1 && first !== undefined
        ? await this.#channel.delta(base, first)
        : await this.#channel.transaction(base, held === undefined, parts);
    const fields = {
      generation: answer.generation,
      entries: deltaSize(delta),
      ms: Math.round(clock.monotonic() - startedAt),
    };
    if (held === undefined) log.info(fields, 'the whole table was pushed to nginx');
    else log.debug(fields, 'a change was pushed to nginx');
    return answer;
  }

  async #send(path: '/v1/health' | '/v1/draining', setting: Setting, instance: string): Promise<void> {
    const { version } = setting;
    const current = setting.sent?.version === version && setting.sent.instance === instance;
    if (!current) {
      try {
        await this.#channel.put(path, setting.body);
      } catch (error) {
        if (error instanceof ControlRefusal) rejectUpTo(setting, version, error);
        throw error;
      }
      setting.sent = { version, instance };
      const { body } = setting;
      if (this.#status !== undefined && isDraining(body)) this.#status = { ...this.#status, draining: body.draining };
    }
    const done = setting.waiters.filter((waiter) => waiter.version <= version);
    setting.waiters = setting.waiters.filter((waiter) => waiter.version > version);
    for (const waiter of done) waiter.resolve(version);
  }

  #onFailure(error: unknown): void {
    const { log } = this.#options;
    if (error instanceof ControlRefusal) {
      // The other side's table is not what we thought, or it refused: look at it anew.
      this.#polledAt = Number.NEGATIVE_INFINITY;
      log.warn({ reason: error.reason, message: error.message }, 'nginx refused a change');
      return;
    }
    this.#polledAt = Number.NEGATIVE_INFINITY;
    // One lost connection says nothing yet; the next try follows at once.
    if (this.#failures < 2 || this.#status === undefined || this.#stopped) return;
    const reason: DataPlaneReason = 'ControlUnreachable';
    log.warn({ reason, message: String(error) }, 'nginx does not answer on its control socket');
    void this.#tell(undefined);
  }

  async #tell(status: DataPlaneStatus | undefined): Promise<void> {
    const before = this.#status;
    this.#status = status;
    const restarted = before?.instance !== status?.instance;
    if (restarted && status !== undefined) {
      this.#options.log.info({ instance: status.instance, generation: status.generation }, 'nginx is there');
      // nginx made it for everybody; where its workers may not, its owner does.
      await chmod(this.#options.socketPath, 0o600).catch(() => undefined);
    }
    const filled = before?.generation === 0 && status !== undefined && status.generation > 0;
    if (restarted || filled) for (const listener of this.#listeners) listener(status);
  }

  #resolve(version: number, generation: number): void {
    for (const waiter of this.#takeWaiters(version)) waiter.resolve(generation);
  }

  #takeWaiters(version: number): readonly Waiter[] {
    const taken = this.#waiters.filter((waiter) => waiter.version <= version);
    this.#waiters = this.#waiters.filter((waiter) => waiter.version > version);
    return taken;
  }
}

function rejectUpTo(setting: Setting, version: number, error: unknown): void {
  const refused = setting.waiters.filter((waiter) => waiter.version <= version);
  setting.waiters = setting.waiters.filter((waiter) => waiter.version > version);
  for (const waiter of refused) waiter.reject(error);
}

function isDraining(body: unknown): body is { readonly draining: boolean } {
  return typeof body === 'object' && body !== null && 'draining' in body && typeof body.draining === 'boolean';
}
