import { describe, expect, it } from 'vitest';
import { fleetPlatform } from '../../../../../test/support/fleet.ts';
import type { BladeView } from '../blade.ts';
import { tooSmall } from '../drain/blades.ts';
import type { PodView } from '../pods.ts';
import { judgeApi } from './api-ready.ts';
import { judgeEdge } from './edge-fit.ts';
import { judgeErrors } from './error-rate.ts';
import { type EtcdView, judgeEtcd } from './etcd-healthy.ts';
import { judgeNode } from './nodes-ready.ts';
import { judgePods, type NodePods } from './pods-running.ts';
import { isHeld, judgeVip, type VipView } from './vip-held.ts';

type Members = EtcdView['members'];
const none = new Map<string, string>();
const member = (name: string, change: Partial<Members[string]> = {}): Members[string] => ({
  name,
  learner: false,
  urls: [`https://${name}:2379`],
  healthy: true,
  raftIndex: 5000,
  ...change,
});
const three: Members = { a: member('e0'), b: member('e1'), c: member('e2') };

describe('EtcdHealthy', () => {
  const expected = ['e0', 'e1', 'e2'];
  const view = (members: Members, change: Partial<EtcdView> = {}): EtcdView => ({
    self: 'a',
    leader: 'a',
    members,
    alarms: [],
    ...change,
  });

  it.each<[string, EtcdView, RegExp | undefined]>([
    ['holds for three that are well', view(three), undefined],
    ['holds while one is a little behind', view({ ...three, b: member('e1', { raftIndex: 4500 }) }), undefined],
    [
      'names a member that is down, and that none can be spared',
      view({ ...three, c: member('e2', { healthy: false, problem: 'context deadline exceeded' }) }),
      /^e2 is not healthy \(context deadline exceeded\); 2 of 3 voters are healthy: one more/,
    ],
    ['names a learner', view({ ...three, d: member('e3', { learner: true }) }), /e3 is a learner/],
    ['names a stranger', view({ ...three, d: member('x') }), /^x is a member that the spec does not have$/],
    ['names one that is missing', view({ a: member('e0'), b: member('e1') }), /^e2 is no member; 2 of 2 voters/],
    ['waits for one that was added', view({ ...three, d: member('') }), /has not started/],
    [
      'names one that is far behind',
      view({ ...three, b: member('e1', { raftIndex: 1 }) }),
      /^e1 is 4999 entries behind$/,
    ],
    ['names an alarm', view(three, { alarms: [{ member: 'b', alarm: 'NOSPACE' }] }), /^e1 has the alarm NOSPACE$/],
    ['wants a leader', view(three, { leader: null }), /^members do not agree on a leader$/],
  ])('%s', (_, seen, says) => {
    const said = judgeEtcd(expected, { said: new Map([['e0', seen]]), problems: none });
    if (says === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(says);
  });

  it('goes by the view that sees the most, and names who says nothing', () => {
    const alone = view({ ...three, b: member('e1', { healthy: false }), c: member('e2', { healthy: false }) });
    const said = new Map([
      ['e0', alone],
      ['e1', view(three)],
    ]);
    expect(judgeEtcd(expected, { said, problems: none })).toBeUndefined();
    expect(judgeEtcd(expected, { said, problems: new Map([['e2', 'it does not answer']]) })).toBe(
      'e2: it does not answer',
    );
    expect(judgeEtcd(expected, { said: new Map(), problems: none })).toBe('no member answers');
    const learning = view({ ...three, c: member('e2', { learner: true }) });
    const silent = new Map([['e2', 'rpc not supported for learner']]);
    expect(judgeEtcd(expected, { said: new Map([['e0', learning]]), problems: silent })).toBe(
      'e2 is a learner, which has no vote; 2 of 2 voters are healthy: one more that is lost takes the quorum with it',
    );
  });

  it('asks of a cluster with one member for no second one', () => {
    const one = view({ a: member('e0') });
    expect(judgeEtcd(['e0'], { said: new Map([['e0', one]]), problems: none })).toBeUndefined();
  });
});

it.each([
  ['ready', { ready: true, failed: [] }, undefined],
  ['not ready', { ready: false, status: 500, failed: ['etcd'] }, 'the API server of c0 is not ready (etcd)'],
  ['silent', { ready: false, failed: [], problem: 'timed out' }, 'the API server of c0 is not ready (timed out)'],
])('ApiReady: an API server that is %s', (_, view, says) => {
  expect(judgeApi({ said: new Map([['c0', view]]), problems: none })).toBe(says);
});

describe('VipHeld', () => {
  const held: VipView = {
    prefixes: ['192.0.2.1/32'],
    missing: [],
    state: 'UP',
    withdrawn: false,
    sessions: { '10.0.0.1': true, '10.0.0.2': true },
  };
  const judged = (change: Partial<VipView>) =>
    judgeVip(
      { said: new Map([['c0', { ...held, ...change }]]), problems: none },
      new Map([['c0', ['10.0.0.1', '10.0.0.2']]]),
    );

  it.each<[string, Partial<VipView>, string | undefined]>([
    ['holds', {}, undefined],
    [
      'names a withdrawal',
      { withdrawn: true, state: 'DISABLED' },
      'c0 has withdrawn 192.0.2.1/32 until it is returned',
    ],
    ['names a check that fails', { state: 'DOWN' }, 'c0 does not announce 192.0.2.1/32 (DOWN)'],
    ['names a unit that is down', { state: null }, 'c0 does not announce 192.0.2.1/32 (no health check)'],
    ['names an address', { missing: ['192.0.2.1/32'] }, 'c0 does not have 192.0.2.1/32 on its loopback interface'],
    ['names a router', { sessions: { '10.0.0.1': true, '10.0.0.2': false } }, 'c0 has no session with 10.0.0.2'],
    ['misses routers', { sessions: {} }, 'c0 has no session with 10.0.0.1; c0 has no session with 10.0.0.2'],
    ['misses the address', { prefixes: [] }, 'c0 has no address to announce'],
  ])('%s', (_, change, says) => {
    expect(judged(change)).toBe(says);
  });

  it('one router is enough for another control plane to be withdrawn', () => {
    const routers = ['10.0.0.1', '10.0.0.2'];
    expect(isHeld({ ...held, sessions: { '10.0.0.1': true, '10.0.0.2': false } }, routers)).toBe(true);
    expect(isHeld({ ...held, sessions: { '10.0.0.1': false } }, routers)).toBe(false);
    expect(isHeld({ ...held, state: 'DOWN' }, routers)).toBe(false);
    expect(isHeld({ ...held, withdrawn: true }, routers)).toBe(false);
    expect(isHeld({ ...held, sessions: {} }, routers)).toBe(false);
    expect(isHeld({ ...held, sessions: {} }, [])).toBe(true);
    expect(isHeld({ ...held, prefixes: [] }, routers)).toBe(false);
  });
});

describe('NodesReady', () => {
  const node = (ready: string, kubeletVersion?: string) => ({
    status: {
      conditions: [{ type: 'Ready', status: ready, message: 'kubelet says so' }],
      ...(kubeletVersion === undefined ? {} : { nodeInfo: { kubeletVersion } }),
    },
  });
  it.each([
    ['Ready', node('True', 'v1.36.3'), []],
    ['of an older version', node('True', 'v1.35.4'), ['w0 has the kubelet v1.35.4 and not v1.36.3']],
    ['not Ready', node('False', 'v1.36.3'), ['w0 is not Ready (kubelet says so)']],
    ['gone', undefined, ['w0 is no Node of the cluster']],
    [
      'silent',
      { status: { conditions: [] } },
      ['w0 is not Ready (its kubelet has not said so yet)', 'w0 has the kubelet of an unknown version and not v1.36.3'],
    ],
  ])('a Node that is %s', (_, view, says) => {
    expect(judgeNode('w0', view, '1.36.3')).toEqual(says);
  });
});

describe('PodsRunning', () => {
  const pod = (name: string, ready: string, owner?: { kind: string; name: string }): PodView => ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      annotations: {},
      ownerReferences: owner === undefined ? [] : [{ ...owner, controller: true }],
    },
    spec: { nodeName: 'w0', volumes: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] },
  });
  const daemon = { kind: 'DaemonSet', name: 'log' };
  const key = 'ReplicaSet/shop/web-1';
  const drained = { run: 'x', cordoned: true, ready: { [key]: 3 }, daemons: ['shop/log'] };
  const whole: NodePods = {
    node: 'w0',
    pods: [pod('log-1', 'True', daemon)],
    drained,
    replicas: new Map([[key, { wanted: 3, ready: 3 }]]),
    daemons: ['shop/log'],
  };
  it.each<[string, Partial<NodePods>, readonly string[]]>([
    ['everything is back', {}, []],
    ['nothing was drained', { drained: undefined, replicas: new Map(), daemons: [] }, []],
    ['one is missing', { replicas: new Map([[key, { wanted: 3, ready: 2 }]]) }, [`${key} has 2 of 3 pods Ready`]],
    ['fewer are wanted now', { replicas: new Map([[key, { wanted: 1, ready: 1 }]]) }, []],
    ['the controller is gone', { replicas: new Map() }, []],
    ['the DaemonSet is not back', { pods: [] }, ['DaemonSet shop/log has no pod on w0']],
    ['its pod is not Ready', { pods: [pod('log-1', 'False', daemon)] }, ['shop/log-1 on w0 is not Ready']],
  ])('%s', (_, change, says) => {
    expect(judgePods({ ...whole, ...change })).toEqual(says);
  });
  it('leaves out pods that are over or end', () => {
    const over = { ...pod('job', 'False'), status: { phase: 'Succeeded', conditions: [] } };
    const ending = pod('web', 'False');
    const pods = [...whole.pods, over, { ...ending, metadata: { ...ending.metadata, deletionTimestamp: 'now' } }];
    expect(judgePods({ ...whole, pods })).toEqual([]);
  });
});

describe('EdgeFit', () => {
  const [pool] = fleetPlatform({ bladesPerSite: 3 }).edgePools.values();
  if (pool === undefined) throw new Error('unreachable');
  const [first = '', second = '', third = ''] = pool.spec.blades.map(({ name }) => name);
  const vip = { address: '192.0.0.10', fit: true, reasons: [], announced: true };
  const blade = (name: string, change: Partial<BladeView> = {}): BladeView => ({
    agent: 'edge',
    blade: name,
    source: { phase: 'live' },
    vips: [vip],
    vipsMissing: {},
    draining: false,
    bgp: { relay: 'synced' },
    ...change,
  });
  const drained = { draining: true, vips: [{ ...vip, fit: false, reasons: ['Draining'], announced: false }] };
  const judged = (...blades: readonly BladeView[]) =>
    judgeEdge([first], [pool], { said: new Map(blades.map((one) => [one.blade, one])), problems: none });
  const others = [blade(second), blade(third)];

  it.each<[string, Partial<BladeView>, string | undefined]>([
    ['fit', {}, undefined],
    ['fit under its Drain', drained, undefined],
    [
      'without its cluster',
      { source: { phase: 'stale', reason: 'SourceUnreachable' } },
      `${first} does not read its cluster (SourceUnreachable)`,
    ],
    ['faulty', { fault: 'NginxDown' }, `${first} is unfit (NginxDown)`],
    [
      'without the address',
      { vipsMissing: { '192.0.0.10': 'AddressMissing' } },
      `${first} does not have 192.0.0.10 (AddressMissing)`,
    ],
    ['silent to routers', { vips: [{ ...vip, announced: false }] }, `${first} does not announce 192.0.0.10`],
    [
      'unfit for a VIP',
      { vips: [{ ...vip, reasons: ['NoTable'], announced: false }] },
      `${first} is not fit for 192.0.0.10 (NoTable)`,
    ],
    ['ignorant of its VIP', { vips: [] }, `${first} does not know 192.0.0.10`],
  ])('a blade that is %s', (_, change, says) => {
    expect(judged(blade(first, change), ...others)).toBe(says);
  });

  it('believes no blade that speaks for another one', () => {
    const said = new Map([first, second, third].map((name) => [name, blade(third)]));
    expect(judgeEdge([first], [pool], { said, problems: none })).toBe(`${first} answers as the blade ${third}`);
  });

  it('counts the announcers of the whole pool', () => {
    const { minAnnouncers } = pool.spec;
    const silent = [second, third].map((name) => blade(name, drained));
    expect(judged(blade(first, drained), ...silent)).toBe(
      `192.0.0.10 of ${pool.metadata.name} has 0 announcers of ${minAnnouncers}`,
    );
  });

  it('a pool spares no blade that it needs, and one that announces nothing is none', () => {
    const views = [blade(first), blade(second), blade(third, drained)];
    expect(tooSmall(pool, [first, second], views).map(({ reason }) => reason)).toEqual(['PoolTooSmall']);
    expect(tooSmall(pool, [third], views)).toEqual([]);
    expect(tooSmall(pool, [first], [blade(first), blade(second), blade(third)])).toEqual([]);
  });
});

describe('ErrorRate', () => {
  const usual = { requests: 100_000, failed: 2000 };
  const counts = (requests: number, failed: number) => new Map([['b0', { requests, failed }]]);
  it.each([
    ['as before', counts(101_000, 2020), []],
    ['a little above', counts(101_000, 2028), []],
    ['far above', counts(101_000, 2100), ['10.0 % of 1000 requests failed, and 2.0 % before']],
    ['too few to say', counts(100_010, 2010), []],
    ['of an nginx that started anew', counts(200, 100), ['50.0 % of 200 requests failed, and 2.0 % before']],
    ['none, of a blade that is silent', new Map(), []],
  ])('requests fail %s', (_, after, says) => {
    expect(judgeErrors(usual, counts(100_000, 2000), after)).toEqual(says);
  });
});
