import { expect, Unmet } from '../demo/unmet.ts';
import type { Operator } from '../fleet/operator.ts';
import { type Missing, stillMissing } from '../missing.ts';
import type { RequestAccount } from './requests.ts';
import { type FleetWorld, requestTimeoutMs } from './world.ts';

/** How long a step waits for what must come; it is only there to end. */
const patienceMs = 180_000;

/** The operations by which the steps of the fleet's scenario observe and change the world. */
export class FleetStage {
  readonly world: FleetWorld;
  readonly #narrate: (line: string) => void;
  /** When the step's fault began, ms since the epoch. */
  faultAtMs: number | undefined;

  constructor(world: FleetWorld, narrate: (line: string) => void) {
    this.world = world;
    this.#narrate = narrate;
  }

  now(): number {
    return this.world.clock.now();
  }

  narrate(line: string): void {
    this.#narrate(line);
  }

  /** Polls until nothing is missing, an error of a look counting as missing; then throws Unmet with what was missing at last. */
  async until(missing: Missing, timeoutMs = patienceMs): Promise<void> {
    const look = async (): Promise<string | undefined> => {
      try {
        return await missing();
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    };
    const word = await stillMissing(look, { clock: this.world.clock, timeoutMs, everyMs: 250 });
    if (word !== undefined) throw new Unmet(`after ${Math.round(timeoutMs / 1000)} s: ${word}`);
  }

  /**
   * Makes what the spec says come true, as an operator does: a plan, then the same with its checksum. What the commands print is told.
   * Without words it is `plan` and `apply`. Resolves with what the plan printed.
   */
  async fleet(...words: readonly string[]): Promise<string> {
    return await this.told(async (operator) => {
      const command = words.length === 0 ? 'plan' : words.join(' ');
      this.narrate(`$ tideline fleet ${command}`);
      const { printed, checksum } = await operator.plan(...words);
      this.narrate(`$ tideline fleet ${words.length === 0 ? `apply ${checksum}` : `${command} --plan ${checksum}`}`);
      if (words.length === 0) await operator.apply(checksum, '--create-authorities');
      else await operator.procedure(words, checksum);
      return printed;
    });
  }

  /** Whatever the operator types meanwhile is told line by line. */
  async told<Result>(action: (operator: Operator) => Promise<Result>): Promise<Result> {
    const { operator } = this.world;
    operator.tell = (line) => this.narrate(`  ${line}`);
    try {
      return await action(operator);
    } finally {
      operator.tell = undefined;
    }
  }

  accountSince(fromMs: number): RequestAccount {
    return this.world.requests.window(fromMs);
  }

  /** Waits until the client has been answered by so many different pods since then. */
  async untilAnsweredBy(pods: number, fromMs: number): Promise<void> {
    await this.until(() => {
      const { pods: seen, failures } = this.accountSince(fromMs);
      const failed =
        failures.length === 0 ? '' : `, and ${failures.length} requests failed: ${failures.at(-1)?.reason}`;
      return seen.size >= pods ? undefined : `${seen.size} of ${pods} pods have answered the client${failed}`;
    });
  }

  /** Waits until the requests in flight have ended, so that an account up to now is complete. */
  async untilAnswered(): Promise<void> {
    if (this.accountSince(0).requests > 0) await this.pause(requestTimeoutMs + 500);
  }

  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.world.clock.setTimeout(() => resolve(), ms);
    });
  }

  expect(condition: boolean, otherwise: string): void {
    expect(condition, otherwise);
  }
}
