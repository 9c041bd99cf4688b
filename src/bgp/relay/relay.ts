import type { Prefix } from '../../model/address.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Loop } from '../../runtime/loop.ts';
import { type RouteSet, routeSet, sortRoutes } from '../diff.ts';
import { endOfRib, showAdjRibOut, showNeighbors } from '../encode.ts';
import { isFailStatic, type Route } from '../route.ts';
import type { AgentMessage, LeaseTerms, RelayMessage, RelayState } from '../wire.ts';
import { askedRoute, yieldingRoute, yieldPrepend, yields } from '../yield.ts';
import { Attendance } from './attendance.ts';
import { Lease } from './lease.ts';
import { AnswerLost, type CommandPipe } from './pipe.ts';
import { NeighborState, type PeerSession } from './session.ts';

export interface RelayOptions {
  readonly clock: Clock;
  readonly sessions: readonly PeerSession[];
  /** Routes that are static in exabgp.conf: never announced nor withdrawn here. */
  readonly fixed: readonly Prefix[];
  /** Which of the routes read back are VIPs; needed only until the agent has sent the classes. */
  readonly vips: readonly Prefix[];
  /** The terms of the lease until the agent sends its own. */
  readonly lease: LeaseTerms;
  /** All but the VIPs yields to other announcers when the agent was not heard for this time. */
  readonly yieldAfterMs: number;
  readonly pipe: CommandPipe;
  /** Sends a message to every connection; `held` is published only when it changed. */
  readonly publish: (message: RelayMessage) => void;
  readonly onProblem: (message: string) => void;
}

const resyncPauseMs = 1000;

/** ExaBGP answers within milliseconds, and within two seconds while it takes 10,000 routes; its hold time is 9 s. */
const silentAfterMs = 6000;
const beatsAQuestion = 2;

/**
 * Keeps ExaBGP holding what the agent last asked for. It takes one step at a time: read back, reconcile, end-of-RIB, publish;
 * an event in between only triggers another step. Before an agent has sent a set, nothing is withdrawn but VIPs whose lease
 * ran out, and no end-of-RIB is sent.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #pipe: CommandPipe;
  readonly #neighbors: ReadonlyMap<string, NeighborState>;
  readonly #fixed: ReadonlySet<string>;
  readonly #vips: ReadonlySet<string>;
  readonly #lease: Lease;
  readonly #attendance: Attendance;
  readonly #loop: Loop;
  #desired: (AgentMessage & { readonly type: 'desired' }) | undefined;
  #wanted: RouteSet = new Map();
  #synced = false;
  #disordered = false;
  #readBackDue = false;
  /** ExaBGP is asked something in the next step, only to see that it answers. */
  #questionDue = false;
  #exabgpSilent = false;
  #beats = 0;
  #published = { state: '', held: '' };
  #hasAgent = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#neighbors = new Map(options.sessions.map((session) => [session.address, new NeighborState(session)]));
    this.#fixed = new Set(options.fixed.map((prefix) => prefix.text));
    this.#vips = new Set(options.vips.map((prefix) => prefix.text));
    this.#lease = new Lease(options.lease, options.clock.monotonic());
    this.#attendance = new Attendance(options.yieldAfterMs, options.clock.monotonic());
    this.#pipe = options.pipe;
    this.#loop = new Loop({
      clock: options.clock,
      run: () => this.#run(),
      onError: (error) => this.#stepFailed(error),
      retry: { firstMs: resyncPauseMs, ceilingMs: resyncPauseMs },
    });
  }

  start(): void {
    this.#loop.trigger();
  }

  /** Takes a message; `ofAgent` is false for one that is not of the agent in charge. */
  receive(message: AgentMessage, ofAgent = true): void {
    const now = this.#options.clock.monotonic();
    if (ofAgent) this.#agentHeard(now, (message.type === 'desired' ? message : this.#desired)?.yields === true);
    const wasExpired = this.#lease.expired(now);
    if (message.type === 'desired') this.#lease.renew(now, message.lease);
    else if (message.type === 'renew') this.#lease.renew(now);
    else if (message.type === 'starting' && !this.#hasAgent) this.#lease.giveTimeToStart(now);
    if (message.type === 'desired') {
      this.#desired = message;
      this.#wanted = routeSet(message.routes);
    }
    if (message.type === 'read') this.#readBackDue = true;
    if (message.type !== 'renew' || wasExpired) this.#loop.trigger();
  }

  #agentHeard(nowMs: number, asksToYield: boolean): void {
    if (!this.#attendance.heard(nowMs, this.#options.clock.now(), asksToYield)) return;
    if (!asksToYield) this.#options.onProblem('an agent is in charge again: the routes are announced as it asks');
    this.#loop.trigger();
  }

  /** ExaBGP's answers do not match the commands any more: the next step resynchronises and reads everything back. */
  answersDisordered(): void {
    this.#disordered = true;
    this.#loop.trigger();
  }

  /** The messages that tell a new connection everything it needs to know. */
  snapshot(): readonly RelayMessage[] {
    return [
      { type: 'held', routes: this.#heldEverywhere(), fixed: [...this.#fixed] },
      this.#state(),
      { type: 'alive' },
    ];
  }

  /** `present`: an agent has taken charge, or (false) the one in charge is gone. */
  agentChanged(present: boolean): void {
    this.#hasAgent = present;
    this.#publish();
  }

  /** Takes a session event of ExaBGP. */
  sessionChanged(address: string, state: 'up' | 'down', reason?: string): void {
    const neighbor = this.#neighbors.get(address);
    if (neighbor === undefined) return;
    neighbor.sessionChanged(state === 'up', reason, this.#options.clock.now());
    if (neighbor.up) this.#readBackDue = true;
    this.#loop.trigger();
  }

  /** One beat of the heart: tells the agents that the relay lives, and has ExaBGP asked something soon. */
  beat(): void {
    this.#options.publish({ type: 'alive' });
    this.#lookForAgent();
    const silentForMs = this.#pipe.silentForMs(this.#options.clock.monotonic());
    const silent = silentForMs >= silentAfterMs;
    if (silent !== this.#exabgpSilent) {
      this.#exabgpSilent = silent;
      this.#options.onProblem(silent ? `ExaBGP has not answered for ${silentForMs} ms` : 'ExaBGP answers again');
      this.#publish();
    }
    this.#beats += 1;
    if (silentForMs > 0 || this.#beats % beatsAQuestion !== 0) return;
    this.#questionDue = true;
    this.#loop.trigger();
  }

  /** Only a beat does this: it is left out when this process was stopped, and words of the agent may be unread. */
  #lookForAgent(): void {
    const { clock, onProblem } = this.#options;
    if (!this.#attendance.look(clock.monotonic(), clock.now())) return;
    const count = this.#heldEverywhere().filter((route) => isFailStatic(route) && !this.#fixed.has(route.prefix.text));
    const { sinceMs = 0, asked } = this.#attendance.period ?? {};
    const who = asked === true ? 'the agent cannot read its cluster' : 'no agent looks after the routes of this server';
    onProblem(
      `RoutesYield: ${who} since ${new Date(sinceMs).toISOString()}; ${count.length} routes are announced with ` +
        `${yieldPrepend} more AS-path prepends, so that another server that announces the same prefix is preferred`,
    );
    this.#loop.trigger();
  }

  /**
   * Takes one step. Resolves with the time until the next one is due by itself: for a rejected route, or the end of the lease.
   */
  async #run(): Promise<number> {
    const { clock } = this.#options;
    const wasExpired = this.#lease.expired(clock.monotonic());
    await this.#step();
    this.#publish();
    const now = clock.monotonic();
    // When the lease ran out during the step, a part of the step did not see that: it is taken once more.
    if (this.#lease.expired(now) !== wasExpired) return 0;
    const retryMs = Math.min(...[...this.#neighbors.values()].map((neighbor) => neighbor.retryAtMs)) - now;
    const leaseMs = wasExpired ? Number.POSITIVE_INFINITY : this.#lease.remainingMs(now);
    return Math.max(1, Math.min(retryMs, leaseMs));
  }

  #stepFailed(error: unknown): void {
    this.#synced = false;
    this.#options.onProblem(error instanceof AnswerLost ? error.message : `unexpected: ${String(error)}`);
    this.#publish();
  }

  async #step(): Promise<void> {
    if (this.#disordered) this.#synced = false;
    if (!this.#synced) {
      this.#disordered = false;
      const seen = new Map([...this.#neighbors.values()].map((neighbor) => [neighbor, neighbor.events]));
      const established = new Set(await this.#pipe.resync());
      for (const [address, neighbor] of this.#neighbors) {
        neighbor.sessionSeen(established.has(address), seen.get(neighbor) ?? -1, this.#options.clock.now());
      }
      await this.#readBack();
      if (this.#desired === undefined && this.#allHeldYields()) this.#attendance.resume(this.#options.clock.now());
      this.#synced = true;
      this.#publish();
    }
    for (const neighbor of this.#neighbors.values()) await this.#reconcile(neighbor);
    if (this.#readBackDue) {
      this.#readBackDue = false;
      await this.#readBack();
      for (const neighbor of this.#neighbors.values()) await this.#reconcile(neighbor);
    }
    if (this.#questionDue) {
      this.#questionDue = false;
      await this.#pipe.send(showNeighbors);
    }
    for (const neighbor of this.#neighbors.values()) {
      if (!this.#loop.triggered && neighbor.up && !neighbor.endOfRib && this.#desired?.complete === true) {
        await this.#sendEndOfRib(neighbor);
      }
    }
  }

  /** `endOfRib` is set before sending, so that the answer does not overwrite a session event that came in between. */
  async #sendEndOfRib(neighbor: NeighborState): Promise<void> {
    neighbor.endOfRib = true;
    let sent = false;
    try {
      sent = (await this.#pipe.send(endOfRib(neighbor.session))).ok;
    } finally {
      if (!sent) neighbor.endOfRib = false;
    }
  }

  async #readBack(): Promise<void> {
    const { output } = await this.#pipe.send(showAdjRibOut);
    const routes = output.filter((line) => line.kind === 'route');
    for (const [address, neighbor] of this.#neighbors) {
      const all = routes.filter((line) => line.neighbor === address).map(({ route }) => this.#withClassAndCause(route));
      neighbor.setReadBack(
        all.filter((route) => !this.#fixed.has(route.prefix.text)),
        all.filter((route) => this.#fixed.has(route.prefix.text)),
      );
    }
  }

  /** ExaBGP knows neither class nor cause of a route: they come from the agent, or from our command line. */
  #withClassAndCause(route: Route): Route {
    const prefix = route.prefix.text;
    if (this.#fixed.has(prefix)) return { ...route, class: 'server', because: 'static in exabgp.conf' };
    const known = this.#wanted.get(prefix);
    if (known !== undefined) return { ...route, class: known.class, because: known.because };
    return this.#vips.has(prefix) ? { ...route, class: 'vip' } : route;
  }

  /** Repeats until no command is left, so that the members of a rejected group are tried one by one at once. */
  async #reconcile(neighbor: NeighborState): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      const commands = neighbor.commandsFor(this.#target(neighbor), this.#options.clock.monotonic());
      neighbor.reannounce = false;
      if (commands.length === 0) return;
      await Promise.all(
        commands.map(async (command) => {
          const { ok } = await this.#pipe.send(command.line);
          neighbor.acknowledge(command, ok, this.#options.clock.monotonic());
        }),
      );
    }
  }

  /** What yields was announced by a relay before this one: no agent has been in charge since. */
  #allHeldYields(): boolean {
    const failStatic = [...this.#neighbors.values()]
      .flatMap((neighbor) => [...neighbor.held.values()])
      .filter(isFailStatic);
    return failStatic.length > 0 && failStatic.every(yields);
  }

  /** The routes that ExaBGP should hold for a neighbour beside the static ones. */
  #target(neighbor: NeighborState): RouteSet {
    const expired = this.#lease.expired(this.#options.clock.monotonic());
    const base = this.#desired === undefined ? neighbor.held : this.#wanted;
    const target = new Map<string, Route>();
    for (const [prefix, route] of base) {
      const isOurs = !this.#fixed.has(prefix) && route.prefix.family === neighbor.session.family;
      if (!isOurs || (expired && route.class === 'vip')) continue;
      const yielding = this.#attendance.yields && isFailStatic(route);
      target.set(prefix, neighbor.withOwnNextHop(yielding ? yieldingRoute(route) : route));
    }
    return target;
  }

  #heldEverywhere(): readonly Route[] {
    const neighbors = [...this.#neighbors.values()];
    const routes = new Map<string, Route>();
    for (const family of [4, 6] as const) {
      const [first, ...others] = neighbors.filter(({ session }) => session.family === family);
      for (const route of first?.fixed ?? []) routes.set(route.prefix.text, route);
      for (const [prefix, route] of first?.held ?? []) {
        if (others.every((other) => other.held.has(prefix)))
          routes.set(prefix, askedRoute(first?.withAskedNextHop(route, this.#wanted.get(prefix)) ?? route));
      }
    }
    return sortRoutes([...routes.values()]);
  }

  #state(): RelayState {
    const now = this.#options.clock.monotonic();
    const neighbors = [...this.#neighbors.values()];
    const expired = this.#lease.expired(now);
    return {
      type: 'state',
      phase: this.#synced ? 'synced' : 'syncing',
      revision: this.#desired?.revision ?? 0,
      settled:
        this.#synced &&
        !this.#readBackDue &&
        neighbors.every((neighbor) => {
          const left = neighbor.commandsFor(this.#target(neighbor), Number.NEGATIVE_INFINITY);
          return left.length === 0 && !neighbor.reannounce;
        }),
      neighbors: neighbors.map(({ session, up, endOfRib: sent, changedAtMs, reason }) => ({
        address: session.address,
        asn: session.asn,
        family: session.family,
        up,
        endOfRib: sent,
        ...withoutUndefined({ changedAtMs, reason }),
      })),
      exabgpSilent: this.#exabgpSilent,
      hasAgent: this.#hasAgent,
      leaseExpired: expired,
      rejected: neighbors.flatMap((neighbor) => neighbor.rejected),
      ...withoutUndefined({ yielded: this.#attendance.period }),
    };
  }

  #publish(): void {
    const [held, state] = [this.snapshot()[0], this.#state()];
    const text = { held: JSON.stringify(held), state: JSON.stringify(state) };
    const before = this.#published;
    this.#published = text;
    if (held !== undefined && text.held !== before.held) this.#options.publish(held);
    if (text.state !== before.state) this.#options.publish(state);
  }
}
