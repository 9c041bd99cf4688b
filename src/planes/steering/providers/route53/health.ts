import type { HealthCheckObservation } from '@aws-sdk/client-route-53';

/** What one checker of Route 53 reported last about an endpoint. */
export interface Report {
  /** The address of the checker. */
  readonly checker: string;
  readonly healthy: boolean;
  /** When it probed the endpoint, milliseconds since the epoch. */
  readonly at: number;
}

/** The reports of the checkers that have looked. */
export function reportsOf(observations: readonly HealthCheckObservation[]): readonly Report[] {
  return observations.flatMap(({ Region = '', IPAddress = '', StatusReport }) =>
    StatusReport?.CheckedTime === undefined
      ? []
      : {
          checker: `${Region} ${IPAddress}`,
          healthy: StatusReport.Status?.startsWith('Success') === true,
          at: StatusReport.CheckedTime.getTime(),
        },
  );
}

export type Verdict = 'healthy' | 'unhealthy' | 'unknown';

/** Route 53 calls an endpoint healthy when more than this share of its checkers does. */
const healthyShare = 0.18;

/** True when the last reports alone call the endpoint healthy. */
export function looksHealthy(reports: readonly Report[]): boolean {
  return reports.length > 0 && reports.filter(({ healthy }) => healthy).length / reports.length > healthyShare;
}

interface Checker {
  healthy: boolean;
  /** Reports in a row that contradict `healthy`. */
  contradictions: number;
  reports: number;
  at: number;
}

/**
 * Follows the checkers of a new check from their first report on, as Route 53 does: each calls the endpoint healthy until it
 * has failed `failureThreshold` times in a row. The API says what each checker saw last, not what it concludes.
 */
export class HealthWatch {
  readonly #failureThreshold: number;
  readonly #checkers = new Map<string, Checker>();

  constructor(failureThreshold: number) {
    this.#failureThreshold = failureThreshold;
  }

  /** Takes in the last reports; those that were taken in before do not count again. */
  add(reports: readonly Report[]): void {
    for (const { checker: name, healthy, at } of reports) {
      const checker = this.#checkers.get(name) ?? { healthy: true, contradictions: 0, reports: 0, at: -1 };
      this.#checkers.set(name, checker);
      if (at === checker.at) continue;
      checker.at = at;
      checker.reports += 1;
      checker.contradictions = healthy === checker.healthy ? 0 : checker.contradictions + 1;
      if (checker.contradictions < this.#failureThreshold) continue;
      checker.healthy = healthy;
      checker.contradictions = 0;
    }
  }

  /**
   * Healthy or unhealthy when every checker has reported twice, so that those that were late had their time as well, and the
   * checkers that are still counting could not turn the result.
   */
  verdict(): Verdict {
    const checkers = [...this.#checkers.values()];
    if (checkers.length === 0 || checkers.some(({ reports }) => reports < 2)) return 'unknown';
    const sure = checkers.filter(({ contradictions }) => contradictions === 0);
    const share = (count: number): number => count / checkers.length;
    if (share(sure.filter(({ healthy }) => healthy).length) > healthyShare) return 'healthy';
    const surelyDown = sure.filter(({ healthy }) => !healthy).length;
    return share(checkers.length - surelyDown) > healthyShare ? 'unknown' : 'unhealthy';
  }
}
