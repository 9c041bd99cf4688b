import type { Route } from '../../../bgp/route.ts';
import { type Acceptance, Obeyed } from '../../../kube/acceptance.ts';
import { mayMean } from '../../../kube/showings.ts';
import { hostPrefix, type Prefix, parseAddress } from '../../../model/address.ts';
import { freezeInForce } from '../../../model/platform/freezes.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { DoubtPart, EdgeNotice } from '../../../model/status.ts';
import { messageOf } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { BladePlatform } from '../compile/platform.ts';
import type { EdgeReason } from '../reasons.ts';
import type { KeptVips, VipFile } from './kept-vips.ts';

type Vip = EdgePool['spec']['vips'][number];

export interface VipBrakeOptions {
  /** The platform as it is written. */
  readonly platform: () => BladePlatform;
  readonly blade: string;
  /** The file into which a person writes a VIP that is to go at once. */
  readonly accepts: AcceptedVips;
  /** Where the VIPs in force outlive the agent. */
  readonly kept: VipFile;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a VIP stays in force that was taken out of its pool. Default 10 minutes. */
  readonly waitMs?: number;
}

/** What a person has written into the accept file. */
export interface AcceptedVips {
  readonly path: string;
  /** Undefined when there is nothing. `writtenMs` is in milliseconds since the epoch. */
  read(): Promise<Acceptance | undefined>;
  remove(): Promise<void>;
}

/** A VIP that was in force. */
interface Known {
  readonly vip: Vip;
  /** Since when the pool has it; -Infinity where it had it when the agent started. */
  readonly sinceMs: number;
  /** Since when the pool lacks it. */
  readonly leftMs?: number;
}

/** How often the accept file is looked at while a VIP leaves. */
const lookEveryMs = 1000;
/** How often the VIPs in force are written, though nothing changes: a file that is older than the wait counts for nothing. */
const keepEveryMs = 60_000;

/**
 * Keeps a VIP in force that an edit takes out of its pool. Every blade of the pool reads the edit within a second, and without it
 * nobody would announce the VIP. It goes ten minutes later, or at once when somebody says so twice: by the accept file, or by another
 * pool that has the VIP now. A Drain does not end the wait: it means the blade and not the VIP, so a drained blade gives the VIP to
 * another one, or keeps it as the last. While the platform is frozen the VIP does not go by itself. A VIP that came by an edit less
 * than ten minutes ago goes at once: that edit is taken back. VIPs that come are in force at once.
 */
export class VipBrake {
  readonly #options: VipBrakeOptions;
  readonly #waitMs: number;
  #known: ReadonlyMap<string, Known> | undefined;
  /** True when what an earlier agent announced was looked at. */
  #adopted = false;
  #lookedMs = -Infinity;
  /** True when what an earlier agent had in force was read. */
  #restored = false;
  #keptMs = -Infinity;
  /** What is on disk, as far as it tells when to write. */
  #onDisk = '';
  readonly #obeyed = new Obeyed();
  #made: { readonly raw: BladePlatform; readonly leaving: string; readonly inForce: BladePlatform } | undefined;

  constructor(options: VipBrakeOptions) {
    this.#options = options;
    this.#waitMs = options.waitMs ?? 600_000;
  }

  /**
   * The platform with the VIPs in its pool that leave it. It is the same object until one of them comes or goes, or the
   * platform is another one.
   */
  platform(): BladePlatform {
    const raw = this.#options.platform();
    const leaving = [...this.#update(raw).values()].filter(({ leftMs }) => leftMs !== undefined);
    if (leaving.length === 0) return raw;
    const texts = leaving.map(({ vip }) => vip.address.text).join();
    if (this.#made?.raw !== raw || this.#made.leaving !== texts) {
      const inForce = withVips(
        raw,
        leaving.map(({ vip }) => vip),
      );
      this.#made = { raw, leaving: texts, inForce };
    }
    return this.#made.inForce;
  }

  /** The prefixes of the VIPs that leave, which may be announced although their Site may have them no longer. */
  get beyond(): readonly Prefix[] {
    return this.#leaving().map(({ vip }) => hostPrefix(vip.address));
  }

  /** What is to be said of each VIP that leaves. */
  notices(): readonly Required<EdgeNotice>[] {
    const { clock, accepts, platform } = this.#options;
    const pool = platform().pool.metadata.name;
    const frozen = this.#frozen() ? ', and as long as the platform is frozen' : '';
    const reason: EdgeReason = 'PoolEditWaits';
    return this.#leaving().map(({ vip, leftMs = 0 }) => {
      const subject = vip.address.text;
      const leftForMs = Math.max(0, leftMs + this.#waitMs - clock.monotonic());
      const untilMs = clock.now() + leftForMs;
      const until = new Date(untilMs).toISOString().replace(/\.\d+Z$/, 'Z');
      const message = `pool ${pool} has it no longer: it stays announced until ${until}${frozen}; put it back to keep it, or write ${subject} into ${accepts.path} to withdraw it now`;
      return { subject, reason, message, untilMs };
    });
  }

  /** The VIPs that leave as doubts; each is accepted by its address. */
  doubting(): DoubtPart {
    const { accepts, clock, platform } = this.#options;
    const pool = platform().pool.metadata.name;
    const frozen = this.#frozen();
    const reason: EdgeReason = 'PoolEditWaits';
    const doubts = this.#leaving().map(({ vip, leftMs = 0 }) => {
      const subject = vip.address.text;
      const sinceMs = clock.now() - (clock.monotonic() - leftMs);
      return {
        reason,
        message: `VIP ${subject} left pool ${pool} by an edit; it stays announced`,
        objects: [`VIP ${subject}`],
        count: 1,
        sinceMs,
        waitsMs: this.#waitMs,
        ...(frozen ? {} : { untilMs: sinceMs + this.#waitMs }),
        undo: `put ${subject} back into EdgePool ${pool}`,
        fingerprint: subject,
        acceptFile: accepts.path,
      };
    });
    return { doubts, accepted: this.#obeyed.list };
  }

  /**
   * Takes the VIPs that an earlier agent left in ExaBGP for VIPs that were in force; only the first call counts. To be called when
   * it is known what ExaBGP holds, and before it is given the first set.
   */
  adopt(held: readonly Route[]): void {
    if (this.#adopted) return;
    this.#adopted = true;
    const known = new Map(this.#update(this.#options.platform()));
    for (const { class: kind, prefix } of held) {
      const address = kind === 'vip' ? parseAddress(prefix.text.replace(/\/\d+$/, '')) : undefined;
      if (address === undefined || known.has(address.text)) continue;
      // Nothing on this machine says whether it was a public one; a private one is not given to clients anew.
      known.set(address.text, { vip: { address, scope: 'private' }, sinceMs: -Infinity });
    }
    this.#known = known;
  }

  /** Takes what an earlier agent had in force, does what a person has written meanwhile, and keeps what is in force now. */
  async look(): Promise<void> {
    if (!this.#restored) this.#restore(await this.#options.kept.read());
    await this.#obeyAcceptance();
    await this.#keep();
  }

  /**
   * Takes VIPs for in force that were so on this blade when an earlier agent last wrote, and that are not in the pool any more: they
   * leave from when that agent saw the edit, else from now. What is older than the wait counts for nothing, as the address may be
   * somebody else's by now.
   */
  #restore(kept: KeptVips | undefined): void {
    this.#restored = true;
    const { clock, platform } = this.#options;
    const nowMs = clock.monotonic();
    const raw = platform();
    if (kept === undefined || kept.pool !== raw.pool.metadata.name) return;
    if (Math.abs(clock.now() - kept.atMs) > this.#waitMs) return;
    const monotonic = (wallMs: number): number => nowMs - Math.max(0, clock.now() - wallMs);
    const known = new Map(this.#update(raw));
    for (const { address: text, scope, sinceMs, leftMs } of kept.vips) {
      const address = parseAddress(text);
      const inPool = raw.pool.spec.vips.some((vip) => vip.address.text === text);
      if (address === undefined || inPool) continue;
      known.set(text, {
        vip: { address, scope },
        sinceMs: sinceMs === undefined ? -Infinity : monotonic(sinceMs),
        ...(leftMs === undefined ? {} : { leftMs: monotonic(leftMs) }),
      });
    }
    this.#known = known;
  }

  /** Writes the VIPs in force when they changed, and every minute. */
  async #keep(): Promise<void> {
    const { clock, kept, log, platform } = this.#options;
    const raw = platform();
    const nowMs = clock.monotonic();
    const wall = (monotonicMs: number): number => clock.now() - (nowMs - monotonicMs);
    const known = [...this.#update(raw).values()];
    const text = known.map(({ vip, leftMs }) => `${vip.address.text} ${vip.scope} ${leftMs}`).join();
    if (text === this.#onDisk && nowMs - this.#keptMs < keepEveryMs) return;
    this.#onDisk = text;
    this.#keptMs = nowMs;
    const vips = known.map(({ vip: { address, scope }, sinceMs, leftMs }) => ({
      address: address.text,
      scope,
      ...(sinceMs === -Infinity ? {} : { sinceMs: wall(sinceMs) }),
      ...(leftMs === undefined ? {} : { leftMs: wall(leftMs) }),
    }));
    try {
      await kept.write({ pool: raw.pool.metadata.name, atMs: clock.now(), vips });
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the VIPs in force cannot be written');
    }
  }

  async #obeyAcceptance(): Promise<void> {
    const { accepts, clock, log } = this.#options;
    if (this.#leaving().length === 0 || clock.monotonic() - this.#lookedMs < lookEveryMs) return;
    this.#lookedMs = clock.monotonic();
    const accepted = await accepts.read();
    const known = this.#known?.get(accepted?.said ?? '');
    if (accepted === undefined || known?.leftMs === undefined) return;
    const writtenMs = clock.monotonic() - (clock.now() - accepted.writtenMs);
    if (!mayMean(writtenMs, known.leftMs)) return;
    log.warn(
      { vip: accepted.said, by: accepted.by, why: 'accepted by a person' },
      'a VIP that left its pool is withdrawn',
    );
    this.#obeyed.note(accepted, clock.now());
    this.#known = new Map([...(this.#known ?? [])].filter(([text]) => text !== accepted.said));
    // A restart in between must not bring it back.
    await this.#keep();
    await accepts.remove();
  }

  /** While the platform is frozen nothing goes that nobody asked for. */
  #frozen(): boolean {
    const { platform, clock } = this.#options;
    return freezeInForce(platform().platform, clock.now()) !== undefined;
  }

  #leaving(): readonly Known[] {
    return [...this.#update(this.#options.platform()).values()].filter(({ leftMs }) => leftMs !== undefined);
  }

  /** Brings what is known up to the platform and the time. */
  #update(raw: BladePlatform): ReadonlyMap<string, Known> {
    const nowMs = this.#options.clock.monotonic();
    const before = this.#known;
    const vips = new Map(raw.pool.spec.vips.map((vip) => [vip.address.text, vip]));
    const known = new Map<string, Known>();
    for (const [text, vip] of vips)
      known.set(text, { vip, sinceMs: before === undefined ? -Infinity : (before.get(text)?.sinceMs ?? nowMs) });
    for (const [text, one] of before ?? []) {
      if (vips.has(text)) continue;
      const left = { ...one, leftMs: one.leftMs ?? nowMs };
      const why = this.#whyGone(raw, left, nowMs);
      this.#tell(one, left, why);
      if (why === undefined) known.set(text, left);
    }
    this.#known = known;
    return known;
  }

  /** Why a VIP that left its pool is withdrawn now; undefined while it stays. */
  #whyGone({ platform }: BladePlatform, { vip, sinceMs, leftMs }: Required<Known>, nowMs: number) {
    if (nowMs - leftMs >= this.#waitMs && !this.#frozen()) return 'nobody put it back';
    if (leftMs - sinceMs < this.#waitMs) return 'it had just been added';
    const elsewhere = [...platform.edgePools.values()].some(({ spec }) =>
      spec.vips.some(({ address }) => address.text === vip.address.text),
    );
    return elsewhere ? 'another pool has it' : undefined;
  }

  #tell(before: Known, { vip }: Known, why: string | undefined): void {
    const { log } = this.#options;
    const fields = { vip: vip.address.text };
    if (why !== undefined) log.warn({ ...fields, why }, 'a VIP that left its pool is withdrawn');
    else if (before.leftMs === undefined)
      log.warn(
        { ...fields, reason: 'PoolEditWaits' satisfies EdgeReason, waitsSeconds: this.#waitMs / 1000 },
        'a VIP left its pool, and stays announced for now',
      );
  }
}

function withVips({ platform, pool }: BladePlatform, more: readonly Vip[]): BladePlatform {
  const inForce = { ...pool, spec: { ...pool.spec, vips: [...pool.spec.vips, ...more] } };
  const edgePools = new Map([...platform.edgePools, [pool.metadata.name, inForce]]);
  return { platform: { ...platform, edgePools }, pool: inForce };
}
