import type { PreflightCheck, PreflightReason } from './reasons.ts';

export type FindingState = 'ok' | 'warning' | 'failed' | 'unknown';

/** What one look showed. Only what is not `ok` has a reason. */
export interface Finding {
  readonly check: PreflightCheck;
  readonly state: FindingState;
  readonly reason?: PreflightReason;
  /** What was found, one sentence without a full stop. */
  readonly found: string;
  readonly expected?: string;
  /** A command to paste, or an edit of the platform spec. kubectl speaks as an administrator of the cluster. */
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

/** What came of asking the API for something. */
export type Answer<T> =
  | { readonly got: T }
  | { readonly missing: true }
  /** 403: the right that it needs, e.g. `list nodes`. */
  | { readonly forbidden: string }
  | { readonly failed: string };

/** The finding for an answer that is neither there nor missing. */
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

/** Name for a binding of a role to a user, unique enough and always valid. */
export function bindingName(role: string, user: string): string {
  return `${role}-${user.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`.slice(0, 120).replace(/-$/, '');
}

/** One word for a POSIX shell. */
export function quote(text: string): string {
  return /^[\w./:@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `2 pools`, `1 pool`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Names joined for people: at most five, then how many more. */
export function names(list: readonly string[]): string {
  const head = list.slice(0, 5).join(', ');
  return list.length > 5 ? `${head} and ${list.length - 5} more` : head;
}
