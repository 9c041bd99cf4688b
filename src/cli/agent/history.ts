import type { Decision } from '../../model/decision.ts';
import { decisionsSince, type Remembered } from '../../model/decisions.ts';
import type { AgentHistory, EdgeStatus, NetworkStatus } from '../../model/status.ts';
import type { SteeringStatus } from '../../model/steering-status.ts';
import { messageOf } from '../../model/values.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Journal } from '../../runtime/journal.ts';
import type { Log } from '../../runtime/log.ts';

/** How often the status is looked at; what began and ended between two looks is not seen. */
const lookEveryMs = 1000;

export interface HistoryOptions {
  readonly journal: Journal;
  /** The whole `/status`. */
  readonly status: () => object;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes down what an agent decides, as its status shows it. No fault of it ends the agent. */
export class History {
  readonly #options: HistoryOptions;
  #remembered: Remembered | undefined;
  #timer: Timer | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock } = this.#options;
    this.#look();
    this.#timer = clock.setTimeout(() => this.start(), lookEveryMs);
  }

  /** The answer to `/history?since=MS`: what was decided since that moment, in milliseconds since the epoch. */
  answer(query: URLSearchParams): AgentHistory {
    const since = Number(query.get('since') ?? 0);
    const { entries, ...rest } = this.#options.journal.told(Number.isFinite(since) ? since : 0);
    return { decisions: entries as readonly Decision[], ...rest };
  }

  async stop(subject: string): Promise<void> {
    const { clock, journal } = this.#options;
    this.#timer?.cancel();
    this.#look();
    const stopped: Decision = { atMs: clock.now(), what: 'AgentStopped', subject };
    journal.append([stopped]);
    await journal.close();
  }

  #look(): void {
    const { journal, status, clock, log } = this.#options;
    try {
      const now = status() as EdgeStatus | NetworkStatus | SteeringStatus;
      const { decisions, remembered } = decisionsSince(this.#remembered, now, clock.now());
      this.#remembered = remembered;
      journal.append(decisions);
    } catch (error) {
      log.debug({ error: messageOf(error) }, 'the history could not look at the status');
    }
  }
}
