import type { Address } from '../../model/address.ts';
import { attributesKey, diffRoutes, type RouteChange, type RouteSet, routeSet } from '../diff.ts';
import { announceCommands, type RouteCommand, type Session, withdrawCommands } from '../encode.ts';
import type { Route } from '../route.ts';
import type { RouteRefusal } from '../speaker.ts';
import { DownReasons } from './down-reasons.ts';

const retryRejectedMs = 5000;

/** A session with its router. Where `local` is given, it is the next hop of every route on this session. */
export type PeerSession = Session & { readonly asn: number; readonly local?: Address };

/** What the relay knows of one neighbour: whether its session is up, and which routes ExaBGP holds for it. */
export class NeighborState {
  readonly session: PeerSession;
  up = false;
  changedAtMs: number | undefined;
  /** Why the session is down, if it is. */
  #reasons = new DownReasons();
  /** True when the end-of-RIB was sent since the session came up. */
  endOfRib = false;
  /** True after the session came up: everything is then announced again, whatever we think ExaBGP holds. */
  reannounce = false;
  /** Counts session events, so that an older answer does not overwrite a newer event. */
  events = 0;
  #held = new Map<string, Route>();
  #fixed: readonly Route[] = [];
  readonly #rejected = new Map<
    string,
    { readonly refusal: RouteRefusal; readonly key: string; readonly retryAtMs: number }
  >();

  constructor(session: PeerSession) {
    this.session = session;
  }

  /** Takes a session event of ExaBGP, which reports every attempt that failed: only a change moves `changedAtMs`. */
  sessionChanged(up: boolean, reason: string | undefined, dateMs: number): void {
    if (up !== this.up) this.changedAtMs = dateMs;
    this.changedAtMs ??= dateMs;
    this.events += 1;
    this.up = up;
    if (up) this.#reasons = new DownReasons();
    else if (reason !== undefined) this.#reasons.add(reason);
    this.endOfRib = false;
    if (up) this.reannounce = true;
  }

  /** Takes what ExaBGP says when it is asked; an event that came meanwhile is newer. */
  sessionSeen(up: boolean, eventsThen: number, dateMs: number): void {
    if (this.events !== eventsThen || up === this.up) return;
    if (this.changedAtMs !== undefined) this.changedAtMs = dateMs;
    this.up = up;
    if (up) this.#reasons = new DownReasons();
  }

  get reason(): string | undefined {
    return this.#reasons.text;
  }

  /** The routes that ExaBGP holds, without those that are static in exabgp.conf. */
  get held(): RouteSet {
    return this.#held;
  }

  /**
   * A route as this session carries it. The agent names an address of the server; a router reaches that only over the link of its
   * own session, when the server has several.
   */
  withOwnNextHop(route: Route): Route {
    const { local } = this.session;
    return local === undefined ? route : { ...route, nextHop: local };
  }

  /** The same backwards: a route that is held as it was asked for has the next hop with which it was asked for. */
  withAskedNextHop(route: Route, asked: Route | undefined): Route {
    const { local } = this.session;
    const isOwn = local !== undefined && asked !== undefined && route.nextHop.text === local.text;
    return isOwn ? { ...route, nextHop: asked.nextHop } : route;
  }

  get fixed(): readonly Route[] {
    return this.#fixed;
  }

  get rejected(): readonly RouteRefusal[] {
    return [...this.#rejected.values()].map(({ refusal }) => refusal);
  }

  /** The earliest time a rejected prefix is tried again. */
  get retryAtMs(): number {
    return Math.min(...[...this.#rejected.values()].map(({ retryAtMs }) => retryAtMs));
  }

  setReadBack(held: readonly Route[], fixed: readonly Route[]): void {
    this.#held = new Map(held.map((route) => [route.prefix.text, route]));
    this.#fixed = fixed;
  }

  /**
   * The commands that lead to `target`. Announcements come first, so that a more specific route is there before its aggregate
   * goes.
   */
  commandsFor(target: RouteSet, nowMs: number): readonly RouteCommand[] {
    const change = diffRoutes(this.#held, target);
    this.#dropObsoleteRejections(change);
    const announce = this.reannounce ? [...target.values()] : change.announce;
    const due = (route: Route): boolean => (this.#rejected.get(route.prefix.text)?.retryAtMs ?? 0) <= nowMs;
    const fresh = (route: Route): boolean => !this.#rejected.has(route.prefix.text);
    const retry = (route: Route): boolean => !fresh(route) && due(route);
    return [
      ...announceCommands(this.session, announce.filter(fresh)),
      ...announceCommands(this.session, announce.filter(retry), 1),
      ...withdrawCommands(this.session, change.withdraw.filter(fresh)),
      ...withdrawCommands(this.session, change.withdraw.filter(retry), 1),
    ];
  }

  /** A rejection counts while the very same change is still to be made; a read-back may have shown that it is not. */
  #dropObsoleteRejections(change: RouteChange): void {
    const open = {
      announce: routeSet(change.announce),
      withdraw: routeSet(change.withdraw),
    };
    for (const [prefix, { refusal, key }] of this.#rejected) {
      const route = open[refusal.action].get(prefix);
      if (route === undefined || attributesKey(route) !== key) this.#rejected.delete(prefix);
    }
  }

  acknowledge(command: RouteCommand, ok: boolean, nowMs: number): void {
    for (const route of command.routes) {
      const prefix = route.prefix.text;
      if (ok) {
        this.#rejected.delete(prefix);
        if (command.action === 'announce') this.#held.set(prefix, route);
        else this.#held.delete(prefix);
      } else {
        // ExaBGP rejects a whole group for one bad member: each member is tried alone at once, and after that every few seconds.
        const alone = command.routes.length === 1;
        this.#rejected.set(prefix, {
          refusal: {
            prefix,
            action: command.action,
            reason: 'RejectedByExabgp',
            message: `ExaBGP refuses to ${command.action} ${prefix} to ${this.session.address}`,
          },
          key: attributesKey(route),
          retryAtMs: alone ? nowMs + retryRejectedMs : nowMs,
        });
      }
    }
  }
}
