import type { Log } from '../../runtime/log.ts';
import { faultsOf } from '../faults.ts';
import { reasons } from '../reasons.ts';
import type { NeighborStatus, SpeakerStatus } from '../speaker.ts';

/** An agent that has just started has this long to find the relay before its absence is reported. */
const connectMs = 5000;

/** For so many different reasons, a session that never comes up is reported. */
const maxReasons = 8;

/**
 * Writes one log line when a part of the chain stops answering and when it answers again, and when a session goes down, gives
 * another reason for that, or comes up. ExaBGP reports every attempt: the same reason is written once until the session is up.
 */
export class FaultLog {
  readonly #log: Log;
  #relay: SpeakerStatus['relay'] | undefined;
  #startedMs: number | undefined;
  /** Since when the routes yielded, if that was told. */
  #yieldedMs: number | undefined;
  readonly #told = new Map<string, Set<string>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes every status, and the last one again from time to time. */
  record(status: SpeakerStatus, nowMs: number): void {
    this.#startedMs ??= nowMs;
    const starts = this.#relay === undefined && nowMs - this.#startedMs < connectMs;
    if (status.relay === 'disconnected' && starts) return;
    this.#recordChain(status);
    this.#recordYield(status.yielded);
    // While the chain does not answer, nothing new is known of the sessions.
    if (status.relay === 'synced' || status.relay === 'syncing')
      for (const neighbor of status.neighbors) this.#recordSession(neighbor);
  }

  #recordChain(status: SpeakerStatus): void {
    const before = this.#relay;
    this.#relay = status.relay;
    if (before === status.relay) return;
    const [fault] = faultsOf({ ...status, neighbors: [] });
    if (fault !== undefined) this.#log.error({ reason: fault.reason, detail: reasons[fault.reason] }, fault.message);
    else if (before !== undefined && before !== 'synced' && before !== 'syncing')
      this.#log.info({}, 'the relay and ExaBGP answer');
  }

  /** An agent that takes charge of routes that yield ends that, and is the first one that can say so. What an agent asked for it says itself. */
  #recordYield(yielded: SpeakerStatus['yielded']): void {
    if (yielded === undefined || yielded.untilMs !== undefined || yielded.asked === true) return;
    if (yielded.sinceMs === this.#yieldedMs) return;
    this.#yieldedMs = yielded.sinceMs;
    const since = new Date(yielded.sinceMs).toISOString();
    this.#log.warn(
      { reason: 'RoutesYield', since, detail: reasons.RoutesYield },
      'no agent was in charge of the routes',
    );
  }

  #recordSession(neighbor: NeighborStatus): void {
    const { address, asn, up, changedAtMs, reason } = neighbor;
    const told = this.#told.get(address);
    if (up) {
      if (told !== undefined) this.#log.info({ neighbor: address, asn }, 'a BGP session is up again');
      this.#told.delete(address);
      return;
    }
    // Before its first event a session is about to come up, and nothing is known against it.
    if (changedAtMs === undefined) return;
    const text = reason ?? '';
    if (told?.has(text) === true || (told?.size ?? 0) >= maxReasons) return;
    this.#told.set(address, (told ?? new Set<string>()).add(text));
    const since = new Date(changedAtMs).toISOString();
    this.#log.warn({ reason: 'SessionDown', neighbor: address, asn, since, detail: text }, 'a BGP session is down');
  }
}
