import { type Clock, sleep } from '../../../../runtime/clock.ts';

/** How many calls may be made at once, and how many a second after that. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What Route 53 documents for an account; older pages say five a second, and an account that has less refuses calls beyond it. */
const accountRate: Rate = { burst: 50, perSecond: 10 };

/** Calls that have less than that, as documented. Those for the status of a check are spread by who makes them. */
const callRates: Readonly<Record<string, Rate>> = {
  CreateHealthCheck: { burst: 50, perSecond: 0.5 },
  DeleteHealthCheck: { burst: 15, perSecond: 3 },
};

/** A bucket of tokens. It may owe some: who takes one that is not there yet waits for it, after those who asked before. */
class TokenBucket {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #tokens: number;
  #atMs: number;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = clock.monotonic();
  }

  /** Takes one token; returns in how many milliseconds it is there. */
  take(): number {
    this.#refill();
    this.#tokens -= 1;
    return Math.max(0, (-this.#tokens / this.#rate.perSecond) * 1000);
  }

  /** Forgets the tokens that are there: others have taken them. */
  empty(): void {
    this.#refill();
    this.#tokens = Math.min(0, this.#tokens);
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const gained = ((now - this.#atMs) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#atMs = now;
  }
}

/**
 * Keeps all calls of this process below the rate of one account, whichever zone or client they are for: a call beyond it would be
 * refused, and would take from what others of the account may do.
 */
export class Limiter {
  readonly #clock: Clock;
  readonly #account: TokenBucket;
  readonly #calls: ReadonlyMap<string, TokenBucket>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#account = new TokenBucket(clock, accountRate);
    this.#calls = new Map(Object.entries(callRates).map(([call, rate]) => [call, new TokenBucket(clock, rate)]));
  }

  /** Resolves when a call, by its name in the API, may be made. */
  async take(call: string): Promise<void> {
    const waitMs = Math.max(this.#account.take(), this.#calls.get(call)?.take() ?? 0);
    if (waitMs > 0) await sleep(this.#clock, waitMs);
  }

  /** Is told that Route 53 refused a call as one too many: what was thought to be left is not there. */
  refused(call: string): void {
    this.#account.empty();
    this.#calls.get(call)?.empty();
  }
}

const shared = new WeakMap<Clock, Limiter>();

/** The limiter of a process, which has one clock. */
export function limiterOf(clock: Clock): Limiter {
  const limiter = shared.get(clock) ?? new Limiter(clock);
  shared.set(clock, limiter);
  return limiter;
}
