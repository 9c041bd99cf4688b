import { describe, expect, it, test } from 'vitest';
import type { Target } from '../target.ts';
import { clockUndecided, judgeClock, judgeHealth, judgeVersion } from './server.ts';

const target: Target = {
  file: 'kubeconfig',
  context: 'paris',
  cluster: 'paris',
  user: 'ops',
  server: 'https://10.1.0.5:6443',
  host: '10.1.0.5',
  port: 6443,
  insecure: false,
};

const version = (gitVersion: string) => ({ gitVersion, major: '1', minor: gitVersion.split('.')[1] ?? '' });

describe('versions', () => {
  test.each([
    [['v1.36.3'], 'ok', undefined],
    [['v1.29.0'], 'ok', undefined],
    [['v1.31.4-gke.1'], 'ok', undefined],
    [['v1.28.9'], 'failed', 'VersionTooOld'],
    [['v1.36.3', 'v1.28.1'], 'failed', 'VersionTooOld'],
    [['v1.38.0'], 'warning', 'VersionUntested'],
    [['v1.36.3', 'v1.36.2'], 'warning', 'VersionsDiffer'],
    [['v1.36.3', 'v1.35.9'], 'warning', 'VersionsDiffer'],
    [['v1.36.3', 'v1.33.1'], 'failed', 'VersionsDiffer'],
    [[], 'warning', 'VersionUnreadable'],
    [['nonsense'], 'warning', 'VersionUnreadable'],
  ] as const)('%j is %s', (versions, state, reason) => {
    const finding = judgeVersion(versions.map(version));
    expect([finding.state, finding.reason]).toEqual([state, reason]);
  });

  it('reads a minor with a plus, as some clouds write it', () => {
    expect(judgeVersion([{ gitVersion: 'v1.33.1-eks-1', major: '1', minor: '33+' }]).state).toBe('ok');
  });
});

describe('readiness', () => {
  it('names the parts that are not ready', () => {
    const lines = ['[+]ping ok', '[-]etcd failed: reason withheld', '[-]poststarthook/x failed: not finished'];
    const finding = judgeHealth([
      { ok: true, lines: ['[+]ping ok'] },
      { ok: false, lines },
    ]);
    expect(finding).toMatchObject({ state: 'failed', found: 'not ready: etcd, poststarthook/x' });
    expect(finding.fix).toContain('etcdctl');
  });

  it.each([
    [[{ ok: true, lines: ['[+]ping ok', 'readyz check passed'] }], 'ok'],
    [[{ ok: false, lines: [] }], 'failed'],
    [[], 'unknown'],
  ])('%j is %s', (answers, state) => {
    expect(judgeHealth(answers).state).toBe(state);
  });
});

describe('clocks', () => {
  const clock = (lowMs: number, highMs: number) =>
    judgeClock(target, { addresses: [{ address: 'x', tcp: 'ok', http: { clock: { lowMs, highMs } } }] });

  test.each([
    [-20, 990, 'ok', undefined],
    [-1500, -500, 'ok', undefined],
    [1900, 2900, 'ok', undefined],
    [2100, 3100, 'warning', 'ClockSkewed'],
    [-9000, -8000, 'warning', 'ClockSkewed'],
    [14_500, 15_500, 'warning', 'ClockSkewed'],
    [15_100, 16_100, 'failed', 'ClockWrong'],
    [-61_000, -60_000, 'failed', 'ClockWrong'],
  ])('a difference between %d and %d ms is %s', (low, high, state, reason) => {
    const finding = clock(low, high);
    expect([finding.state, finding.reason]).toEqual([state, reason]);
  });

  it('says which clock is ahead, by how much, and how well that is known', () => {
    expect(clock(4500, 5500).found).toBe("the server's clock is 5.0 s (± 0.5 s) ahead of this machine's");
    expect(clock(-4100, -3900).found).toBe("the server's clock is 4.0 s (± 0.1 s) behind this machine's");
  });

  it.each([
    [-20, 990, false],
    [1900, 2900, true],
    [-2400, -1400, true],
    [2100, 3100, false],
    [14_900, 15_900, true],
    [16_000, 17_000, false],
  ])('between %d and %d ms more answers could change the verdict: %s', (lowMs, highMs, undecided) => {
    expect(clockUndecided({ lowMs, highMs })).toBe(undecided);
  });

  it('does not know without a Date', () => {
    expect(judgeClock(target, { addresses: [] })).toMatchObject({ state: 'unknown', reason: 'ClockUnknown' });
  });
});
