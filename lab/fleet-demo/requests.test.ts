import { expect, it } from 'vitest';
import { type Asked, Requests } from './requests.ts';

const asked = (startedAtMs: number, changes: Partial<Asked> = {}): Asked => ({
  startedAtMs,
  tookMs: 5,
  retried: false,
  pod: 'first-1',
  ...changes,
});

it('counts the requests that were begun in a time, with when each failure was seen', () => {
  const requests = new Requests();
  requests.record(asked(10));
  requests.record(asked(20, { retried: true, pod: 'first-2' }));
  requests.record({ startedAtMs: 30, tookMs: 100, retried: false, failure: 'Timeout' });
  requests.record(asked(40));
  expect(requests.window(20, 40)).toEqual({
    requests: 2,
    failed: 1,
    retried: 1,
    failures: [{ country: 'client', atMs: 130, reason: 'Timeout' }],
    pods: new Set(['first-2']),
  });
  expect(requests.window(0).requests).toBe(4);
});
