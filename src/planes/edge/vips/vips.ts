import type { Route } from '../../../bgp/route.ts';
import type { Speaker } from '../../../bgp/speaker.ts';
import { type Address, hostPrefix } from '../../../model/address.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { EdgeMetrics } from '../metrics.ts';
import type { EdgeReason } from '../reasons.ts';
import { decideVip } from '../step/decide.ts';
import { Fitness } from '../step/fitness.ts';
import type { Peers } from './peers.ts';
import type { Probe } from './probe.ts';

export interface VipStatus {
  readonly address: string;
  /** This blade should serve it: peers count on that. */
  readonly fit: boolean;
  /** Why not, and `LastAnnouncer` when it is announced nevertheless. */
  readonly reasons: readonly EdgeReason[];
  /** ExaBGP announces it to at least one router. */
  readonly announced: boolean;
}

export interface VipsOptions {
  readonly speaker: Speaker;
  readonly probe: Probe;
  readonly peers: Peers;
  readonly pool: () => EdgePool;
  readonly blade: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: EdgeMetrics;
  /** The `instance` of the nginx on our control socket: the one that must answer on the VIP. */
  readonly instance: () => string | undefined;
  /** Why the blade as a whole cannot serve. */
  readonly bladeFault: () => EdgeReason | undefined;
  /** Why the blade should not serve although it could: peers stop counting on it at once, it lets go after `graceMs`. */
  readonly retiring: () => { readonly reason: 'Draining' | 'Stopping'; readonly sinceMs: number } | undefined;
  /** VIPs that are not on this host. */
  readonly missing: () => ReadonlyMap<string, string>;
}

interface Vip {
  readonly address: Address;
  readonly fitness: Fitness;
  /** Since when it is unfit and says so; undefined while fit. */
  unfitSinceMs: number | undefined;
  /** Since when fewer fit peers than needed are known. */
  aloneSinceMs: number | undefined;
  decision: { readonly announce: boolean; readonly reason?: 'LastAnnouncer' };
}

/** While unfit and last, peers are asked this often. */
const askEveryMs = 1000;
/** After a start, what a former agent announced is left alone this long, until fitness is known. */
const startGraceMs = 10_000;

/** Announces every VIP of the pool for which this blade is fit; lets go only of those that others have. */
export class Vips {
  readonly #options: VipsOptions;
  #vips: readonly Vip[] = [];
  #desired: ReadonlySet<string> | undefined;
  #startedMs: number | undefined;
  #askedMs = -Infinity;

  constructor(options: VipsOptions) {
    this.#options = options;
  }

  /** One look at everything and what follows from it. Never two at a time. */
  async tick(): Promise<void> {
    const { clock } = this.#options;
    this.#startedMs ??= clock.monotonic();
    this.#vips = this.#options.pool().spec.vips.map(
      ({ address }) =>
        this.#vips.find((vip) => vip.address.text === address.text) ?? {
          address,
          fitness: new Fitness(),
          unfitSinceMs: undefined,
          aloneSinceMs: undefined,
          decision: { announce: false },
        },
    );
    // At once: one VIP on which nothing answers must not hold up the verdict over the others.
    await Promise.all(this.#vips.map((vip) => this.#examine(vip)));
    // Our unfitness is published from here on (status() tells it); only answers to later questions count for a withdrawal.
    if (this.#vips.some((vip) => vip.unfitSinceMs !== undefined && this.#isHeld(vip))) await this.#askPeers();
    for (const vip of this.#vips) this.#decide(vip);
    this.#announce();
  }

  status(): readonly VipStatus[] {
    return this.#vips.map((vip) => ({
      address: vip.address.text,
      fit: this.#isFit(vip),
      reasons: [...this.#reasonsAgainst(vip), ...(vip.decision.reason === undefined ? [] : [vip.decision.reason])],
      announced: this.#isAnnounced(vip),
    }));
  }

  /** True while any VIP is wanted or still announced from here. */
  get busy(): boolean {
    return this.#vips.some((vip) => vip.decision.announce || this.#isAnnounced(vip));
  }

  /** True when every VIP that is still announced is so because nobody else has it. */
  get onlyLast(): boolean {
    return this.#vips.every((vip) => !vip.decision.announce || vip.decision.reason === 'LastAnnouncer');
  }

  async #examine(vip: Vip): Promise<void> {
    const { probe, pool, instance, bladeFault, clock, metrics, missing } = this.#options;
    const fault = bladeFault() ?? (missing().has(vip.address.text) ? 'VipAddressMissing' : undefined);
    const answered = fault === undefined ? await probe(vip.address, pool().spec.ports.http) : undefined;
    const was = vip.fitness.fit;
    if (fault !== undefined) vip.fitness.take([fault]);
    else vip.fitness.take(answered !== undefined && answered === instance() ? [] : ['ProbeFailed']);
    if (was !== vip.fitness.fit) this.#logFitness(vip);
    const should = this.#shouldServe(vip);
    vip.unfitSinceMs = should ? undefined : (vip.unfitSinceMs ?? clock.monotonic());
    metrics.vipFit.set({ vip: vip.address.text }, this.#isFit(vip) ? 1 : 0);
  }

  #logFitness(vip: Vip): void {
    const fields = { vip: vip.address.text, reason: vip.fitness.reasons[0], reasons: vip.fitness.reasons };
    if (vip.fitness.fit) this.#options.log.info({ vip: vip.address.text }, 'fit for the VIP');
    else this.#options.log.warn(fields, 'not fit for the VIP');
  }

  /** What peers may count on: never a blade that is about to go. */
  #isFit(vip: Vip): boolean {
    return vip.fitness.fit && this.#options.retiring() === undefined;
  }

  /** A retiring blade keeps what it holds during its grace, while keep-alive connections end; it takes nothing new. */
  #shouldServe(vip: Vip): boolean {
    const retiring = this.#options.retiring();
    if (retiring === undefined || !vip.fitness.fit) return vip.fitness.fit;
    const graceMs = this.#options.pool().spec.drain.graceSeconds * 1000;
    return this.#isHeld(vip) && this.#options.clock.monotonic() - retiring.sinceMs < graceMs;
  }

  #reasonsAgainst(vip: Vip): readonly EdgeReason[] {
    const retiring = this.#options.retiring();
    return [...(retiring === undefined ? [] : [retiring.reason]), ...vip.fitness.reasons];
  }

  async #askPeers(): Promise<void> {
    const { clock, peers } = this.#options;
    if (clock.monotonic() - this.#askedMs < askEveryMs) return;
    this.#askedMs = clock.monotonic();
    await peers.ask();
  }

  #decide(vip: Vip): void {
    const { clock, pool, log } = this.#options;
    const { minAnnouncers, leaseSeconds } = pool().spec;
    const fitPeers = this.#fitPeers(vip);
    vip.aloneSinceMs = fitPeers >= minAnnouncers ? undefined : (vip.aloneSinceMs ?? clock.monotonic());
    const view = {
      fit: vip.unfitSinceMs === undefined,
      capable: vip.fitness.fit,
      held: this.#isHeld(vip),
      fitPeers,
      aloneMs: vip.aloneSinceMs === undefined ? 0 : clock.monotonic() - vip.aloneSinceMs,
    };
    if (this.#desired === undefined && !this.#mayBegin()) {
      vip.decision = { announce: view.held };
      return;
    }
    const before = vip.decision;
    vip.decision = decideVip(view, minAnnouncers, leaseSeconds * 1000);
    if (vip.decision.reason !== undefined && before.reason === undefined)
      log.warn(
        { vip: vip.address.text, reason: vip.decision.reason, reasons: this.#reasonsAgainst(vip) },
        'unfit but the last announcer',
      );
  }

  #fitPeers(vip: Vip): number {
    const notBeforeMs = Math.max(vip.unfitSinceMs ?? 0, this.#options.clock.monotonic() - 3000);
    return this.#options.peers.answers().filter(({ askedAtMs, vips }) => {
      const peer = vips.get(vip.address.text);
      return askedAtMs >= notBeforeMs && peer?.fit === true && peer.announced;
    }).length;
  }

  /** In our set; before the first set, in what ExaBGP holds from a former agent. */
  #isHeld(vip: Vip): boolean {
    if (this.#desired !== undefined) return this.#desired.has(vip.address.text);
    return this.#announcedPrefixes().has(hostPrefix(vip.address).text);
  }

  #isAnnounced(vip: Vip): boolean {
    const { speaker } = this.#options;
    return (
      this.#announcedPrefixes().has(hostPrefix(vip.address).text) && speaker.status().neighbors.some(({ up }) => up)
    );
  }

  #announcedPrefixes(): ReadonlySet<string> {
    return new Set(this.#options.speaker.status().announced.map(({ prefix }) => prefix.text));
  }

  #announce(): void {
    const { speaker, log, metrics } = this.#options;
    for (const vip of this.#vips) metrics.vipAnnounced.set({ vip: vip.address.text }, this.#isAnnounced(vip) ? 1 : 0);
    if (this.#desired === undefined && !this.#mayBegin()) return;
    const wanted = this.#vips.filter(({ decision }) => decision.announce);
    const names = new Set(wanted.map(({ address }) => address.text));
    if (this.#desired?.size === names.size && [...names].every((name) => this.#desired?.has(name))) return;
    log.info({ vips: [...names], before: [...(this.#desired ?? [])] }, 'VIPs to announce changed');
    this.#desired = names;
    speaker.setDesired(wanted.map((vip) => this.#route(vip)));
  }

  /**
   * The first set replaces what a former agent announced. It may announce everything at once; a set that withdraws waits
   * until it is known what is announced, and that the fitness is not just about to become good.
   */
  #mayBegin(): boolean {
    const { clock, speaker, retiring } = this.#options;
    const fit = this.#vips.every(({ fitness }) => fitness.fit);
    if (fit && retiring() === undefined) return true;
    const waited = clock.monotonic() - (this.#startedMs ?? 0) > startGraceMs;
    return speaker.status().relay === 'synced' && (fit || waited);
  }

  #route({ address }: Vip): Route {
    const { pool, blade } = this.#options;
    // A VIP of the other family than the blade's address has no next hop here: the speaker refuses it by name.
    const nextHop = pool().spec.blades.find(({ name }) => name === blade)?.address;
    return {
      prefix: hostPrefix(address),
      nextHop: nextHop ?? address,
      class: 'vip',
      because: `VIP ${address.text} of pool ${pool().metadata.name} on blade ${blade}`,
    };
  }
}
