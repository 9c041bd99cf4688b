import type { Applied, Called, FailedState } from './reach.ts';

/**
 * What the states of one server came to, as Salt returns it: an object with a result for each state; a list of texts where the states could not be
 * made, or another run is under way. `false`, a text or nothing at all is no answer of a server; nor is an object without states, which `--static` prints
 * of a server that was still at work when the master asked after it and was not heard.
 */
export function appliedOf(returned: unknown): Applied {
  if (Array.isArray(returned))
    return { ok: false, failed: returned.map((line) => ({ state: '', comment: String(line) })) };
  if (!isRecord(returned) || isEmpty(returned)) return noAnswer(returned);
  const states = Object.values(returned).filter(isRecord);
  if (states.length === 0 || states.some((state) => !('result' in state)))
    return { ok: false, failed: [{ state: '', comment: 'the answer has no states' }] };
  const failed = states.filter(({ result }) => result === false).map(failedState);
  if (failed.length > 0) return { ok: false, failed };
  // With test=True a state that would change something has the result null.
  const changes = states.filter(({ result, changes: made }) => result === null || (isRecord(made) && !isEmpty(made)));
  return { ok: true, changes: changes.map(nameOf) };
}

function noAnswer(returned: unknown): Applied {
  if (typeof returned === 'string' && !isSilence(returned))
    return { ok: false, failed: [{ state: '', comment: returned }] };
  return { silent: true };
}

/**
 * What a function of one server returned. Salt gives errors of a function as texts, so that a function of ours never returns a text. An empty object is
 * what Salt fills in for a server that ran out of time, so that no function of ours returns it either.
 */
export function calledOf(returned: unknown): Called {
  if (returned === undefined || returned === false || returned === null) return { silent: true };
  if (isRecord(returned) && isEmpty(returned)) return { silent: true };
  if (typeof returned !== 'string') return { value: returned };
  return isSilence(returned) ? { silent: true } : { error: returned };
}

/** Whether a server was not heard of. */
export function isSilent(returned: unknown): boolean {
  return 'silent' in calledOf(returned);
}

/** The words with which Salt fills in for a server that did not answer. */
function isSilence(text: string): boolean {
  return text.startsWith('Minion did not return') || text === '';
}

function failedState(state: Readonly<Record<string, unknown>>): FailedState {
  const comment = textOf(state['comment']);
  // A state that only says why something cannot be done has the words as its name.
  return { state: nameOf(state), comment: comment === 'Failure!' ? textOf(state['name']) : comment };
}

function nameOf(state: Readonly<Record<string, unknown>>): string {
  return textOf(state['__id__'] ?? state['name']);
}

/** Comments of states may be lists of texts. */
function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
