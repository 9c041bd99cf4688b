import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { quorumRun, restoreRun, returnRun } from '../../../../src/planes/fleet/run/procedures/recover.ts';
import { addRun, removeRun, replaceRun } from '../../../../src/planes/fleet/run/procedures/servers.ts';
import type { Planned } from '../../../../src/planes/fleet/run/procedures/situation.ts';
import { upgradeRun } from '../../../../src/planes/fleet/run/procedures/upgrade.ts';
import { fleetPlatform } from '../../../support/fleet.ts';
import { edited, led, memberOf, server, shown, situation } from '../../../support/situations.ts';

/** Stacked control planes `site0-control0` to 2, which are the members of etcd, three workers, four blades. */
const fleet = (change: object = {}) => fleetPlatform({ bladesPerSite: 4, ...change });
const now = fleet();
const apart = fleet({ dedicatedEtcd: true });
const versions = (kubernetes: string, etcd = '3.6.8') => ({ versions: { kubernetes, etcd } });
const three = led([0, 1, 2].map((n) => memberOf(`site0-control${n}`, `10.1.0.${10 + n}`)));

const runs: Readonly<Record<string, () => Planned>> = {
  'add-worker': () => addRun(situation(now, edited(now, [], [server('new', ['worker'], 60)])), ['new']),
  'add-members': () =>
    addRun(situation(apart, edited(apart, [], [server('m3', ['etcd'], 63), server('m4', ['etcd'], 64)])), ['m3', 'm4']),
  'remove-worker': () => removeRun(situation(now, edited(now, ['site0-worker0001'])), ['site0-worker0001']),
  'remove-dead-worker': () =>
    removeRun(situation(now, edited(now, ['site0-worker0001']), { silent: new Set(['site0-worker0001']) }), [
      'site0-worker0001',
    ]),
  'remove-blade': () => removeRun(situation(now, edited(now, ['site0-blade003'])), ['site0-blade003']),
  'remove-first-control-plane': () =>
    removeRun(situation(now, edited(now, ['site0-control0'], [server('new', ['control-plane', 'etcd'], 60)])), [
      'site0-control0',
    ]),
  'replace-member': () =>
    replaceRun(
      situation(now, now, {
        members: new Map([['site0', three.map((one) => (one.leader ? { ...one, healthy: false } : one))]]),
      }),
      ['site0-control0'],
    ),
  'replace-two-members': () =>
    replaceRun(situation(now, now, { members: new Map([['site0', three.slice(0, 1)]]) }), [
      'site0-control1',
      'site0-control2',
    ]),
  'replace-blade': () => replaceRun(situation(now, now), ['site0-blade000']),
  'upgrade-patch': () => upgradeRun(situation(fleet(versions('1.36.2')), now), { cluster: 'site0' }),
  'upgrade-minor': () => upgradeRun(situation(fleet(versions('1.35.4', '3.6.7')), now), { cluster: 'site0' }),
  'recover-snapshot': () =>
    restoreRun(situation(now, now, { members: new Map() }), 'site0', { source: 'salt://a.db', sha256: 'f'.repeat(64) }),
  'recover-snapshot-empty-disks': () =>
    restoreRun(situation(now, now, { members: new Map(), bare: new Set(three.map(({ name }) => name)) }), 'site0', {
      source: 'salt://a.db',
      sha256: 'f'.repeat(64),
    }),
  'recover-quorum-empty-disks': () =>
    quorumRun(
      situation(now, now, {
        members: new Map(),
        bare: new Set(['site0-control0', 'site0-control2']),
        standings: new Map([['site0-control1', { quorum: false, raftIndex: 41, revision: 9 }]]),
      }),
      'site0',
    ),
  'recover-quorum': () =>
    quorumRun(
      situation(now, now, {
        members: new Map(),
        silent: new Set(['site0-control2']),
        standings: new Map([
          ['site0-control0', { quorum: false, raftIndex: 40, revision: 9 }],
          ['site0-control1', { quorum: false, raftIndex: 41, revision: 9 }],
        ]),
      }),
      'site0',
    ),
  'recover-quorum-alone': () =>
    quorumRun(
      situation(now, now, {
        members: new Map(),
        silent: new Set(['site0-control0', 'site0-control2']),
        standings: new Map([['site0-control1', { quorum: false, raftIndex: 41, revision: 9 }]]),
      }),
      'site0',
    ),
  'recover-rack': () => returnRun(situation(now, now), ['site0-control0', 'site0-worker0000', 'site0-blade000']),
};

it.each(Object.keys(runs))('%s (UPDATE_GOLDEN=1 writes the expectation anew)', (name) => {
  const planned = runs[name]?.();
  const text = planned?.ok === true ? shown(planned.run) : JSON.stringify(planned, null, 2);
  const file = join(import.meta.dirname, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(existsSync(file), `${file} is there`).toBe(true);
  expect(text).toBe(readFileSync(file, 'utf8'));
});
