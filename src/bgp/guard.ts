import { contains, overlaps, type Prefix, parseAddress, parsePrefix } from '../model/address.ts';
import { compareText, withoutUndefined } from '../model/values.ts';
import { diffRoutes, type RouteSet, routeSet, sortRoutes } from './diff.ts';
import { type Reason, reasons } from './reasons.ts';
import { isFailStatic, type Route, type RouteClass } from './route.ts';
import type { RouteRefusal } from './speaker.ts';
import { RateWindow } from './window.ts';
import { maxPrepend } from './yield.ts';

export interface GuardLimits {
  /** The prefixes that may ever be announced from this site, by class; everything else is refused. */
  readonly allowed: { readonly [C in RouteClass]: readonly Prefix[] };
  readonly maxRoutes: number;
  readonly maxAnnouncementsPerMinute: number;
  readonly maxWithdrawalsPerMinute: number;
  /** Withdrawals in one step wait when they are more than this and more than half of all routes; VIPs do not count. Default 8. */
  readonly massWithdrawal?: number;
  /** How long a mass withdrawal must be asked for without a break before it starts. Default 60,000. */
  readonly massWithdrawalWaitMs?: number;
}

export interface Judgement {
  /** The routes that ExaBGP should hold now: those asked for and allowed, and those that may not be withdrawn yet. Sorted. */
  readonly target: readonly Route[];
  readonly refusals: readonly RouteRefusal[];
  /** False while a route that will be announced still waits: an end-of-RIB now would lose it at the peer. */
  readonly complete: boolean;
  /** When a route that waits can be tried again; absent when none waits. */
  readonly retryAfterMs?: number;
}

/**
 * The guardrails of one server. A refusal names the route and the reason: the other routes proceed, and nothing here throws.
 * The routes that one judgement let through are the base of the next, so announcing the same ones again (after a restart of
 * ExaBGP) uses up no limit.
 */
export class Guard {
  readonly #limitsNow: () => GuardLimits;
  readonly #announcements: RateWindow;
  readonly #withdrawals: RateWindow;
  #granted: RouteSet = new Map();
  #massSinceMs: number | undefined;

  /** Limits that are a function are asked in every judgement: the edit of a Site holds from the next one. */
  constructor(limits: GuardLimits | (() => GuardLimits)) {
    this.#limitsNow = typeof limits === 'function' ? limits : () => limits;
    this.#announcements = new RateWindow(() => this.#limits.maxAnnouncementsPerMinute, 60_000);
    this.#withdrawals = new RateWindow(() => this.#limits.maxWithdrawalsPerMinute, 60_000);
  }

  get #limits(): GuardLimits {
    return this.#limitsNow();
  }

  /** Takes the routes that ExaBGP already holds when this agent starts as the base of the first judgement. */
  adopt(held: readonly Route[]): void {
    this.#granted = routeSet(held);
  }

  /**
   * Judges the whole desired set against the limits.
   *
   * @param families the address families that have a session
   * @param nowMs the time on a clock that never goes back
   * @param confirmed true when a mass withdrawal is meant (a drain, a planned stop): it waits neither as a mass nor for the limit
   * of the minute, because whoever stops the server next would leave at the routers what still waits
   * @param disproved prefixes, as text, whose withdrawal is proven (another server has them): they never wait as part of a mass
   */
  judge(
    desired: readonly Route[],
    context: {
      readonly families: ReadonlySet<4 | 6>;
      readonly nowMs: number;
      readonly confirmed: boolean;
      readonly disproved?: ReadonlySet<string>;
    },
  ): Judgement {
    const refusals: RouteRefusal[] = [];
    const candidates = this.#candidates(desired, context.families, refusals);
    const { announce, withdraw } = diffRoutes(this.#granted, candidates);
    const target = new Map(candidates);
    let retryAfterMs: number | undefined;
    const retryIn = (delayMs: number): void => {
      retryAfterMs = Math.min(retryAfterMs ?? delayMs, delayMs);
    };

    const announceNow = this.#announcements.take(announce.length, context.nowMs);
    for (const route of announce.slice(announceNow)) {
      refusals.push(refuse(route, 'announce', 'AnnouncementRateExceeded', this.#limits.maxAnnouncementsPerMinute));
      const before = this.#granted.get(route.prefix.text);
      if (before === undefined) target.delete(route.prefix.text);
      else target.set(route.prefix.text, before);
      retryIn(this.#announcements.freeInMs(context.nowMs));
    }

    const closes = (route: Route): boolean =>
      !isFailStatic(route) || context.disproved?.has(route.prefix.text) === true;
    const failStatic = withdraw.filter((route) => !closes(route));
    const massWaitMs = this.#massWaitMs(failStatic.length, context);
    const held = massWaitMs > 0 ? failStatic : [];
    for (const route of held) {
      refusals.push(refuse(route, 'withdraw', 'MassWithdrawal', held.length));
      target.set(route.prefix.text, route);
      retryIn(massWaitMs);
    }
    // VIPs and what is another server's are withdrawn first: an unfit or wrong server must not answer for them while other
    // routes use up the limit of the minute.
    const closing = withdraw.filter(closes);
    const due = massWaitMs > 0 ? closing : [...closing, ...failStatic];
    const withinRate = this.#withdrawals.take(due.length, context.nowMs);
    for (const route of context.confirmed ? [] : due.slice(withinRate)) {
      refusals.push(refuse(route, 'withdraw', 'WithdrawalRateExceeded', this.#limits.maxWithdrawalsPerMinute));
      target.set(route.prefix.text, route);
      retryIn(this.#withdrawals.freeInMs(context.nowMs));
    }

    this.#granted = target;
    return {
      target: sortRoutes([...target.values()]),
      refusals: refusals.toSorted((a, b) => compareText(a.prefix, b.prefix)),
      complete: announceNow === announce.length,
      ...withoutUndefined({ retryAfterMs }),
    };
  }

  #candidates(desired: readonly Route[], families: ReadonlySet<4 | 6>, refusals: RouteRefusal[]): RouteSet {
    const passed = new Map<string, Route>();
    for (const route of desired) {
      const reason = passed.has(route.prefix.text) ? 'DuplicatePrefix' : refusalOf(route, this.#limits, families);
      if (reason === undefined) passed.set(route.prefix.text, route);
      else refusals.push(refuse(route, 'announce', reason));
    }
    const old = sortRoutes([...passed.values()].filter((route) => this.#granted.has(route.prefix.text)));
    const young = sortRoutes([...passed.values()].filter((route) => !this.#granted.has(route.prefix.text)));
    const { maxRoutes } = this.#limits;
    // A maximum that was lowered is no reason to withdraw: every server reads the same edit, and would lose its routes at once.
    for (const route of old.slice(maxRoutes)) refusals.push(refuse(route, 'withdraw', 'TooManyRoutes', maxRoutes));
    const room = Math.max(0, maxRoutes - old.length);
    for (const route of young.slice(room)) refusals.push(refuse(route, 'announce', 'TooManyRoutes', maxRoutes));
    return routeSet([...old, ...young.slice(0, room)]);
  }

  /**
   * How long `count` withdrawals must wait; 0 when they may start. A mass withdrawal that was let through goes on until it is
   * done.
   */
  #massWaitMs(count: number, context: { readonly nowMs: number; readonly confirmed: boolean }): number {
    const all = [...this.#granted.values()].filter(isFailStatic).length;
    const isMass = count > (this.#limits.massWithdrawal ?? 8) && count > all / 2;
    if (!isMass) {
      this.#massSinceMs = count === 0 ? undefined : this.#massSinceMs;
      return 0;
    }
    this.#massSinceMs ??= context.nowMs;
    if (context.confirmed) return 0;
    return Math.max(0, this.#massSinceMs + (this.#limits.massWithdrawalWaitMs ?? 60_000) - context.nowMs);
  }
}

function refusalOf(route: Route, limits: GuardLimits, families: ReadonlySet<4 | 6>): Reason | undefined {
  if (!isWellFormed(route)) return 'MalformedRoute';
  const { prefix } = route;
  if (prefix.length === 0) return 'DefaultRoute';
  if (route.nextHop.family !== prefix.family) return 'NextHopFamilyMismatch';
  if (!families.has(prefix.family)) return 'NoSessionForFamily';
  const allowed = limits.allowed[route.class];
  if (allowed.some((outer) => contains(outer, prefix))) return undefined;
  return allowed.some((outer) => overlaps(outer, prefix)) ? 'PrefixTooShort' : 'PrefixOutsideSite';
}

function isWellFormed(route: Route): boolean {
  const prefix = parsePrefix(route.prefix.text);
  const whole = (value: number | undefined, most: number): boolean =>
    value === undefined || (Number.isInteger(value) && value >= 0 && value <= most);
  return (
    prefix !== undefined &&
    prefix.text === route.prefix.text &&
    prefix.network === route.prefix.network &&
    prefix.length === route.prefix.length &&
    prefix.family === route.prefix.family &&
    parseAddress(route.nextHop.text)?.family === route.nextHop.family &&
    whole(route.med, 4_294_967_295) &&
    whole(route.localPreference, 4_294_967_295) &&
    whole(route.prepend, maxPrepend) &&
    (route.communities ?? []).every(([asn, value]) => whole(asn, 65_535) && whole(value, 65_535)) &&
    (route.communities ?? []).length <= 32
  );
}

const explain: { readonly [R in Reason]?: (number: number) => string } = {
  TooManyRoutes: (limit) => `this server may announce ${limit} routes`,
  AnnouncementRateExceeded: (limit) => `more than ${limit} announcements in a minute`,
  WithdrawalRateExceeded: (limit) => `more than ${limit} withdrawals in a minute`,
  MassWithdrawal: (count) => `one of ${count} withdrawals in one step`,
  PrefixOutsideSite: () => "not in the site's prefixes of this class",
  PrefixTooShort: () => "shorter than the site's prefix",
};

function refuse(route: Route, action: RouteRefusal['action'], reason: Reason, number = 0): RouteRefusal {
  const message = explain[reason]?.(number) ?? reasons[reason];
  return { prefix: route.prefix.text, action, reason, message: `${message}: ${route.because}` };
}
