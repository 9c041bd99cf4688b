import { expect, it } from 'vitest';
import type { DrainedView } from '../steering-status.ts';
import { answersOfDrain, answersText, leftWithAnswers } from './drain-answers.ts';

const view = (change: Partial<DrainedView>): { readonly drains: readonly DrainedView[] } => ({
  drains: [{ drain: 'd', share: 0, byFamily: { ipv4: 0 }, ttlSeconds: 60, ...change }],
});
const end = Date.parse('2026-01-01T00:01:00Z');

it('takes of several zones the one that leads most there, and the last end', () => {
  const some = answersOfDrain('d', [view({ share: 0.5, byFamily: { ipv4: 0.5, ipv6: 0.2 } }), view({ emptyAtMs: 5 })]);
  expect(some).toEqual({ share: 0.5, byFamily: { ipv4: 0.5, ipv6: 0.2 } });
  const none = answersOfDrain('d', [view({ emptyAtMs: 5 }), view({ emptyAtMs: end })]);
  expect(none).toEqual({ share: 0, byFamily: { ipv4: 0 }, emptyAtMs: end });
  expect(answersOfDrain('other', [view({})])).toBeUndefined();
});

it('calls nothing empty that DNS still leads to, or led to until a moment ago', () => {
  const empty = { phase: 'empty', left: [] } as const;
  const still = { share: 0.1234, byFamily: { ipv4: 0.1234, ipv6: 0 } };
  expect(leftWithAnswers(empty, still, 0)).toEqual({
    phase: 'draining',
    left: ['DNS still leads 12.34 % of the users of a host there (IPv4 12.34 %, IPv6 0 %)'],
  });
  const gone = { share: 0, byFamily: { ipv4: 0 }, emptyAtMs: end };
  expect(leftWithAnswers(empty, gone, end - 1).phase).toBe('draining');
  expect(leftWithAnswers(empty, gone, end)).toBe(empty);
  expect(leftWithAnswers(empty, undefined, 0)).toBe(empty);
  expect(leftWithAnswers(empty, 'unknown', 0)).toEqual({ phase: 'unknown', left: ['DNS: unknown'] });
  expect(leftWithAnswers({ phase: 'unknown', left: ['b1 is silent'] }, still, 0)).toMatchObject({ phase: 'unknown' });
  expect(answersText(gone, 0)).toContain('until 2026-01-01T00:01:00Z');
});

it('counts VIPs that last blades keep as left until DNS leads nobody there any more', () => {
  const kept = { phase: 'draining', left: ['b1 keeps 192.0.2.1 as the last blade'], onlyKept: true } as const;
  expect(leftWithAnswers(kept, undefined, 0)).toBe(kept);
  expect(leftWithAnswers(kept, 'unknown', 0).phase).toBe('unknown');
  const gone = { share: 0, byFamily: { ipv4: 0 }, emptyAtMs: end };
  expect(leftWithAnswers(kept, gone, end - 1).phase).toBe('draining');
  expect(leftWithAnswers(kept, gone, end)).toMatchObject({ phase: 'empty', left: kept.left });
  expect(leftWithAnswers({ phase: 'draining', left: kept.left }, gone, end).phase).toBe('draining');
});
