import { expect, it } from 'vitest';
import { appliedOf, calledOf } from './answers.ts';
import { keywords } from './salt-words.ts';

const state = (result: boolean | null, more: object = {}) => ({
  __id__: 'a file',
  result,
  changes: {},
  comment: '',
  ...more,
});

it.each([
  ['nothing to do', { a: state(true) }, { ok: true, changes: [] }],
  ['a change', { a: state(true, { changes: { diff: 'x' } }), b: state(true) }, { ok: true, changes: ['a file'] }],
  ['a change that would be made', { a: state(null) }, { ok: true, changes: ['a file'] }],
  [
    'a failure',
    { a: state(false, { comment: 'no disk' }) },
    { ok: false, failed: [{ state: 'a file', comment: 'no disk' }] },
  ],
  [
    'a state that only says why not',
    { a: state(false, { comment: 'Failure!', name: 'the certificate is not there' }) },
    { ok: false, failed: [{ state: 'a file', comment: 'the certificate is not there' }] },
  ],
  [
    'states that could not be made',
    ['Rendering failed'],
    { ok: false, failed: [{ state: '', comment: 'Rendering failed' }] },
  ],
  [
    'a function that is not there',
    "'state.apply' is not available.",
    { ok: false, failed: [{ state: '', comment: "'state.apply' is not available." }] },
  ],
  ['no states at all, which is what --static prints of a server that it lost sight of', {}, { silent: true }],
  ['no object of states', { a: 1 }, { ok: false, failed: [{ state: '', comment: 'the answer has no states' }] }],
  ['silence', undefined, { silent: true }],
  ['false', false, { silent: true }],
  [
    'words of Salt in the place of an answer',
    'Minion did not return. [No response]\nThe minions may not have',
    { silent: true },
  ],
])('judges %s', (_, returned, expected) => {
  expect(appliedOf(returned)).toEqual(expected);
});

it('takes texts for errors, and everything else for the answer of a function', () => {
  expect(calledOf({ restarted: [] })).toEqual({ value: { restarted: [] } });
  expect(calledOf(true)).toEqual({ value: true });
  expect(calledOf('Passed invalid arguments')).toEqual({ error: 'Passed invalid arguments' });
  expect(calledOf([])).toEqual({ value: [] });
  // Salt fills in an empty object for a minion that ran out of time while its job still runs.
  expect([undefined, false, null, {}, '', 'Minion did not return.'].map(calledOf)).toEqual(
    Array.from({ length: 6 }, () => ({ silent: true })),
  );
});

it('writes arguments so that Salt reads texts as texts', () => {
  expect(keywords({ units: ['a#b', 'yes'], count: 3 })).toEqual(['units=["a\\u0023b","yes"]', 'count=3']);
});
