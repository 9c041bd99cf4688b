import { type Finding, failed, ok, quote, warning } from '../finding.ts';
import type { HttpFacts, ProbeFacts, Target, VersionFacts } from '../target.ts';

/** The supported minor versions: CRDs with CEL rules are stable since 1.29, and the tests run 1.36. */
const supported = { oldest: 29, newest: 36 };

/** Judges whether the versions of all servers behind the address are supported, and the same. */
export function judgeVersion(versions: readonly VersionFacts[]): Finding {
  const expected = `Kubernetes 1.${supported.oldest} to 1.${supported.newest}`;
  const [first] = versions;
  const minors = versions.map(({ major, minor }) => (major === '1' ? Number.parseInt(minor, 10) : Number.NaN));
  if (first === undefined || minors.some((minor) => !Number.isInteger(minor)))
    return warning('api-version', 'VersionUnreadable', {
      found: first === undefined ? 'no server told its version' : `the version is ${JSON.stringify(first.gitVersion)}`,
      expected,
      fix: 'kubectl version',
    });
  const [lowest, highest] = [Math.min(...minors), Math.max(...minors)];
  const all = [...new Set(versions.map(({ gitVersion }) => gitVersion))].toSorted();
  const found = all.join(' and ');
  if (lowest < supported.oldest)
    return failed('api-version', 'VersionTooOld', { found, expected, fix: `kubeadm upgrade plan v1.${lowest + 1}` });
  if (all.length > 1)
    return (highest - lowest > 1 ? failed : warning)('api-version', 'VersionsDiffer', {
      found: `the servers behind the address are ${found}`,
      expected: 'one version; while upgrading at most one minor version apart',
      fix: `kubeadm upgrade node   # on each control plane node that is not ${all.at(-1) ?? ''} yet`,
    });
  if (highest > supported.newest)
    return warning('api-version', 'VersionUntested', { found, expected, fix: 'look for a newer version of Tideline' });
  return ok('api-version', found);
}

/** Judges the answers to `/readyz?verbose`, which have a line `[+]etcd ok` or `[-]etcd failed: ...` for each part. */
export function judgeHealth(answers: readonly NonNullable<HttpFacts['ready']>[]): Finding {
  const [first] = answers;
  if (first === undefined)
    return {
      check: 'api-health',
      state: 'unknown',
      reason: 'RightMissing',
      found: 'the server does not show /readyz to us',
      expected: 'the ClusterRole system:public-info-viewer, as Kubernetes installs it',
      fix: "kubectl get --raw='/readyz?verbose'",
    };
  const bad = answers.find((answer) => !answer.ok);
  if (bad === undefined)
    return ok('api-health', `ready, ${first.lines.filter((line) => line.startsWith('[+]')).length} parts`);
  const parts = bad.lines.filter((line) => line.startsWith('[-]')).map((line) => line.slice(3).split(' ')[0] ?? line);
  return failed('api-health', 'ServerNotReady', {
    found:
      parts.length === 0
        ? 'the server answers, but not whether it is ready: it waits for its etcd'
        : `not ready: ${parts.join(', ')}`,
    expected: 'every part of /readyz is ok',
    fix:
      parts.length === 0 || parts.includes('etcd')
        ? 'etcdctl endpoint health --cluster   # on a control plane node'
        : "kubectl get --raw='/readyz?verbose'",
  });
}

const limits = { warnMs: 2000, failMs: 15_000 };

/**
 * Judges the difference of the clocks by the Date header. It has whole seconds, so one answer shows the difference to within a
 * second and a round trip. The verdict is the mildest that the range allows; where a range includes a limit, the probe sent
 * more requests to narrow it.
 */
export function judgeClock(target: Target, probe: ProbeFacts): Finding {
  const ranges = probe.addresses.flatMap(({ http }) => (http?.clock === undefined ? [] : [http.clock]));
  const worst = ranges.toSorted((a, b) => leastOf(b) - leastOf(a))[0];
  if (worst === undefined)
    return {
      check: 'clock',
      state: 'unknown',
      reason: 'ClockUnknown',
      found: 'no answer had a Date',
      fix: `curl -skI ${quote(`${target.server}/version`)}`,
    };
  const middle = (worst.lowMs + worst.highMs) / 2;
  const precision = `± ${seconds((worst.highMs - worst.lowMs) / 2)}`;
  const least = leastOf(worst);
  if (least <= limits.warnMs)
    return ok('clock', `the same to within ${seconds(Math.max(Math.abs(worst.lowMs), Math.abs(worst.highMs)))}`);
  const details = {
    found: `the server's clock is ${seconds(Math.abs(middle))} (${precision}) ${middle > 0 ? 'ahead of' : 'behind'} this machine's`,
    expected: 'less than 2 s: synchronise both by NTP',
    fix: 'timedatectl set-ntp true   # on this machine and on every control plane node',
  };
  return least > limits.failMs ? failed('clock', 'ClockWrong', details) : warning('clock', 'ClockSkewed', details);
}

/** True when more answers could change the verdict. */
export function clockUndecided(range: { readonly lowMs: number; readonly highMs: number }): boolean {
  const most = Math.max(Math.abs(range.lowMs), Math.abs(range.highMs));
  return [limits.warnMs, limits.failMs].some((limit) => leastOf(range) <= limit && most > limit);
}

/** The smallest difference that the range allows. */
function leastOf({ lowMs, highMs }: { readonly lowMs: number; readonly highMs: number }): number {
  return lowMs <= 0 && highMs >= 0 ? 0 : Math.min(Math.abs(lowMs), Math.abs(highMs));
}

function seconds(ms: number): string {
  return `${(Math.ceil(ms / 100) / 10).toFixed(1)} s`;
}
