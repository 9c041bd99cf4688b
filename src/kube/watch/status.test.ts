import { expect, it } from 'vitest';
import type { SourceStatus } from '../source.ts';
import { judgeStatus, type StatusInput } from './status.ts';

const live: SourceStatus = { phase: 'live', sinceMs: 1 };
const stale: SourceStatus = { phase: 'stale', sinceMs: 2, reason: 'SourceUnreachable', message: 'm' };
const well = { kind: 'Node', machine: { trouble: undefined }, heardMs: 900 } as const;
const ill = (sinceMs: number) =>
  ({
    kind: 'Service',
    machine: { trouble: { reason: 'SourceForbidden', message: 'no', sinceMs, of: 'watch', unanswered: false } },
    heardMs: 800,
  }) as const;
const base = {
  published: true,
  empty: false,
  doubt: undefined,
  howToAccept: '',
  staleAfterMs: 100,
  nowMs: 500,
  wallMs: 1000,
};

it.each<[string, Partial<StatusInput>, SourceStatus, number | undefined]>([
  [
    'live when all is well',
    { before: { phase: 'syncing' }, watches: [well] },
    { phase: 'live', sinceMs: 1000 },
    undefined,
  ],
  ['still live during a reconnect', { before: live, watches: [well, ill(450)] }, live, 50],
  [
    'stale since it last heard, when it lasts',
    { before: live, watches: [well, ill(400)] },
    { phase: 'stale', sinceMs: 800, reason: 'SourceForbidden', message: 'Service: no' },
    undefined,
  ],
  [
    'stale until nothing is wrong, since the first loss',
    { before: stale, watches: [ill(490)] },
    { phase: 'stale', sinceMs: 2, reason: 'SourceForbidden', message: 'Service: no' },
    undefined,
  ],
  [
    'stale at once in doubt',
    { before: live, watches: [well], doubt: { message: 'd', sinceMs: 1000 } },
    { phase: 'stale', sinceMs: 1000, reason: 'SourceImplausible', message: 'd' },
    undefined,
  ],
  [
    'stale since an earlier agent doubted',
    { before: live, watches: [well], doubt: { message: 'd', sinceMs: 7 } },
    { phase: 'stale', sinceMs: 7, reason: 'SourceImplausible', message: 'd' },
    undefined,
  ],
  [
    'syncing with the reason at once',
    { before: { phase: 'syncing' }, published: false, watches: [well, ill(500)] },
    { phase: 'syncing', reason: 'SourceForbidden', message: 'Service: no' },
    undefined,
  ],
  [
    'syncing on an empty cluster',
    { before: { phase: 'syncing' }, published: false, empty: true, watches: [well] },
    { phase: 'syncing', reason: 'SourceEmpty' },
    undefined,
  ],
])('is %s', (_, input, status, recheckMs) => {
  const result = judgeStatus({ ...base, before: live, watches: [], ...input });
  expect(result.status).toEqual(status);
  expect(result.recheckMs).toBe(recheckMs);
});
