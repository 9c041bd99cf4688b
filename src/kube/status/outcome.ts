import { withoutUndefined } from '../../model/values.ts';
import { ApiError } from '../api/client.ts';
import type { KubeReason } from '../reasons.ts';

/** What became of one write. */
export type Outcome =
  | { readonly result: 'written' }
  /** The object is newer than what we looked at: look again. */
  | { readonly result: 'outdated' }
  | { readonly result: 'gone' }
  | { readonly result: 'exists' }
  /** Another field manager owns a field of ours. */
  | { readonly result: 'owned-by-other'; readonly message: string }
  /** The API refuses what we wrote, or us. */
  | { readonly result: 'refused' | 'forbidden'; readonly reason: KubeReason; readonly message: string }
  /** The API has trouble of its own, or too much to do: it is left alone for a while. */
  | { readonly result: 'unavailable'; readonly message: string; readonly retryAfterMs?: number };

/**
 * How a rejected write is to be taken. A 403 tells in words alone whether we may never do this (the authoriser) or not
 * with this object (a policy, a quota, a namespace that ends): one object must not silence all of its kind. Only what the
 * API is not to blame for is rethrown.
 */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ApiError)) throw error;
  const { status, message, retryAfterMs } = error;
  if (status === 404) return { result: 'gone' };
  if (status === 401 || (status === 403 && /\bcannot \w+ resource\b/.test(message)))
    return { result: 'forbidden', reason: 'WriteForbidden', message };
  if (status === 409) return conflictOf(error);
  if (status === 400 || status === 403 || status === 415 || status === 422)
    return { result: 'refused', reason: 'WriteRefused', message };
  // An apply with a field that the definition of the kind does not have is answered with 500, and it will be again.
  if (/failed to create typed patch object/.test(message))
    return { result: 'refused', reason: 'WriteRefused', message };
  return { result: 'unavailable', message, ...withoutUndefined({ retryAfterMs }) };
}

/** A server-side apply that meets another owner says so in its message and nowhere else in the status. */
function conflictOf({ reason, message }: ApiError): Outcome {
  if (reason === 'AlreadyExists') return { result: 'exists' };
  return /Apply failed with \d+ conflict/.test(message)
    ? { result: 'owned-by-other', message: message.replaceAll(/\s+/g, ' ') }
    : { result: 'outdated' };
}
