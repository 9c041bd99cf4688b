import { expect, test } from 'vitest';
import {
  blade,
  dns,
  france,
  health,
  host,
  platform,
  pod,
  policy,
  prefix,
  routes,
  snapshot,
  well,
  wholeHost,
} from '../../../test/support/why-evidence.ts';
import { parseAddress } from '../../model/address.ts';
import type { TrafficPolicy } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { Chain } from './chain.ts';
import type { Evidence } from './evidence.ts';
import { type Asking, gather } from './gather.ts';
import { answer, type Question } from './questions.ts';
import { suppose } from './suppose.ts';

/** Cases that are nearly another one, and must not be taken for it. */

const ask = (question: Question, change: Partial<Evidence> = {}): Chain =>
  answer(platform, { ...well, ...change }, question);
const both = (change: object) => snapshot({ 'paris-blade-1': change, 'paris-blade-2': change });
const vip = { address: '192.0.2.10', fit: false, announced: true };

test('a single agent that is silent says nothing of its site', () => {
  const { agents, ...rest } = snapshot({ 'paris-blade-1': 'timed out' });
  const alone = agents.filter(({ target }) => target.site !== 'paris' || target.server === 'paris-blade-1');
  expect(ask(blade, { snapshot: { ...rest, agents: alone } }).broken?.what).not.toMatch(/none of the/);
});

test('a blade that serves what it kept on disk does not read its cluster', () => {
  const source = { phase: 'live' as const, sinceMs: 0, servingSnapshot: true };
  expect(ask(wholeHost, { snapshot: snapshot({ 'paris-blade-1': { source } }) }).broken).toMatchObject({
    hop: 'cluster',
    reason: 'ClusterNotRead',
    what: expect.stringMatching(/what it knew stays in force/),
  });
});

test('a cluster is healthy while one of its entry addresses is', () => {
  const other = { cluster: 'paris', address: '192.0.2.11', policy: 'video', problem: 'nothing within 3 s' };
  const parts = [...health(), { ...other, healthy: false as const, answered: false }];
  expect(ask(france, { health: parts })).toMatchObject({ verdict: 'holds' });
});

test('a first choice of which too few addresses answer may be left, and one with enough may not', () => {
  const paris = platform.clusters.get('paris');
  if (paris === undefined) throw new Error('no paris');
  const wanting = (minHealthyAddresses: number) => {
    const healthCheck = { ...paris.spec.healthCheck, minHealthyAddresses };
    return {
      ...platform,
      clusters: new Map(platform.clusters).set('paris', { ...paris, spec: { ...paris.spec, healthCheck } }),
    };
  };
  const other = { cluster: 'paris', address: '192.0.2.11', policy: 'video', problem: 'nothing within 3 s' };
  const parts = [...health(), { ...other, healthy: false as const, answered: false }];
  const byCloud = { health: parts, dns: dns('FR', ['203.0.113.10']) };
  const dnsHop = (minHealthyAddresses: number) =>
    answer(wanting(minHealthyAddresses), { ...well, ...byCloud }, france).hops.find(({ hop }) => hop === 'DNS answer');
  expect([dnsHop(2), dnsHop(1)]).toMatchObject([{ verdict: 'holds' }, { verdict: 'fails', reason: 'AnswerDiffers' }]);
});

test('an answer that is right while the zone holds a cluster back is not called wrong, and no other is excused', () => {
  const failback = { mode: 'heldDown', holdMinutes: 10, stepShare: 0.1, stepMinutes: 5 } as const;
  const told = (address: string, spec: Partial<TrafficPolicy['spec']>) => {
    const changed = { ...policy, spec: { ...policy.spec, ...spec } };
    const question: Question = { kind: 'country', country: 'FR', hosts: [{ host, policy: changed }] };
    return ask(question, { dns: dns('FR', [address]) }).hops.find(({ hop }) => hop === 'DNS answer');
  };
  expect(told('203.0.113.10', { failback })).toMatchObject({
    verdict: 'unknown',
    what: expect.stringMatching(
      /is cloud .* wants paris unless the zone holds back .*steering explain reads the zone$/,
    ),
  });
  expect(told('198.51.100.10', { failback })).toMatchObject({ verdict: 'fails', reason: 'AnswerDiffers' });
  expect(told('203.0.113.10', {})).toMatchObject({ verdict: 'fails', reason: 'AnswerDiffers' });
});

test.each([
  ['is not judged yet', []],
  ['drains while the other leaves too', ['Draining']],
])('a VIP is kept by no blade that %s', (_, reasons) => {
  expect(ask(france, { snapshot: both({ vips: [{ ...vip, reasons }] }) }).hops).toContainEqual(
    expect.objectContaining({ hop: 'VIP', reason: 'VipUnserved' }),
  );
});

test('the rules of a blade that no user meets are not asked for', () => {
  const idle = { vips: [{ ...vip, announced: false, reasons: ['ProbeFailed'] }] };
  const { hops } = ask(wholeHost, {
    snapshot: snapshot({ 'paris-blade-1': idle }),
    routes: routes().map((part) =>
      part.blade === 'paris-blade-1' && 'answer' in part
        ? { ...part, answer: { ...part.answer, refused: 'HostUnknown' } }
        : part,
    ),
  });
  expect(hops.filter(({ hop, verdict }) => hop === 'rule' && verdict !== 'holds')).toEqual([]);
});

test('of two routes to a pod the longer one counts, as for a router', () => {
  const wide = { wanted: [], announced: [{ prefix: '10.10.0.0/16', class: 'pods' }] };
  expect(ask(pod, { snapshot: snapshot({ 'paris-worker-2': wide }) })).toMatchObject({ verdict: 'holds' });
});

test('the blackhole of another block is no fault of this one', () => {
  const blackholes = { wanted: ['10.10.1.0/26', '10.10.9.0/26'], installed: ['10.10.1.0/26'] };
  expect(ask(pod, { snapshot: snapshot({ 'paris-worker-1': { blackholes } }) })).toMatchObject({ verdict: 'holds' });
});

test('an address that only begins like that of a server is nobody’s', () => {
  expect(ask(prefix('10.1.0.1/32')).broken).toMatchObject({
    verdict: 'unknown',
    what: expect.stringMatching(/no blade/),
  });
});

test('an answer with a cluster that is wanted and one that is not differs from the spec', () => {
  expect(ask(france, { dns: dns('FR', ['192.0.2.10', '198.51.100.10']) }).broken).toMatchObject({
    reason: 'AnswerDiffers',
  });
});

test('of a country with states of their own any of their answers is right: in which one the asked address is is not known', () => {
  const [[name, video] = []] = [...platform.policies];
  if (name === undefined || video === undefined) throw new Error('no policy');
  const rule = (code: string, cluster: string) => ({
    countries: [code],
    continents: [],
    clusters: [{ name: cluster, weight: 1 }],
    failover: [],
  });
  const policy = { ...video, spec: { ...video.spec, rules: [rule('US-CA', 'paris'), rule('US', 'newyork')] } };
  const asked = { kind: 'country', country: 'US', hosts: [{ host: policy.spec.hosts[0] ?? '', policy }] } as const;
  const hop = (...addresses: readonly string[]) => {
    return ask(asked, { dns: dns('US', addresses) }).hops.find(({ hop: kind }) => kind === 'DNS answer');
  };
  expect(hop('192.0.2.10')?.verdict).toBe('holds');
  expect(hop('198.51.100.10')?.verdict).toBe('holds');
  expect(hop('203.0.113.10')).toMatchObject({
    verdict: 'fails',
    what: expect.stringContaining('the spec wants newyork, or for some of its states paris'),
  });
});

const parisHealth = ({ health: parts }: Evidence) => parts.find(({ cluster }) => cluster === 'paris');

test('a cluster of two sites goes on when one of them is supposed to be down', () => {
  const paris = platform.clusters.get('paris')!;
  const sites = { ...paris, spec: { ...paris.spec, sites: ['paris', 'newyork'] } };
  const twoSites: Platform = { ...platform, clusters: new Map([...platform.clusters, ['paris', sites]]) };
  const after = suppose(twoSites, well, [{ kind: 'Site', name: 'newyork' }]);
  expect(parisHealth(after)).toMatchObject({ healthy: true });
});

test('what is supposed elsewhere changes nothing of a VIP that nobody seems to announce', () => {
  const unannounced = { ...well, snapshot: both({ vips: [{ ...vip, fit: true, announced: false, reasons: [] }] }) };
  const after = suppose(platform, unannounced, [{ kind: 'Blade', name: 'newyork-blade-1' }]);
  expect(parisHealth(after)).toMatchObject({ healthy: true });
});

test.each([
  ['IPv4', ['192.0.2.10'], '203.0.113.10', ['A']],
  ['both families', ['192.0.2.10', '2001:db8::10'], '203.0.113.10', ['A', 'AAAA']],
  ['IPv6', ['2001:db8::10'], '2001:db8::20', ['AAAA']],
])('name servers are asked for the types of %s entries alone', async (_, paris, cloud, types) => {
  const vips = paris.map((text) => ({ address: parseAddress(text)!, scope: 'public' as const }));
  const edgePools = new Map(
    [...platform.edgePools].map(([name, pool]) => [name, { ...pool, spec: { ...pool.spec, vips } }]),
  );
  const anycast = [parseAddress(cloud)!];
  const clusters = new Map(
    [...platform.clusters].map(([name, one]) => [
      name,
      'anycast' in one.spec.entry ? { ...one, spec: { ...one.spec, entry: { anycast } } } : one,
    ]),
  );
  const asked: (readonly string[])[] = [];
  const asking: Asking = {
    snapshot: async () => snapshot(),
    dns: async (query) => {
      asked.push(query.types);
      return { server: 'x', host: query.host, problem: 'none' };
    },
    health: async ({ cluster, address, policy }) => ({ cluster, address, policy, problem: 'none' }),
    route: async (target, { host, path }) => ({ blade: target.server, pool: '', host, path, problem: 'none' }),
    nameServers: async () => [{ address: '198.18.53.1', port: 53 }],
    podsOf: async () => undefined,
    addressOf: () => '176.128.0.1',
    records: () => [],
  };
  await gather({ ...platform, edgePools, clusters }, france, asking);
  expect(asked).toEqual([types]);
});
