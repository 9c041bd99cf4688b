import { expect, it } from 'vitest';
import { fleetPlatform } from '../../../../test/support/fleet.ts';
import { edited, server, situation } from '../../../../test/support/situations.ts';
import { factsOf } from './facts.ts';
import type { Called, Reach } from './reach.ts';

const now = fleetPlatform({ bladesPerSite: 2 });

/** Answers by function and server; whoever has none is silent. */
function reachOf(answers: Readonly<Record<string, Readonly<Record<string, Called>>>>): Pick<Reach, 'call'> {
  return {
    call: async (servers, fn) =>
      new Map(servers.map((name) => [name, answers[fn]?.[name] ?? ({ silent: true } as const)])),
  };
}

const member = {
  name: 'site0-control0',
  peers: ['https://10.1.0.10:2380'],
  healthy: true,
  learner: false,
  leader: true,
};

it('are who does not answer, who the members are, what each has, and what new servers run already', async () => {
  const { before, after } = situation(
    now,
    edited(now, [], [server('new', ['worker'], 60), server('old', ['worker'], 61)]),
  );
  const value = (one: unknown): Called => ({ value: one });
  const facts = await factsOf({
    reach: reachOf({
      'test.ping': {
        ...Object.fromEntries([...before.keys(), 'old'].map((name) => [name, value(true)])),
        'site0-control2': value({ pong: true }),
      },
      'tideline_etcd.members': {
        'site0-control0': { error: 'NoAnswer' },
        'site0-control1': value({ members: [member] }),
      },
      'tideline_etcd.standing': {
        'site0-control0': value({ running: false, quorum: false, empty: true, bare: true }),
        'site0-control1': value({ running: true, quorum: true, raftIndex: 7, revision: 5 }),
      },
      'service.get_running': { old: value(['ssh', 'kubelet', 'systemd-journald']) },
    }),
    signal: new AbortController().signal,
    before,
    after: after.documents,
    servers: ['new'],
  });
  expect([...facts.silent]).toEqual(['new', 'site0-control2']);
  expect(facts.members.get('site0')).toEqual([
    { name: 'site0-control0', peer: 'https://10.1.0.10:2380', healthy: true, learner: false, leader: true },
  ]);
  expect([...facts.standings]).toEqual([['site0-control1', { quorum: true, raftIndex: 7, revision: 5 }]]);
  expect([...facts.bare]).toEqual(['site0-control0']);
  expect([...facts.foreign]).toEqual([['old', ['kubelet']]]);
});
