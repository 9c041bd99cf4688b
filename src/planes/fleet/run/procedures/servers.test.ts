import { describe, expect, it } from 'vitest';
import { fleetPlatform } from '../../../../../test/support/fleet.ts';
import { edited, led, memberOf, server, situation } from '../../../../../test/support/situations.ts';
import { quorumRun, restoreRun, returnRun } from './recover.ts';
import { addRun, removeRun, replaceRun } from './servers.ts';
import type { Facts, Planned } from './situation.ts';
import { upgradeRun } from './upgrade.ts';

const fleet = (change: object = {}) => fleetPlatform({ bladesPerSite: 2, ...change });
const now = fleet();
const versions = (kubernetes: string) => fleet({ versions: { kubernetes, etcd: '3.6.8' } });
const members = (...ill: readonly number[]): Partial<Facts> => ({
  members: new Map([
    [
      'site0',
      led([0, 1, 2].map((n) => memberOf(`site0-control${n}`, `10.1.0.${10 + n}`, { healthy: !ill.includes(n) }))),
    ],
  ]),
});
const without = (names: readonly string[], facts: Partial<Facts> = {}) =>
  removeRun(situation(now, edited(now, names), facts), names);
const agents = { cluster: 'site0', agentsOf: { name: 'site0-edge', servers: new Set(['site0-worker0000']) } };
const nobody = new Set(['site0-control0', 'site0-control1', 'site0-control2']);

const refusals: readonly (readonly [string, () => Planned, readonly string[]])[] = [
  ['a server that nobody knows', () => addRun(situation(now, now), ['nobody']), ['ServerUnknown']],
  ['one that is there', () => addRun(situation(now, now), ['site0-worker0000']), ['ServerNotNew']],
  [
    'one that runs something else',
    () =>
      addRun(
        situation(now, edited(now, [], [server('new', ['worker'], 60)]), {
          foreign: new Map([['new', ['kubelet.service']]]),
        }),
        ['new'],
      ),
    ['StillRuns'],
  ],
  [
    'one that does not answer',
    () =>
      addRun(situation(now, edited(now, [], [server('new', ['worker'], 60)]), { silent: new Set(['new']) }), ['new']),
    ['ServerSilent'],
  ],
  ['one that the spec still has', () => removeRun(situation(now, now), ['site0-worker0000']), ['ServerStays']],
  [
    'a second member while one is ill',
    () => without(['site0-control1', 'site0-control2'], members(0)),
    ['QuorumWouldBeLost'],
  ],
  ['members of which nobody knows', () => without(['site0-control1'], { members: new Map() }), ['MembersUnknown']],
  [
    'all control planes',
    () => without(['site0-control0', 'site0-control1', 'site0-control2']),
    ['QuorumWouldBeLost', 'LastControlPlane'],
  ],
  ['all workers', () => without(['site0-worker0000', 'site0-worker0001', 'site0-worker0002']), ['LastWorker']],
  ['all blades but none', () => without(['site0-blade000', 'site0-blade001']), ['PoolTooSmall']],
  ['a member that is well', () => replaceRun(situation(now, now), ['site0-control1']), ['MemberHealthy']],
  [
    'a member while another is ill',
    () => replaceRun(situation(now, now, members(1, 2)), ['site0-control1']),
    ['QuorumWouldBeLost'],
  ],
  [
    'two minor versions',
    () => upgradeRun(situation(versions('1.34.1'), now), { cluster: 'site0' }),
    ['VersionSkipped'],
  ],
  ['an older version', () => upgradeRun(situation(now, versions('1.36.2')), { cluster: 'site0' }), ['VersionOlder']],
  ['more than agents', () => upgradeRun(situation(versions('1.36.2'), now), agents), ['NotOnlyAgents']],
  [
    'two members that are well, for that alone',
    () => replaceRun(situation(now, now), ['site0-control0', 'site0-control1']),
    ['MemberHealthy'],
  ],
  [
    'agents with another setting of the servers',
    () => {
      const here = situation(now, now);
      const monitored = [...here.after.documents].map(
        ([id, document]) => [id, { ...document, system: { ...document.system, packages: ['other'] } }] as const,
      );
      return upgradeRun({ ...here, after: { ...here.after, documents: new Map(monitored) } }, agents);
    },
    ['NotOnlyAgents'],
  ],
  [
    'other versions on the way',
    () => replaceRun(situation(versions('1.36.2'), now, members(1)), ['site0-control1']),
    ['UpgradeFirst'],
  ],
  [
    'an upgrade without a snapshot',
    () => upgradeRun(situation(versions('1.36.2'), now, members(0, 1, 2)), { cluster: 'site0' }),
    ['MembersUnknown'],
  ],
  [
    'a quorum that is there',
    () =>
      quorumRun(
        situation(now, now, {
          standings: new Map([['site0-control0', { quorum: false, raftIndex: 1, revision: 1 }]]),
        }),
        'site0',
      ),
    ['MemberHealthy'],
  ],
  [
    'a quorum that one member knows, although nobody said in time who the members are',
    () =>
      quorumRun(
        situation(now, now, {
          members: new Map(),
          standings: new Map([
            ['site0-control0', { quorum: true, raftIndex: 1, revision: 1 }],
            ['site0-control1', { quorum: false, raftIndex: 2, revision: 1 }],
          ]),
        }),
        'site0',
      ),
    ['MemberHealthy'],
  ],
  [
    'a quorum without a survivor',
    () => quorumRun(situation(now, now, { members: new Map(), silent: nobody }), 'site0'),
    ['NoSurvivor'],
  ],
  [
    'a restore on members that do not answer',
    () =>
      restoreRun(situation(now, now, { silent: new Set(['site0-control0']) }), 'site0', { source: '/a', sha256: '' }),
    ['ServerSilent'],
  ],
  [
    'a restore where one of the members has lost its disk',
    () => restoreRun(situation(now, now, { bare: new Set(['site0-control0']) }), 'site0', { source: '/a', sha256: '' }),
    ['DiskEmpty'],
  ],
  ['the return of nobody', () => returnRun(situation(now, now), ['nobody']), ['ServerUnknown']],
];

describe('procedures refuse', () => {
  it.each(refusals)('%s', (_, plan, reasons) => {
    const planned = plan();
    expect(planned.ok ? [] : [...new Set(planned.refusals.map(({ reason }) => reason))]).toEqual(reasons);
  });
});

it('drains no worker where no API can be reached, and says so', () => {
  const planned = removeRun({ ...situation(now, edited(now, ['site0-worker0001'])), apis: new Set() }, [
    'site0-worker0001',
  ]);
  const run = planned.ok ? planned.run : undefined;
  expect(run?.waves.flatMap(({ steps }) => steps.map((step) => step.do))).not.toContain('drain');
  expect(run?.warnings.join()).toContain('its workers and blades are not drained');
});
