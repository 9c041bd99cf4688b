import { isDeepStrictEqual } from 'node:util';
import { ApiError, invalidInput } from '../reasons.ts';
import { type HealthCheck, type HealthCheckSettings, statusOf } from './check.ts';
import type { Checkers } from './checkers.ts';

/** The account's health checks, and their status for DNS. */
export class HealthChecks {
  readonly #checks = new Map<string, HealthCheck>();
  /** All caller references ever used, each with its check's id: the reference of a deleted check cannot be used again. */
  readonly #references = new Map<string, string>();
  readonly #checkers: Checkers;
  readonly #newId: () => string;
  /** How many health checks the account may have. */
  readonly quota: number;

  constructor(checkers: Checkers, newId: () => string, quota: number) {
    this.quota = quota;
    this.#checkers = checkers;
    this.#newId = newId;
  }

  /**
   * Creates a check. A known caller reference with the same settings gives the existing check; with other settings, or for a
   * deleted check, it is refused.
   */
  create(callerReference: string, settings: HealthCheckSettings): HealthCheck {
    const usedBy = this.#references.get(callerReference);
    if (usedBy !== undefined) {
      const existing = this.#checks.get(usedBy);
      if (existing !== undefined && isDeepStrictEqual(existing.settings, settings)) return existing;
      throw new ApiError(
        'HealthCheckAlreadyExists',
        existing === undefined
          ? `The CallerReference ${callerReference} belonged to a health check that was deleted.`
          : `A health check with CallerReference ${callerReference} but other settings already exists.`,
      );
    }
    if (this.#checks.size >= this.quota)
      throw new ApiError('TooManyHealthChecks', `The account has reached its limit of ${this.quota} health checks.`);
    this.#requireChildren(settings);
    const check: HealthCheck = { id: this.#newId(), callerReference, version: 1, settings };
    this.#checks.set(check.id, check);
    this.#references.set(callerReference, check.id);
    this.#checkers.watch(check);
    return check;
  }

  /** Changes a check; `version`, when given, must be the current one. */
  update(id: string, version: number | undefined, change: (current: HealthCheck) => HealthCheckSettings): HealthCheck {
    const current = this.require(id);
    if (version !== undefined && version !== current.version)
      throw new ApiError(
        'HealthCheckVersionMismatch',
        `The health check ${id} has version ${current.version}, not ${version}.`,
      );
    const settings = change(current);
    this.#requireChildren(settings);
    const changed: HealthCheck = { ...current, version: current.version + 1, settings };
    this.#checks.set(id, changed);
    this.#checkers.watch(changed);
    return changed;
  }

  /** Deletes a check, as Route 53 does even when records still use it; README.md tells what the emulator then answers. */
  delete(id: string): void {
    this.require(id);
    this.#checks.delete(id);
    this.#checkers.forget(id);
  }

  require(id: string): HealthCheck {
    const check = this.#checks.get(id);
    if (check === undefined) throw new ApiError('NoSuchHealthCheck', `A health check with id ${id} does not exist.`);
    return check;
  }

  exists(id: string): boolean {
    return this.#checks.has(id);
  }

  /** All checks by id. */
  list(): readonly HealthCheck[] {
    return [...this.#checks.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The status that DNS uses; a check that does not exist counts as unhealthy. */
  isHealthy(id: string): boolean {
    const check = this.#checks.get(id);
    if (check === undefined) return false;
    return statusOf(check.settings, this.#checkers.isHealthy(id), (child) => this.isHealthy(child));
  }

  #requireChildren(settings: HealthCheckSettings): void {
    for (const child of settings.children) {
      const check = this.#checks.get(child);
      if (check === undefined) throw invalidInput(`ChildHealthChecks: no health check exists with ID ${child}`);
      if (check.settings.type === 'CALCULATED')
        throw invalidInput(`ChildHealthChecks: ${child} is itself calculated; calculated checks do not nest`);
    }
  }
}
