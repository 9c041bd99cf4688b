import { expect, test } from 'vitest';
import { type Left, leftOfBlade, leftOfWorker, leftTogether, silentServer } from './drain-left.ts';

const blade = (change: Partial<Parameters<typeof leftOfBlade>[1]> = {}): Left =>
  leftOfBlade('b1', {
    draining: true,
    vips: [{ address: '2001:db8::10', announced: true }],
    nginx: { activeConnections: 3 },
    requestsPerSecond: 7.4,
    bgp: { relay: 'synced' },
    ...change,
  });
const gone = { vips: [], nginx: { activeConnections: 0 } };
const worker = (change: Partial<Parameters<typeof leftOfWorker>[1]> = {}): Left =>
  leftOfWorker('w1', {
    action: 'withdraw',
    reason: 'NodeDrained',
    announced: [],
    notices: [],
    relay: 'synced',
    ...change,
  });
const waits = { reason: 'DrainWaits', message: 'two pods are Ready' };

test.each<readonly [string, readonly Left[], string, object | undefined]>([
  ['a blade that is busy', [blade()], 'draining', { vips: 1, connections: 3, requestsPerSecond: 7, pods: 0 }],
  ['two of them', [blade(), blade()], 'draining', { vips: 2, connections: 6, requestsPerSecond: 14, pods: 0 }],
  ['blades with nothing left', [blade(gone)], 'empty', { vips: 0, connections: 0, requestsPerSecond: 0, pods: 0 }],
  ['one that has not heard of it and serves', [blade({ draining: false })], 'waiting', { vips: 1, connections: 3 }],
  ['a silent one beside one with nothing left', [silentServer('b2', 'is away'), blade(gone)], 'unknown', undefined],
  ['one without an ExaBGP that answers', [blade({ bgp: { relay: 'silent' } })], 'unknown', undefined],
  ['one that does not know its connections', [blade({ nginx: undefined })], 'unknown', undefined],
  ['no server at all', [], 'unknown', undefined],
  ['a worker with Ready pods', [worker({ notices: [{ ...waits, count: 2 }] })], 'draining', { pods: 2 }],
  ['a worker of an older version with Ready pods', [worker({ notices: [waits] })], 'draining', undefined],
  ['a worker that still announces', [worker({ announced: [{ class: 'pods' }] })], 'draining', undefined],
  ['a worker with nothing left', [worker()], 'empty', { vips: 0, pods: 0 }],
])('counts what is left only where all of it is known: %s', (_, servers, phase, counts) => {
  const together = leftTogether(servers);
  expect(together.phase).toBe(phase);
  if (counts === undefined) expect(together).not.toHaveProperty('counts');
  else expect(together.counts).toMatchObject(counts);
});
