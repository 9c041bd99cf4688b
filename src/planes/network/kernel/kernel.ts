import { isDeepStrictEqual } from 'node:util';
import { comparePrefixes, type Prefix } from '../../../model/address.ts';
import { messageOf } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { few } from '../../../runtime/few.ts';
import type { Log } from '../../../runtime/log.ts';
import type { BlackholeTable } from './blackholes.ts';
import type { KernelRoutes, KernelRules } from './parse.ts';
import { textOf, type UplinkRule } from './uplinks.ts';

export interface KernelOptions {
  readonly blackholes: BlackholeTable;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the real tables are read although nobody says that they changed. */
  readonly reconcileMs: number;
  /** The tables changed, and `look` reads them when that is due. */
  readonly onChange: () => void;
}

/** How often the rules are read where none is ours and nothing changed: every look starts two processes. */
const rulesEveryMs = 60_000;
/** Tables that change all the time are read once in so long; ... */
const restMs = 1000;
/** ... when they are large, or the machine is busy, reading takes one part in so many of the time. */
const timeShare = 4;

/**
 * What the kernel has of ours and of others, as it was read last and changed since. What was read again as it was stays the same
 * object, so that nothing is computed anew.
 */
export class Kernel {
  readonly #options: KernelOptions;
  #routes: KernelRoutes = { blackholes: [], foreign: [], uplinks: [] };
  #rules: KernelRules = { foreign: [], uplink: [] };
  #rulesAtMs = -Infinity;
  #isRead = false;
  #reconcileAtMs = Infinity;
  /** Before this the tables are not read for a change. */
  #restsUntilMs = -Infinity;
  #endWatch: (() => void) | undefined;
  #problem: string | undefined;

  constructor(options: KernelOptions) {
    this.#options = options;
  }

  /** Our blackholes, sorted. */
  get installed(): readonly Prefix[] {
    return this.#routes.blackholes;
  }

  get foreign(): KernelRoutes['foreign'] {
    return this.#routes.foreign;
  }

  get uplinks(): readonly string[] {
    return this.#routes.uplinks;
  }

  get rules(): KernelRules {
    return this.#rules;
  }

  /** Why the tables could not be read last time. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** When the tables are read again; Infinity before `start`. */
  get reconcileAtMs(): number {
    return this.#reconcileAtMs;
  }

  start(): void {
    this.#reconcileAtMs = this.#options.clock.monotonic() + this.#options.reconcileMs;
    this.#watch();
  }

  stop(): void {
    this.#endWatch?.();
    this.#endWatch = undefined;
    this.#reconcileAtMs = Infinity;
  }

  /** Reads the tables when that is due, or failed last time. */
  async look(): Promise<void> {
    const { clock, reconcileMs } = this.#options;
    const now = clock.monotonic();
    const isDue = now >= this.#reconcileAtMs;
    if (!isDue && this.#isRead) return;
    // Before the read, because the tables may change again during it.
    if (isDue) {
      this.#reconcileAtMs = now + reconcileMs;
      this.#restsUntilMs = now + restMs;
      if (this.#endWatch === undefined) this.#watch();
    }
    await this.#read();
    this.#restsUntilMs = Math.max(this.#restsUntilMs, now + (clock.monotonic() - now) * timeShare);
  }

  /** Where changes cannot be followed, the tables are still read every `reconcileMs`, and it is tried again then. */
  #watch(): void {
    this.#endWatch = this.#options.blackholes.watch(
      () => this.#noticeChange(),
      () => {
        this.#endWatch = undefined;
      },
    );
  }

  /** Of many changes at once only the first is news. */
  #noticeChange(): void {
    const dueAtMs = Math.max(this.#options.clock.monotonic(), this.#restsUntilMs);
    if (this.#reconcileAtMs <= dueAtMs) return;
    this.#reconcileAtMs = dueAtMs;
    this.#rulesAtMs = -Infinity;
    this.#options.onChange();
  }

  async change(add: readonly Prefix[], remove: readonly Prefix[]): Promise<void> {
    if (add.length + remove.length === 0) return;
    const { blackholes, log } = this.#options;
    const complaints = await blackholes.change(add, remove);
    if (complaints !== '') return this.#complain('BlackholeMissing', 'blackholes', complaints);
    const texts = (prefixes: readonly Prefix[]): readonly string[] => few(prefixes.map(({ text }) => text));
    log.info({ add: texts(add), remove: texts(remove) }, 'blackholes changed');
    const removed = new Set(remove.map(({ text }) => text));
    const left = this.#routes.blackholes.filter(({ text }) => !removed.has(text));
    this.#routes = { ...this.#routes, blackholes: [...left, ...add].toSorted(comparePrefixes) };
  }

  async changeRules(add: readonly UplinkRule[], remove: readonly UplinkRule[]): Promise<void> {
    if (add.length + remove.length === 0) return;
    const { blackholes, log } = this.#options;
    const complaints = await blackholes.changeRules(add, remove);
    if (complaints !== '') {
      this.#rulesAtMs = -Infinity;
      return this.#complain('UplinkRuleMissing', 'rules', complaints);
    }
    log.info({ add: few(add.map(textOf)), remove: few(remove.map(textOf)) }, 'rules for packets from uplinks changed');
    const removed = new Set(remove.map(textOf));
    const left = this.#rules.uplink.filter((rule) => !removed.has(textOf(rule)));
    this.#rules = { ...this.#rules, uplink: [...left, ...add] };
  }

  #complain(reason: string, what: string, complaints: string): Promise<void> {
    this.#options.log.warn(
      { reason, detail: few(complaints.split('\n')) },
      `the kernel did not take a change of ${what}`,
    );
    return this.#read();
  }

  async #read(): Promise<void> {
    this.#isRead = false;
    try {
      const { clock, blackholes } = this.#options;
      const { blackholes: ours, foreign, uplinks } = await blackholes.read();
      const routes = this.#routes;
      this.#routes = {
        blackholes: sameOr(routes.blackholes, ours),
        foreign: sameOr(routes.foreign, foreign),
        uplinks: sameOr(routes.uplinks, uplinks),
      };
      if (clock.monotonic() >= this.#rulesAtMs || this.#rules.uplink.length > 0) {
        const { foreign: others, uplink } = await blackholes.rules();
        this.#rules = { foreign: sameOr(this.#rules.foreign, others), uplink: sameOr(this.#rules.uplink, uplink) };
        this.#rulesAtMs = clock.monotonic() + rulesEveryMs;
      }
      this.#isRead = true;
      this.#problem = undefined;
    } catch (error) {
      const message = messageOf(error);
      if (message !== this.#problem)
        this.#options.log.error(
          { reason: 'KernelUnreadable', detail: message },
          'the routing table of the kernel cannot be read',
        );
      this.#problem = message;
    }
  }
}

function sameOr<T>(before: T, now: T): T {
  return isDeepStrictEqual(before, now) ? before : now;
}
