import type { PreflightCheck, PreflightReason } from './reasons.ts';

export type FindingState = 'ok' | 'warning' | 'failed' | 'unknown';

/** The result of one check. It has a reason unless it is `ok`. */
export interface Finding {
  readonly check: PreflightCheck;
  readonly state: FindingState;
  readonly reason?: PreflightReason;
  /** The fact that was found, as one sentence without a full stop. */
  readonly found: string;
  readonly expected?: string;
  /** A command to paste, or an edit of the platform spec. kubectl is expected to run as an administrator of the cluster. */
  readonly fix?: string;
}

interface Details {
  readonly found: string;
  readonly expected?: string;
  readonly fix?: string;
}

export function ok(check: PreflightCheck, found: string): Finding {
  return { check, state: 'ok', found };
}

export function warning(check: PreflightCheck, reason: PreflightReason, details: Details): Finding {
  return { check, state: 'warning', reason, ...details };
}

export function failed(check: PreflightCheck, reason: PreflightReason, details: Details): Finding {
  return { check, state: 'failed', reason, ...details };
}

function unknown(check: PreflightCheck, reason: PreflightReason, details: Details): Finding {
  return { check, state: 'unknown', reason, ...details };
}

/** The outcome of a request for something to the API. */
export type Answer<T> =
  | { readonly got: T }
  | { readonly missing: true }
  /** The server answered 403; names the right that the request needs, e.g. `list nodes`. */
  | { readonly forbidden: string }
  | { readonly failed: string };

/** The finding for a request that was forbidden or failed. */
export function unanswered(
  check: PreflightCheck,
  answer: { readonly forbidden: string } | { readonly failed: string },
  who: string,
): Finding {
  if ('failed' in answer) return unknown(check, 'AnswerFailed', { found: answer.failed, fix: 'run the check again' });
  return unknown(check, 'RightMissing', {
    found: `${who} may not ${answer.forbidden}`,
    expected: `the right to ${answer.forbidden} (it is in the ClusterRole tideline-check)`,
    fix: `kubectl create clusterrolebinding ${bindingName('tideline-check', who)} --clusterrole=tideline-check --user=${quote(who)}`,
  });
}

/** A name for a binding of a role to a user, unique enough and always valid. */
export function bindingName(role: string, user: string): string {
  return `${role}-${user.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`.slice(0, 120).replace(/-$/, '');
}

/** The text as one word for a POSIX shell. */
export function quote(text: string): string {
  return /^[\w./:@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A number with its noun: `2 pools`, `1 pool`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Names joined for people: at most five, then how many more. */
export function names(list: readonly string[]): string {
  const head = list.slice(0, 5).join(', ');
  return list.length > 5 ? `${head} and ${list.length - 5} more` : head;
}
