import { expect, test } from 'vitest';
import { buildPlatform } from './build.ts';
import type { KindName } from './kinds.ts';

/** The problems of one object, except references to objects that are not there. */
function faults(kind: KindName, spec: object, metadata: object = {}): readonly string[] {
  const value = { apiVersion: 'tideline.dev/v1alpha1', kind, metadata: { name: 'x', ...metadata }, spec };
  const document = { file: 'input.yaml', folder: '/', value, broken: false, lineOf: () => 1 };
  return buildPlatform([document], 0)
    .problems.filter(({ reason }) => reason !== 'UnknownName')
    .map(({ reason, path, message }) => `${reason} ${path}: ${message}`);
}

const drain = { target: { kind: 'Site', name: 'paris' }, reason: 'why', expires: '2026-12-24T18:00:00Z' };
const cluster = { sites: ['paris'], source: { none: true }, entry: { anycast: ['192.0.2.1'] } };
const policy = {
  hosts: ['www.video.example'],
  dns: { zone: 'video.example', providers: ['route53'] },
  default: { clusters: [{ name: 'paris' }] },
};

function warnings(kind: KindName, spec: object): readonly string[] {
  const value = { apiVersion: 'tideline.dev/v1alpha1', kind, metadata: { name: 'x' }, spec };
  const document = { file: 'input.yaml', folder: '/', value, broken: false, lineOf: () => 1 };
  return buildPlatform([document], 0).warnings.map(({ reason, path, message }) => `${reason} ${path}: ${message}`);
}

/** What a person is told to do about the one problem of an object. */
function fixOf(kind: KindName, spec: object): string {
  const value = { apiVersion: 'tideline.dev/v1alpha1', kind, metadata: { name: 'x' }, spec };
  const document = { file: 'input.yaml', folder: '/', value, broken: false, lineOf: () => 1 };
  const found = buildPlatform([document], 0).problems.filter(({ reason }) => reason !== 'UnknownName');
  return found.map(({ reason, path, fix }) => `${reason} ${path}: ${fix}`).join('\n');
}

test('the objects that these tests change are valid', () => {
  expect([faults('Drain', drain), faults('Cluster', cluster), faults('TrafficPolicy', policy)]).toEqual([[], [], []]);
});

test.each([
  ['a'.repeat(1024), []],
  ['a'.repeat(1025), ['OutOfRange spec.reason: is too long']],
  ['🏄'.repeat(1024), []],
  ['🏄'.repeat(1025), ['OutOfRange spec.reason: is too long']],
  ['', ['OutOfRange spec.reason: is an empty text']],
  [[], ['WrongType spec.reason: is a list']],
])('the length of a text is the number of its characters (%#)', (reason, expected) => {
  expect(faults('Drain', { ...drain, reason })).toEqual(expected);
});

test('a list has an upper bound', () => {
  const sites = Array.from({ length: 65 }, (_, index) => `site-${index}`);
  expect(faults('Cluster', { ...cluster, sites: sites.slice(1) })).toEqual([]);
  expect(faults('Cluster', { ...cluster, sites })).toEqual(['OutOfRange spec.sites: has 65 entries']);
});

test.each([
  ['2001:DB8::1', true],
  ['2001:0db8:0:0:0:0:0:1', true],
  ['::1', true],
  ['::192.0.2.1', false],
  ['64:ff9b::192.0.2.1', false],
  ['::ffff:192.0.2.1', false],
  ['::ffff:c000:201', false],
  ['0:0:0:0:0:FFFF:c000:0201', false],
  ['00001::1', false],
  ['fe80::1%eth0', false],
])('%s is an address that every program reads alike: %j', (address, right) => {
  expect(faults('Cluster', { ...cluster, entry: { anycast: [address] } })).toEqual(
    right ? [] : [`BadAddress spec.entry.anycast[0]: ${JSON.stringify(address)} is not an address`],
  );
});

test.each([
  [{ tier: '' }, []],
  [{ 'video.example/tier': 'A.b_c-1' }, []],
  [{ tier: '-a' }, ['BadFormat metadata.labels.tier: "-a" has the wrong form']],
  [{ tier: 'a'.repeat(64) }, [expect.stringContaining('BadFormat metadata.labels.tier')]],
  [{ 'a/b/c': 'x' }, ['BadFormat metadata.labels."a/b/c": "x" has the wrong form']],
  [{ 'Video/tier': 'x' }, ['BadFormat metadata.labels."Video/tier": "x" has the wrong form']],
  [JSON.parse('{"__proto__": "x"}'), ['BadFormat metadata.labels.__proto__: "x" has the wrong form']],
])('labels are those that Kubernetes takes: %j', (labels, expected) => {
  expect(faults('Drain', drain, { labels })).toEqual(expected);
});

test('a provider is named once', () => {
  const dns = { ...policy.dns, providers: ['route53', 'route53'] };
  expect(faults('TrafficPolicy', { ...policy, dns })).toEqual([
    'NamedTwice spec.dns.providers[1]: the provider route53 is named twice',
  ]);
});

test('two choices exclude each other, also when one of them is wrong in itself', () => {
  expect(faults('Cluster', { ...cluster, source: { kubeconfig: 'a', manifests: 1 } })).toEqual([
    'WrongChoice spec.source: has manifests and kubeconfig, which exclude each other',
  ]);
});

test.each([
  ['line\nbreak', 'write "line break"'],
  ['Bell\u0007', 'write "Bell"'],
  ['a\u2028b\tc', 'write "a b c"'],
  ['\u0000', 'write something without control characters, here U+0000'],
  [`${'a'.repeat(300)}\u001b\u009b`, 'write it on one line and take out the control characters, here U+001B, U+009B'],
])('a text with control characters is told how to be written: %j', (reason, fix) => {
  expect(fixOf('Drain', { ...drain, reason })).toBe(`BadFormat spec.reason: ${fix}`);
});

test.each([
  [{ mode: 'immediate', holdMinutes: 5 }, ['NoEffect spec.failback.holdMinutes: the mode immediate does not use it']],
  [
    { mode: 'byHand', holdMinutes: 5, stepShare: 0.5, stepMinutes: 4 },
    [
      'NoEffect spec.failback.holdMinutes: the mode byHand does not use it',
      'NoEffect spec.failback.stepShare: the mode byHand does not use it',
      'NoEffect spec.failback.stepMinutes: the mode byHand does not use it',
    ],
  ],
  [{ mode: 'heldDown', stepShare: 0.5 }, ['NoEffect spec.failback.stepShare: the mode heldDown does not use it']],
  [{ mode: 'heldDown', holdMinutes: 5 }, []],
  [{ mode: 'gradual', holdMinutes: 5, stepShare: 0.5, stepMinutes: 4 }, []],
])('what a mode of failback does not use is named: %j', (failback, expected) => {
  const said = warnings('TrafficPolicy', { ...policy, failback });
  expect(said.filter((line) => line.startsWith('NoEffect'))).toEqual(expected);
  expect(faults('TrafficPolicy', { ...policy, failback })).toEqual([]);
});

test.each([
  [
    ['cloud', 'cloud'],
    ['NamedTwice spec.default.clusters[0].failover[1]: the cluster cloud is named twice in one failover'],
  ],
  [['paris'], ['NamedTwice spec.default.clusters[0].failover[0]: the cluster paris is named twice in one failover']],
  [['cloud', 'newyork'], []],
])('the failover of a share names each cluster once, and not its own: %j', (failover, expected) => {
  const clusters = [{ name: 'paris', failover }, { name: 'newyork' }];
  expect(faults('TrafficPolicy', { ...policy, default: { clusters } })).toEqual(expected);
});

test('the failover of a share names no cluster that nobody for whom it decides may reach', () => {
  const clusters = [{ name: 'paris', failover: ['cloud'] }, { name: 'newyork' }];
  const rules = [{ countries: ['FR', 'BE'], clusters }];
  const never = (countries: readonly string[]) => ({ ...policy, rules, never: [{ clusters: ['cloud'], countries }] });
  expect(faults('TrafficPolicy', never(['FR']))).toEqual([]);
  expect(faults('TrafficPolicy', never(['FR', 'BE']))).toEqual([
    'ForbiddenChoice spec.rules[0].clusters[0].failover[0]: nobody for whom this decides can fail over to cloud: line 1 says they never reach it',
  ]);
});
