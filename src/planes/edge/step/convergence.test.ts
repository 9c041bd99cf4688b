import { describe, expect, it } from 'vitest';
import { nginxForTests as nginx } from '../../../../test/support/edge-view.ts';
import { emptyState } from '../../../kube/state.ts';
import {
  type Convergence,
  clusterOf,
  compileStarted,
  endpointsAcknowledged,
  faultOf,
  generationOf,
  nginxOwes,
  nginxSeen,
  notConverged,
  refusalOf,
  stateChanged,
  stateRead,
  tableAcknowledged,
  tableFailed,
} from './convergence.ts';

const first = { generation: 1, instance: 'first' };
const known = stateRead(notConverged, 'cluster', emptyState);
const waiting = stateChanged(known, 0);
const underway = compileStarted(waiting, 20);
const served = tableAcknowledged(underway, first);
const refused = tableFailed(compileStarted(stateChanged(served, 1000), 1020), 'no memory', nginx);
const anew = { ...nginx, instance: 'second', generation: 0 };

describe('the fault of a blade', () => {
  it.each<readonly [string, Convergence, typeof nginx | undefined, number, string | undefined]>([
    ['nothing is read', notConverged, nginx, 0, 'NotSynced'],
    ['nginx is away', served, undefined, 0, 'NginxUnreachable'],
    ['a worker of nginx hangs', served, { ...nginx, workers: [{ pid: 1, silentMs: 5001 }] }, 1, 'WorkerSilent'],
    ['a worker of nginx is busy', served, { ...nginx, workers: [{ pid: 1, silentMs: 5000 }] }, 1, undefined],
    ['the first table waits', waiting, nginx, 1, 'TableNotAcknowledged'],
    ['the first table is on its way', underway, nginx, 1, 'TableNotAcknowledged'],
    ['nginx serves the table', served, nginx, 60_000, undefined],
    ['another table waits', stateChanged(served, 1000), nginx, 11_000, undefined],
    ['another table waits for too long', stateChanged(served, 1000), nginx, 11_001, 'TableNotAcknowledged'],
    [
      'another table is underway for too long',
      compileStarted(stateChanged(served, 1000), 9000),
      nginx,
      11_001,
      'TableNotAcknowledged',
    ],
    [
      'another table is underway for long, part by part',
      nginxOwes(stateChanged(served, 1000), 40_000),
      nginx,
      50_000,
      undefined,
    ],
    [
      'another table is underway, and nginx has taken no part of it for too long',
      nginxOwes(stateChanged(served, 1000), 40_000),
      nginx,
      50_001,
      'TableNotAcknowledged',
    ],
    ['nginx refused a table', refused, nginx, 60_000, undefined],
    ['nginx started anew', served, anew, 60_000, 'TableNotAcknowledged'],
    ['nginx started anew with a table, and refused ours', refused, { ...anew, generation: 7 }, 60_000, undefined],
    ['nginx started anew without one, and refused ours', refused, anew, 60_000, 'TableNotAcknowledged'],
    [
      'nginx took endpoints after a refusal',
      endpointsAcknowledged(refused, { generation: 2, instance: 'first' }),
      nginx,
      60_000,
      undefined,
    ],
  ])('%s', (_, convergence, status, nowMs, fault) => {
    expect(faultOf(convergence, status, nowMs)).toBe(fault);
  });
});

describe('changes', () => {
  it('count from the first that nginx has not taken', () => {
    expect(stateChanged(stateChanged(known, 5), 9).change).toEqual({ phase: 'waiting', sinceMs: 5 });
    expect(compileStarted(stateChanged(known, 5), 9).change).toMatchObject({ phase: 'underway', sinceMs: 5 });
    expect(compileStarted(known, 9).change).toMatchObject({ phase: 'underway', sinceMs: 9 });
  });

  it('that come while a table is underway wait behind it', () => {
    const two = stateChanged(stateChanged(underway, 30), 40);
    expect(tableAcknowledged(two, first).change).toEqual({ phase: 'waiting', sinceMs: 30 });
    expect(tableAcknowledged(underway, first).change).toEqual({ phase: 'none' });
  });

  it('wait on when nginx takes none because it is away, not when it refuses one', () => {
    expect(tableFailed(underway, 'gone', undefined).change).toEqual({ phase: 'waiting', sinceMs: 0 });
    expect(refused.change).toEqual({ phase: 'none' });
    const behind = stateChanged(compileStarted(stateChanged(served, 1000), 1020), 1030);
    expect(tableFailed(behind, 'no memory', nginx).change).toEqual({ phase: 'waiting', sinceMs: 1030 });
  });
});

it('a refusal stays until a table is taken, whatever endpoints are', () => {
  expect([refusalOf(served), refusalOf(refused)]).toEqual([undefined, 'no memory']);
  const after = endpointsAcknowledged(refused, { generation: 2, instance: 'first' });
  expect([refusalOf(after), generationOf(after)]).toEqual(['no memory', 2]);
  expect(refusalOf(tableAcknowledged(compileStarted(after, 0), first))).toBeUndefined();
  expect([generationOf(notConverged), generationOf(tableFailed(underway, 'gone', undefined))]).toEqual([0, 0]);
});

it('a snapshot is nothing that the cluster said', () => {
  expect(clusterOf(stateRead(notConverged, 'snapshot', emptyState))).toBeUndefined();
  expect(clusterOf(known)).toBe(emptyState);
});

it('a start of nginx is news once', () => {
  const seen = nginxSeen(served, 'second');
  expect(seen).not.toBe(served);
  expect(nginxSeen(seen, 'second')).toBe(seen);
});
