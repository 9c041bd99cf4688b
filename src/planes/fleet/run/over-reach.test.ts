import { expect, it } from 'vitest';
import { calledOf } from './answers.ts';
import type { StepFault } from './handlers.ts';
import { reachHandlers } from './over-reach.ts';
import type { Reach } from './reach.ts';

const { call, restart } = reachHandlers;

/** The faults of a step whose one server returned this to Salt. */
async function faultsOf(name: string, returned: unknown): Promise<readonly StepFault[] | undefined> {
  const reach: Reach = {
    apply: async () => new Map(),
    call: async (servers) => new Map(servers.map((server) => [server, calledOf(returned)])),
  };
  const servers = ['e1'];
  const context = {
    run: { command: 'remove e2', checksum: '0123456789abcdef' },
    wave: { cluster: 'paris', kind: 'etcd' as const, servers, steps: [] },
    reach,
    signal: new AbortController().signal,
    say: () => undefined,
  };
  return name === 'tideline_units.restart'
    ? await restart?.({ do: 'restart', servers }, context)
    : await call?.({ do: 'call', servers, function: name, arguments: {} }, context);
}

it.each([
  ['tideline_etcd.remove', { changed: true, found: 'voter' }],
  ['tideline_etcd.remove', { changed: false, found: 'none' }],
  ['tideline_etcd.snapshot', { path: '/x', sha256: 'ab' }],
  ['tideline_drain.withdraw_api', { state: null }],
  ['tideline_units.restart', { restarted: [] }],
  ['tideline_new.function', { any: 0 }],
])('takes what %s says when it is done', async (name, returned) => {
  expect(await faultsOf(name, returned)).toEqual([]);
});

it.each([
  ['nothing', undefined, 'did not answer'],
  ['an empty object, as Salt fills in when time is over', {}, 'did not answer'],
  ['null', null, 'did not answer'],
  ['an empty list', [], 'its answer does not say that it was done: []'],
  ['a number', 0, 'its answer does not say that it was done: 0'],
  ['another object', { value: 1 }, 'its answer does not say that it was done: {"value":1}'],
  ['a problem', { changed: false, problem: 'no quorum' }, ': no quorum'],
  ['an error', { error: 'no etcdctl' }, ': no etcdctl'],
])('counts %s as no success of a step', async (_, returned, message) => {
  for (const name of ['tideline_etcd.remove', 'tideline_units.restart'])
    expect(await faultsOf(name, returned)).toEqual([{ server: 'e1', message: expect.stringContaining(message) }]);
});
