import { describe, expect, it } from 'vitest';
import { type ApiPod, isReady, preStopMs, statusOf } from './podstatus.ts';

const pod: ApiPod = {
  metadata: { name: 'web-1', namespace: 'video', uid: 'u1', creationTimestamp: '2026-11-22T22:00:00Z' },
  spec: {
    nodeName: 'paris-worker-1',
    containers: [
      { name: 'web', image: 'lab.invalid/web', lifecycle: { preStop: { sleep: { seconds: 2 } } } },
      { name: 'sidecar', image: 'lab.invalid/sidecar' },
    ],
  },
};

describe('preStopMs', () => {
  it('is the longest sleep of any container', () => expect(preStopMs(pod)).toBe(2000));
  it('is nothing without a hook', () => {
    expect(preStopMs({ ...pod, spec: { containers: [{ name: 'web', image: 'x' }] } })).toBe(0);
  });
});

describe('isReady', () => {
  it.each([
    ['a condition that says so', [{ type: 'Ready', status: 'True' }], true],
    ['one that denies it', [{ type: 'Ready', status: 'False' }], false],
    ['another condition', [{ type: 'PodScheduled', status: 'True' }], false],
    ['no conditions', [], false],
  ])('reads %s', (_case, conditions, ready) => {
    expect(isReady({ ...pod, status: { conditions } })).toBe(ready);
  });
});

it('says where the pod is and that every container runs', () => {
  const status = statusOf(pod, { address: '10.10.76.1', hostAddress: '10.1.0.11', nowMs: Date.UTC(2026, 10, 22) });
  expect(status).toMatchObject({
    phase: 'Running',
    hostIP: '10.1.0.11',
    podIP: '10.10.76.1',
    podIPs: [{ ip: '10.10.76.1' }],
    startTime: '2026-11-22T22:00:00Z',
    containerStatuses: [
      { name: 'web', ready: true },
      { name: 'sidecar', ready: true },
    ],
  });
  expect(isReady({ ...pod, status: status as NonNullable<ApiPod['status']> })).toBe(true);
});
