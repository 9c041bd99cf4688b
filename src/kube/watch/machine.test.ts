import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/client.ts';
import { type Effect, type Machine, type MachineEvent, type MachineOptions, newMachine, step } from './machine.ts';

const options: MachineOptions = {
  kind: 'Service',
  backoff: { firstMs: 200, ceilingMs: 1000 },
  watchSeconds: 300,
  idleMs: 90_000,
  missingMs: 30_000,
};

const start = { type: 'start' } as const;
const lastPage = { type: 'page', next: undefined, resourceVersion: '7' } as const;
const opened = { type: 'opened' } as const;
const heard = { type: 'event', resourceVersion: '8' } as const;
const fail = (status: number, reason: string, retryAfterMs?: number): MachineEvent => ({
  type: 'failed',
  error: new ApiError(status, reason, 'because', retryAfterMs),
});

/** The state after these events, and the effects of the last one. Every random number is 0.5. */
function after(events: readonly MachineEvent[], kind = options.kind): { machine: Machine; effects: readonly Effect[] } {
  let machine = newMachine(kind, 'v1');
  let effects: readonly Effect[] = [];
  for (const [index, event] of events.entries())
    ({ machine, effects } = step(machine, event, { ...options, kind }, { nowMs: index * 10, random: () => 0.5 }));
  return { machine, effects };
}

const watching = [start, lastPage, opened, heard];

describe('list-watch machine', () => {
  it.each<[string, readonly MachineEvent[], Machine['phase'], readonly object[]]>([
    [
      'lists first',
      [start],
      'listing',
      [
        { do: 'relisted', cause: 'first' },
        { do: 'list', apiVersion: 'v1' },
      ],
    ],
    [
      'asks for the next page',
      [start, { type: 'page', next: 'c1', resourceVersion: '7' }],
      'listing',
      [{ do: 'list', next: 'c1' }],
    ],
    [
      'swaps after the last page, and watches from its version',
      [start, { type: 'page', next: 'c1', resourceVersion: '7' }, lastPage],
      'opening',
      [{ do: 'swap' }, { do: 'watch', resourceVersion: '7', timeoutSeconds: 450 }],
    ],
    [
      'starts a list over whose continue token expired',
      [start, { type: 'page', next: 'c1', resourceVersion: '7' }, fail(410, 'Expired')],
      'waiting',
      [{ do: 'cancel' }, { do: 'wait' }],
    ],
    [
      'goes on from the last version when a watch ends',
      [...watching, { type: 'ended' }],
      'opening',
      [
        { do: 'reconnected', cause: 'timeout' },
        { do: 'watch', resourceVersion: '8' },
      ],
    ],
    [
      'waits when a watch ends at once',
      [start, lastPage, opened, { type: 'ended' }],
      'waiting',
      [{ do: 'cancel' }, { do: 'reconnected', cause: 'ended' }, { do: 'wait', ms: 100 }],
    ],
    [
      'goes on from the last version when a connection breaks',
      [...watching, fail(0, 'Unreachable'), { type: 'due' }],
      'opening',
      [{ do: 'watch', resourceVersion: '8' }],
    ],
    [
      'lists again when a watch is idle: one that was opened again could be as silent',
      [...watching, { type: 'idle' }],
      'listing',
      [{ do: 'cancel' }, { do: 'reconnected', cause: 'idle' }, { do: 'relisted', cause: 'idle' }, { do: 'list' }],
    ],
    [
      'lists again when the server is at an older version',
      [...watching, { type: 'rewound' }],
      'listing',
      [{ do: 'cancel' }, { do: 'relisted', cause: 'rewound' }, { do: 'list' }],
    ],
    [
      'lists again, whatever it waits for, when another cluster was accepted',
      [...watching, fail(0, 'OtherCluster'), { type: 'restart' }],
      'listing',
      [{ do: 'cancel' }, { do: 'relisted', cause: 'accepted' }, { do: 'list' }],
    ],
    [
      'lists again at once when its version expired',
      [...watching, fail(410, 'Gone')],
      'listing',
      [{ do: 'cancel' }, { do: 'relisted', cause: 'expired' }, { do: 'list' }],
    ],
    [
      'waits before it lists again when that happens twice in a row',
      [...watching, fail(410, 'Gone'), lastPage, fail(410, 'Gone')],
      'waiting',
      [{ do: 'cancel' }, { do: 'wait' }],
    ],
    [
      'lists again after garbage',
      [...watching, fail(0, 'BadAnswer'), { type: 'due' }],
      'listing',
      [{ do: 'relisted', cause: 'garbage' }, { do: 'list' }],
    ],
    [
      'lists again when the server refuses to resume three times',
      [
        ...watching,
        fail(500, 'InternalError'),
        { type: 'due' },
        fail(504, 'Timeout'),
        { type: 'due' },
        fail(400, 'BadRequest'),
        { type: 'due' },
      ],
      'listing',
      [{ do: 'relisted', cause: 'refused' }, { do: 'list' }],
    ],
    [
      'lists again when three watches in a row open and bring the same error, which stands at a place in the history',
      [
        ...watching,
        fail(500, 'InternalError'),
        { type: 'due' },
        opened,
        fail(500, 'InternalError'),
        { type: 'due' },
        opened,
        { type: 'steady' },
        fail(500, 'InternalError'),
        { type: 'due' },
      ],
      'listing',
      [{ do: 'relisted', cause: 'refused' }, { do: 'list' }],
    ],
    [
      'does not list again because it is not let in',
      [...watching, ...Array.from({ length: 9 }, () => [fail(401, 'Unauthorized'), { type: 'due' } as const]).flat()],
      'opening',
      [{ do: 'watch', resourceVersion: '8' }],
    ],
    [
      'waits as long as Retry-After says, and a little more',
      [...watching, fail(429, 'TooManyRequests', 8000)],
      'waiting',
      [{ do: 'cancel' }, { do: 'reconnected', cause: 'broken' }, { do: 'wait', ms: 9000 }],
    ],
    [
      'looks again when somebody doubts',
      [...watching, { type: 'doubt' }],
      'listing',
      [{ do: 'cancel' }, { do: 'relisted', cause: 'doubt' }, { do: 'list' }],
    ],
    ['has no time for doubts while it lists', [start, { type: 'doubt' }], 'listing', []],
    [
      'comes back soon when another kind got through',
      [...watching, fail(0, 'Unreachable'), { type: 'due' }, fail(0, 'Unreachable'), { type: 'reachable' }],
      'waiting',
      [{ do: 'wait', ms: 150 }],
    ],
    [
      'is not hurried when its own watches open, and break at once',
      [...watching, fail(0, 'Unreachable'), { type: 'due' }, opened, fail(0, 'Unreachable'), { type: 'reachable' }],
      'waiting',
      [],
    ],
    [
      'nor when they end at once',
      [...watching, fail(0, 'Unreachable'), { type: 'due' }, opened, { type: 'ended' }, { type: 'reachable' }],
      'waiting',
      [],
    ],
    [
      'is not hurried when the server sent it away',
      [...watching, fail(429, 'TooManyRequests', 8000), { type: 'reachable' }],
      'waiting',
      [],
    ],
    [
      'is not hurried when a server that is busy said for how long',
      [...watching, fail(503, 'ServiceUnavailable', 8000), { type: 'reachable' }],
      'waiting',
      [],
    ],
  ])('%s', (_, events, phase, effects) => {
    const result = after(events);
    expect(result.machine.phase).toBe(phase);
    expect(result.effects).toHaveLength(effects.length);
    expect(result.effects).toMatchObject(effects);
  });

  it.each([
    [401, 'Unauthorized', 'SourceUnauthorized'],
    [403, 'Forbidden', 'SourceForbidden'],
    [404, 'NotFound', 'SourceKindMissing'],
    [429, 'TooManyRequests', 'SourceThrottled'],
    [503, 'ServiceUnavailable', 'SourceUnreachable'],
    [0, 'Unreachable', 'SourceUnreachable'],
    [0, 'Untrusted', 'SourceUntrusted'],
    [0, 'OtherCluster', 'SourceOfOtherCluster'],
    [0, 'NoCredentials', 'SourceUnauthorized'],
    [0, 'BadAnswer', 'SourceUnreadable'],
  ])('%i %s is %s, since the first failure in a row', (status, reason, expected) => {
    const events = [start, fail(0, 'Unreachable'), { type: 'due' } as const, fail(status, reason)];
    expect(after(events).machine.trouble).toMatchObject({
      reason: expected,
      message: 'because',
      sinceMs: 10,
      of: 'list',
    });
  });

  it('is out of trouble when a list works that failed, but not when a watch failed', () => {
    expect(after([start, fail(0, 'Unreachable'), { type: 'due' }, lastPage]).machine.trouble).toBeUndefined();
    const garbage = [...watching, fail(0, 'BadAnswer'), { type: 'due' } as const, lastPage];
    expect(after(garbage).machine.trouble).toMatchObject({ reason: 'SourceUnreadable' });
    expect(after([...garbage, opened]).machine.trouble).toBeDefined();
    expect(after([...garbage, opened, heard]).machine.trouble).toBeUndefined();
    expect(after([...garbage, opened, { type: 'steady' }]).machine.trouble).toBeUndefined();
  });

  it('is in trouble when it can list but never go on from there, until a watch works', () => {
    const expired = fail(410, 'Gone');
    const once = [...watching, expired, lastPage];
    expect(after(once).machine.trouble).toBeUndefined();
    const twice = [...once, expired, { type: 'due' } as const, lastPage];
    expect(after(twice).machine.trouble).toMatchObject({ reason: 'SourceUnreachable', of: 'watch' });
    expect(after([...twice, expired, { type: 'due' }, lastPage]).machine.trouble).toMatchObject({ sinceMs: 60 });
    expect(after([...twice, opened, heard]).machine.trouble).toBeUndefined();
  });

  it('asks which API version has a kind of several, waits for it, and asks again when it is gone', () => {
    expect(after([start], 'IPPool')).toMatchObject({
      machine: { phase: 'discovering' },
      effects: [{ do: 'discover' }],
    });
    const missing = after([start, { type: 'found', apiVersion: undefined }], 'IPPool');
    expect(missing).toMatchObject({
      machine: { phase: 'waiting', trouble: { reason: 'SourceKindMissing' } },
      effects: [{ do: 'wait', ms: 33_750 }],
    });
    const found: readonly MachineEvent[] = [start, { type: 'found', apiVersion: 'projectcalico.org/v3' }];
    expect(after(found, 'IPPool').effects).toMatchObject([{}, { do: 'list', apiVersion: 'projectcalico.org/v3' }]);
    const gone = [...found, lastPage, opened, heard, fail(404, 'NotFound'), { type: 'due' } as const];
    expect(after(gone, 'IPPool')).toMatchObject({ machine: { phase: 'discovering' }, effects: [{ do: 'discover' }] });
  });
});
