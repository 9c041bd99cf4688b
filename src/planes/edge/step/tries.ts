import type { BackendKey, DataPlaneStatus } from '../table.ts';

/**
 * What is known of the tries to connect to the endpoints of one watched backend. `failures` counts those since the last connection.
 */
export interface BackendTries {
  readonly connected: number;
  readonly failed: number;
  readonly failures: number;
  readonly firstFailureMs: number;
  readonly lastFailureMs: number;
  /** Since when no try connects, although there were enough of them; absent while that is not so. */
  readonly darkSinceMs?: number;
}

export type TriesMemory = ReadonlyMap<BackendKey, BackendTries>;

export const noTries: TriesMemory = new Map();

/** So many tries in a row must fail, and for so long, until it is no accident: a rolling update has some, for a moment. */
const enoughFailures = 10;
const enoughMs = 5000;
/** Failures that end by themselves say nothing of what comes later. */
const forgetAfterMs = 60_000;

/** What nginx counted, the connections that the agent itself made, and the time. */
export interface TriesView {
  readonly nginx: Pick<DataPlaneStatus, 'backendTries'> | undefined;
  /** When the agent's own try to reach a backend connected last. */
  readonly reached: ReadonlyMap<BackendKey, number>;
  readonly nowMs: number;
}

/**
 * The tries as of now. A backend is dark when no try connected in five seconds or more and at least ten failed. It stays so until a try
 * connects, of a client or of the agent, which goes on trying: health checks that send clients elsewhere must not end the tries, and a lack of tries must not look
 * like health. Counts that nginx began anew, or that are seen for the first time, are a beginning and no failures.
 */
export function triesAfter(before: TriesMemory, { nginx, reached, nowMs }: TriesView): TriesMemory {
  if (nginx === undefined) return before;
  const entries = Object.entries(nginx.backendTries);
  if (entries.length === 0 && before.size === 0) return before;
  return new Map(entries.map(([key, counts]) => [key, after(before.get(key), counts, reached.get(key), nowMs)]));
}

/** The backends that are dark. */
export function darkBackends(tries: TriesMemory): ReadonlySet<BackendKey> {
  return new Set([...tries].filter(([, { darkSinceMs }]) => darkSinceMs !== undefined).map(([key]) => key));
}

function after(
  before: BackendTries | undefined,
  [connected, failed]: readonly [number, number],
  reachedMs = -Infinity,
  nowMs: number,
): BackendTries {
  const fresh = { connected, failed, failures: 0, firstFailureMs: nowMs, lastFailureMs: nowMs };
  if (before === undefined || failed < before.failed || connected !== before.connected) return fresh;
  if (reachedMs > (before.darkSinceMs ?? Infinity)) return fresh;
  const more = failed - before.failed;
  const { darkSinceMs } = before;
  if (more === 0) {
    const old = darkSinceMs === undefined && nowMs - before.lastFailureMs > forgetAfterMs;
    return old ? fresh : before;
  }
  const failures = before.failures + more;
  const firstFailureMs = before.failures === 0 ? nowMs : before.firstFailureMs;
  const since = darkSinceMs ?? (failures >= enoughFailures && nowMs - firstFailureMs >= enoughMs ? nowMs : undefined);
  return {
    connected,
    failed,
    failures,
    firstFailureMs,
    lastFailureMs: nowMs,
    ...(since === undefined ? {} : { darkSinceMs: since }),
  };
}
