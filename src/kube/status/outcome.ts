import { withoutUndefined } from '../../model/values.ts';
import { ApiError } from '../api/client.ts';
import type { KubeReason } from '../reasons.ts';

/** The outcome of one write. */
export type Outcome =
  /** `takenFrom`: the managers that owned what was written by force. */
  | { readonly result: 'written'; readonly takenFrom?: readonly string[] }
  /** The object has changed since we read it, and must be read again. */
  | { readonly result: 'outdated' }
  | { readonly result: 'gone' }
  | { readonly result: 'exists' }
  /** Other field managers own a field that we would write. */
  | { readonly result: 'owned-by-other'; readonly owners: readonly string[]; readonly message: string }
  /** `refused`: the API does not accept what we wrote. `forbidden`: we lack the right to write it. */
  | { readonly result: 'refused' | 'forbidden'; readonly reason: KubeReason; readonly message: string }
  /**
   * No verdict on what we wrote. `everywhere`: no other write would fare better (no connection, an overloaded server). Without it the
   * failure may be this object's alone: an admission webhook that cannot be called is answered like a fault of the server.
   */
  | {
      readonly result: 'unavailable';
      readonly everywhere: boolean;
      readonly message: string;
      readonly retryAfterMs?: number;
    };

/** A denial by admission, which may come with any status: it is about this object, whatever the status says. */
const denial = /^admission webhook "[^"]*" denied the request|is forbidden: ValidatingAdmissionPolicy '/;

/**
 * The outcome that a rejected write means. Only the message of a 403 shows whether we may never do this (the authoriser) or not
 * with this object (a policy, a quota, a namespace that ends): one object must not stop the writes to all of its kind. An
 * error that is not from the API is thrown again.
 */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ApiError)) throw error;
  const { status, message, retryAfterMs } = error;
  if (denial.test(message)) return { result: 'refused', reason: 'WriteRefused', message };
  if (status === 404) return { result: 'gone' };
  if (status === 401 || (status === 403 && /\bcannot \w+ resource\b/.test(message)))
    return { result: 'forbidden', reason: 'WriteForbidden', message };
  if (status === 409) return conflictOf(error);
  if (status >= 400 && status < 500 && status !== 408 && status !== 429)
    return { result: 'refused', reason: 'WriteRefused', message };
  // An apply with a field that the definition of the kind does not have is answered with 500, and would be every time.
  if (/failed to create typed patch object/.test(message))
    return { result: 'refused', reason: 'WriteRefused', message };
  const everywhere = status === 0 || status === 429 || retryAfterMs !== undefined;
  return { result: 'unavailable', everywhere, message, ...withoutUndefined({ retryAfterMs }) };
}

/** The outcome of a 409. That another manager owns a field stands in the message only, and nowhere else in the answer. */
function conflictOf({ reason, message }: ApiError): Outcome {
  if (reason === 'AlreadyExists') return { result: 'exists' };
  if (!/Apply failed with \d+ conflict/.test(message)) return { result: 'outdated' };
  const owners = [...message.matchAll(/conflicts? with "([^"]+)"/g)].flatMap(([, owner]) => owner ?? []);
  return { result: 'owned-by-other', owners, message: message.replaceAll(/\s+/g, ' ') };
}
