import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Backend, DataPlaneStatus, RoutingTable } from '../table.ts';
import {
  type Base,
  type Convergence,
  type Failure,
  type Message,
  messageFailed,
  newConvergence,
  nextMessage,
  type Push,
  pushAcknowledged,
  putAcknowledged,
  type Setting,
  type SettingBody,
  type Settlement,
  type Subject,
  statusReceived,
  versionOf,
  wantEndpoints,
  wantSetting,
  wantTable,
} from './convergence.ts';
import { applyDelta, emptyTable, type IndexedTable, indexTable } from './delta.ts';

const keys = ['a', 'b', 'c'];
/** nginx refuses any table that has this host or an endpoint with this port, as it does when memory is short. */
const tooBig = 'toobig';
const forbiddenPort = 6;

const backend = (key: string, port: number): Backend => ({ key, endpoints: [{ address: '10.0.0.1', port }] });
const copy = ({ hosts, backends, certificates }: IndexedTable): IndexedTable => ({
  hosts: new Map(hosts),
  backends: new Map(backends),
  certificates: new Map(certificates),
});
const isRefused = ({ hosts, backends }: IndexedTable): boolean =>
  hosts.has(tooBig) || [...backends.values()].some(({ endpoints }) => endpoints[0]?.port === forbiddenPort);

/** A model of nginx as its control channel shows it: one table and one generation, both lost with every start. */
class ModelNginx {
  starts = 1;
  generation = 0;
  table = emptyTable();
  settings = new Map<Setting, SettingBody>();

  get base(): Base {
    return { instance: `nginx${this.starts}`, generation: this.generation };
  }

  restart(): void {
    this.starts += 1;
    this.generation = 0;
    this.table = emptyTable();
    this.settings = new Map();
  }

  /** Another driver changes the table. */
  meddle(): void {
    this.generation += 1;
    this.table = indexTable({ hosts: [{ name: 'theirs', paths: [] }], backends: [backend('a', 9)], certificates: [] });
  }

  take({ base, from, delta }: Push): Failure | undefined {
    const { instance, generation } = this.base;
    if (base.instance !== instance || base.generation !== generation) return { is: 'mismatch', error: 'mismatch' };
    // A delta says only what changes: it must start from the very table that nginx holds.
    if (from !== undefined) expect(from).toEqual(this.table);
    const table = from === undefined ? emptyTable() : copy(this.table);
    applyDelta(table, delta);
    if (isRefused(table)) return { is: 'refused', error: 'refused' };
    this.table = table;
    this.generation += 1;
    return undefined;
  }
}

type Fate = 'answered' | 'lost before it was done' | 'lost after it was done' | 'busy';

/** One nginx, one convergence, and what callers wanted and were answered. */
class World {
  readonly nginx = new ModelNginx();
  state: Convergence = newConvergence();
  nowMs = 0;
  flight: Message | undefined;
  /** The wanted tables, by version, from version 1. */
  readonly history: (IndexedTable | undefined)[] = [];
  readonly wantedSettings = new Map<Setting, { readonly version: number; readonly body: SettingBody }[]>();
  readonly answeredUpTo = new Map<Subject, number>();
  /** What nginx held as far as its answers told; `lastTaken` is the table that it took from the driver last. */
  heldThen = { table: emptyTable(), settings: new Map<Setting, SettingBody>() };
  lastTaken: IndexedTable | undefined;

  wantTable(table: RoutingTable): void {
    this.state = wantTable(this.state, table);
    this.#remember();
  }

  wantEndpoints(backends: readonly Backend[]): void {
    this.state = wantEndpoints(this.state, backends);
    this.#remember();
  }

  wantSetting(setting: Setting, body: SettingBody): void {
    this.state = wantSetting(this.state, setting, body);
    const wanted = this.wantedSettings.get(setting) ?? [];
    this.wantedSettings.set(setting, [...wanted, { version: versionOf(this.state, setting), body }]);
  }

  /** Sends the next message, if none is in flight; false when it is time to wait, which is waited out. */
  send(): boolean {
    if (this.flight !== undefined) return true;
    const step = nextMessage(this.state, this.nowMs);
    this.#take(step.state, step.settled);
    if ('waitMs' in step) {
      expect(step.waitMs).toBeGreaterThan(0);
      this.nowMs += step.waitMs;
      return false;
    }
    this.flight = step.message;
    return true;
  }

  /** The message in flight arrives, or gets lost. */
  land(fate: Fate): void {
    const message = this.flight;
    if (message === undefined) return;
    this.flight = undefined;
    if (fate === 'lost before it was done') return this.#fail(message, { is: 'lost' });
    if (fate === 'busy' && message.do !== 'ask') return this.#fail(message, { is: 'busy', error: 'busy' });
    const failure = message.do === 'push' ? this.nginx.take(message) : undefined;
    if (message.do === 'push' && failure === undefined) this.lastTaken = copy(this.nginx.table);
    if (message.do === 'put') this.nginx.settings.set(message.setting, message.body);
    if (fate === 'lost after it was done') return this.#fail(message, { is: 'lost' });
    this.#learn(message);
    if (failure !== undefined) return this.#fail(message, failure);
    this.#answer(message);
  }

  /** A status tells of a restart; any other answer tells only of its own subject, so that what else nginx held counts as held. */
  #learn(message: Message): void {
    const { table, settings } = this.nginx;
    if (message.do !== 'put') this.heldThen.table = copy(table);
    if (message.do === 'ask') this.heldThen.settings = new Map(settings);
    if (message.do === 'put') this.heldThen.settings.set(message.setting, message.body);
  }

  #answer(message: Message): void {
    if (message.do === 'ask') {
      const { table } = this.nginx;
      const counts = { hosts: table.hosts.size, backends: table.backends.size, certificates: 0 };
      const status: DataPlaneStatus = {
        ...this.nginx.base,
        ...counts,
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
      this.state = statusReceived(this.state, message, status);
      return;
    }
    const { state, settled } =
      message.do === 'push'
        ? pushAcknowledged(this.state, message, this.nginx.generation)
        : putAcknowledged(this.state, message);
    this.#take(state, settled);
  }

  #fail(message: Message, failure: Failure): void {
    const { state, settled } = messageFailed(this.state, message, failure);
    this.#take(state, settled);
  }

  #remember(): void {
    const { wanted } = this.state;
    this.history.push(wanted.is === 'table' ? copy(wanted.table) : undefined);
  }

  #take(state: Convergence, settled: readonly Settlement[]): void {
    this.state = state;
    for (const settlement of settled) {
      const { of, upTo } = settlement;
      if (!('error' in settlement) && of === 'table') this.#expectHeld(upTo);
      if (!('error' in settlement) && of !== 'table') this.#expectSet(of, upTo);
      this.answeredUpTo.set(of, Math.max(upTo, this.answeredUpTo.get(of) ?? 0));
    }
  }

  /**
   * Expects that nginx holds what a caller was told: this version or a newer one, or, of a refused table, the
   * endpoints.
   */
  #expectHeld(version: number): void {
    const { table } = this.heldThen;
    const holds = (wanted: IndexedTable | undefined): boolean => {
      if (wanted === undefined) return false;
      const follows = [...table.backends].every(([key, held]) => {
        const other = wanted.backends.get(key);
        return other === undefined || other.endpoints[0]?.port === held.endpoints[0]?.port;
      });
      const isIt =
        wanted.hosts.size === table.hosts.size && [...wanted.hosts.keys()].every((host) => table.hosts.has(host));
      return follows && ((isIt && wanted.backends.size === table.backends.size) || this.#everRefused(wanted));
    };
    expect(this.history.slice(version - 1).some(holds), `version ${version} was acknowledged, but is not held`).toBe(
      true,
    );
  }

  #everRefused(wanted: IndexedTable): boolean {
    const [host] = wanted.hosts.keys();
    return this.history.some((table) => table !== undefined && table.hosts.has(host ?? '') && isRefused(table));
  }

  #expectSet(setting: Setting, version: number): void {
    const wanted = this.wantedSettings.get(setting)?.filter((one) => one.version >= version) ?? [];
    expect(wanted.map(({ body }) => body)).toContainEqual(this.heldThen.settings.get(setting));
  }
}

type Command = (world: World) => void;

const port = fc.integer({ min: 1, max: forbiddenPort });
const backends = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...keys), port), { selector: ([key]) => key })
  .map((list) => list.map(([key, number]) => backend(key, number)));
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(fc.constantFrom('x', 'y', 'z', tooBig), backends).map(
    ([host, list]): Command =>
      (world) =>
        world.wantTable({ hosts: [{ name: host, paths: [] }], backends: list, certificates: [] }),
  ),
  {
    weight: 3,
    arbitrary: backends.map(
      (list): Command =>
        (world) =>
          world.wantEndpoints(list),
    ),
  },
  fc.boolean().map(
    (draining): Command =>
      (world) =>
        world.wantSetting('draining', { draining }),
  ),
  fc.boolean().map(
    (healthy): Command =>
      (world) =>
        world.wantSetting('health', {
          policies: [{ policy: 'p', healthy, reason: 'r' }],
          watched: [],
          measured: [],
          accessLog: 'sampled',
        }),
  ),
  fc.constant<Command>((world) => world.nginx.restart()),
  fc.constant<Command>((world) => world.nginx.meddle()),
  fc.nat(300).map(
    (ms): Command =>
      (world) => {
        world.nowMs += ms;
      },
  ),
  { weight: 6, arbitrary: fc.constant<Command>((world) => void world.send()) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom<Fate>(
        'answered',
        'answered',
        'answered',
        'lost before it was done',
        'lost after it was done',
        'busy',
      )
      .map(
        (fate): Command =>
          (world) =>
            world.land(fate),
      ),
  },
);

/** From now on everything works: sends all messages that are left, and one status call more. */
function calm(world: World): void {
  let waits = 0;
  for (let messages = 0; waits < 3; messages += 1) {
    expect(messages, 'the convergence never comes to rest').toBeLessThan(100);
    if (world.send()) world.land('answered');
    else waits += 1;
  }
}

it('the convergence ends with the newest state, gives no caller a false answer, and starts no delta from a table that nginx does not have', () => {
  let refusals = 0;
  let whole = 0;
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
      const world = new World();
      for (const run of commands) run(world);
      calm(world);
      for (const [setting, wanted] of world.wantedSettings) {
        expect(world.nginx.settings.get(setting)).toEqual(wanted.at(-1)?.body);
        expect(world.answeredUpTo.get(setting)).toBe(wanted.at(-1)?.version);
      }
      const newest = world.history.at(-1);
      if (newest === undefined) return;
      if (world.state.verdict.is === 'open') {
        whole += 1;
        expect(world.nginx.table).toEqual(newest);
        expect(world.answeredUpTo.get('table')).toBe(world.history.length);
        return;
      }
      refusals += 1;
      const { lastTaken } = world;
      if (world.state.verdict.is === 'fallback-refused' || lastTaken === undefined) return;
      // The acknowledgement of the only table that nginx took may be lost: the driver does not know of it, and leaves it alone.
      const { holding } = world.state;
      if (holding.is === 'unknown' && holding.last === undefined) return;
      // nginx must hold the table before, with the newest endpoints.
      expect([...world.nginx.table.hosts.keys()]).toEqual([...lastTaken.hosts.keys()]);
      for (const [key, held] of world.nginx.table.backends)
        expect(held).toEqual(newest.backends.get(key) ?? lastTaken.backends.get(key));
      expect(world.answeredUpTo.get('table')).toBe(world.history.length);
    }),
    { numRuns: 700 },
  );
  // Both endings must have occurred, or the property says little.
  expect(Math.min(refusals, whole)).toBeGreaterThan(30);
});
