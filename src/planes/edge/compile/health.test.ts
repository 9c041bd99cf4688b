import { describe, expect, test } from 'vitest';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type Host, noBackend } from '../table.ts';
import { backendsAgainst, backendsOfPolicies, policyHealth } from './health.ts';

const pool = poolForTests();
const nowMs = Date.parse('2026-06-01T00:00:00Z');
const later = '2026-06-01T01:00:00Z';
const host = (name: string, ...backends: string[]): Host => ({
  name,
  paths: backends.map((backend, at) => ({ match: 'prefix', path: `/${at}`, backend })),
});
const served = (hosts: readonly Host[], ready: Readonly<Record<string, number>>) => ({
  hosts,
  ready: (key: string) => ready[key] ?? 0,
});

describe('policyHealth', () => {
  const cases = [
    ['all backends serve', served([host('www.video.example', 'a', 'b')], { a: 1, b: 3 }), true, 'BackendsServing'],
    ['exactly the ratio', served([host('www.video.example', 'a', 'b')], { a: 1 }), true, 'BackendsServing'],
    ['below the ratio', served([host('www.video.example', 'a', 'b', 'c')], { a: 1 }), false, 'BelowThreshold'],
    [
      'a path that is only refused',
      served([host('www.video.example', 'a', noBackend, noBackend)], { a: 1 }),
      true,
      'BackendsServing',
    ],
    ['served by the wildcard', served([host('*.video.example', 'a')], { a: 1 }), true, 'BackendsServing'],
    [
      'the exact host hides the wildcard',
      served([host('*.video.example', 'a'), host('www.video.example', 'b')], { a: 1 }),
      false,
      'BelowThreshold',
    ],
    ['served by the host for any name', served([host('', 'a')], { a: 1 }), true, 'BackendsServing'],
    ['not served here', served([host('other.example', 'a')], { a: 1 }), false, 'HostNotServed'],
    ['nothing is known', undefined, true, 'Unknown'],
  ] as const;
  test.each(cases)('%s', (_, known, healthy, reason) => {
    const input = { platform: platformForTests(), pool, nowMs, ...withoutUndefined({ served: known }) };
    expect(policyHealth(input)).toEqual([{ policy: 'video', healthy, reason }]);
  });

  test('backends to which nothing connects count as not ready, by a name of their own', () => {
    const known = served([host('www.video.example', 'a', 'b')], { a: 1, b: 1 });
    const reason = (...dark: readonly string[]) =>
      policyHealth({ platform: platformForTests(), pool, nowMs, served: known, dark: new Set(dark) })[0];
    expect(reason()).toMatchObject({ healthy: true, reason: 'BackendsServing' });
    expect(reason('a')).toMatchObject({ healthy: true, reason: 'BackendsServing' });
    expect(reason('a', 'b')).toMatchObject({ healthy: false, reason: 'BackendsUnreachable' });
    const input = { platform: platformForTests(), pool, nowMs, served: known, dark: new Set(['b', 'c']) };
    const against = (of: 'BackendsUnreachable' | 'BelowThreshold' | 'ClusterDraining', more = {}) =>
      backendsAgainst({ policy: 'video', healthy: false, reason: of }, { ...input, ...more });
    expect(against('BackendsUnreachable')).toEqual(['b']);
    expect(against('BelowThreshold')).toEqual([]);
    expect(against('BelowThreshold', { served: served([host('www.video.example', 'b', 'a')], {}) })).toEqual([
      'a',
      'b',
    ]);
    expect(against('ClusterDraining')).toEqual([]);
    expect(against('BelowThreshold', { served: undefined })).toEqual([]);
    expect(backendsOfPolicies({ platform: platformForTests(), pool, nowMs, served: known })).toEqual(['a', 'b']);
    expect(backendsOfPolicies({ platform: platformForTests(), pool, nowMs })).toEqual([]);
  });

  test('a drain of the cluster or its only site is unhealthy, also before anything is known; an expired one is nothing', () => {
    for (const [kind, expires, reason] of [
      ['Cluster', later, 'ClusterDraining'],
      ['Site', later, 'ClusterDraining'],
      ['Cluster', '2026-05-31T00:00:00Z', 'Unknown'],
    ] as const) {
      const platform = platformForTests({ drains: [{ kind, name: 'paris', expires }] });
      expect(policyHealth({ platform, pool, nowMs })[0]?.reason).toBe(reason);
    }
  });

  test('a policy that does not name the cluster is not ours', () => {
    const other = poolForTests({ cluster: 'elsewhere' });
    expect(policyHealth({ platform: platformForTests(), pool: other, nowMs })).toEqual([]);
  });
});
