import { describe, expect, it, test } from 'vitest';
import { parsePrefix } from '../../model/address.ts';
import { type GkeContext, type GkeNode, type GkeService, isGke, judgeGke } from './gke.ts';

const prefix = (text: string) => parsePrefix(text) ?? expect.unreachable(text);

const node = (zone: string, more: Partial<GkeNode> = {}): GkeNode => ({
  name: `gke-${zone}`,
  providerId: `gce://project/europe-west1-${zone}/gke-${zone}`,
  labels: {
    'cloud.google.com/gke-nodepool': 'web',
    'topology.kubernetes.io/zone': `europe-west1-${zone}`,
    'iam.gke.io/gke-metadata-server-enabled': 'true',
  },
  podCIDRs: [zone === 'b' ? '10.31.64.0/24' : '10.31.65.0/24'],
  addresses: [zone === 'b' ? '10.31.0.2' : '10.31.0.3'],
  ...more,
});
const nodes = [node('b'), node('c')];
const service = (annotations: Readonly<Record<string, string>>): GkeService => ({
  namespace: 'video',
  name: 'web',
  annotations,
});
const neg = '{"exposed_ports":{"8080":{"name":"video-web"}}}';
const status = (...zones: readonly string[]) =>
  JSON.stringify({
    network_endpoint_groups: { 8080: 'video-web' },
    zones: zones.map((zone) => `europe-west1-${zone}`),
  });
const good = service({ 'cloud.google.com/neg': neg, 'cloud.google.com/neg-status': status('b', 'c') });
const context: GkeContext = {
  who: 'ops',
  pods: [prefix('10.31.64.0/18')],
  others: [{ site: 'paris', prefix: prefix('10.10.0.0/16') }],
};
const judge = (seen: readonly GkeNode[], services: readonly GkeService[], more: Partial<GkeContext> = {}) =>
  judgeGke(seen, { got: services }, { ...context, ...more });
const reasons = (...args: Parameters<typeof judge>) => judge(...args).map(({ state, reason }) => reason ?? state);

describe('a cluster of GKE', () => {
  test.each([
    ['with the provider and a pool', [node('b')], true],
    ['of other machines', [node('b', { providerId: 'aws:///eu-west-1a/i-1' })], false],
    ['of machines of Google without a pool', [node('b', { labels: {} })], false],
    ['without Nodes', [], false],
  ])('is known: %s', (_, seen, known) => {
    expect(isGke(seen)).toBe(known);
  });

  it('is ok when nothing is wrong', () => {
    expect(reasons(nodes, [good, service({})])).toEqual(['ok', 'ok', 'ok']);
    expect(judge(nodes, [good])[1]?.found).toBe('video/web: endpoint groups in europe-west1-b, europe-west1-c');
  });

  test.each([
    [
      'pods in the prefix of another Site',
      [node('b', { podCIDRs: ['10.10.4.0/24'] }), node('c')],
      'RangeOfOtherSite',
      '10.10.4.0/24 of gke-b is in 10.10.0.0/16 of Site/paris',
    ],
    [
      'a Node in the prefix of another Site',
      [node('b', { addresses: ['10.10.0.9'] }), node('c')],
      'RangeOfOtherSite',
      '10.10.0.9/32 of gke-b is in 10.10.0.0/16 of Site/paris',
    ],
    [
      'pods that the spec does not have',
      [node('b', { podCIDRs: ['10.99.0.0/24'] }), node('c')],
      'CloudPodsUnsaid',
      "10.99.0.0/24 of gke-b: in no pod prefix of the cluster's sites",
    ],
  ])('is told of %s', (_, seen, reason, found) => {
    expect(judge(seen, [good])[0]).toMatchObject({ check: 'gke-network', reason, found });
  });

  it('without a platform spec has no ranges to compare with', () => {
    const { pods: _, ...rest } = context;
    const without = { ...rest, pods: undefined, others: [] };
    expect(judgeGke([node('b', { podCIDRs: ['10.99.0.0/24'] })], { got: [good] }, without)[0]?.state).toBe('ok');
  });

  test.each<[what: string, services: readonly GkeService[], reason: string, found: RegExp]>([
    ['no annotation', [service({})], 'NegMissing', /^no Service has the annotation/],
    ['what is no JSON', [service({ 'cloud.google.com/neg': '{exposed' })], 'NegUnreadable', /^video\/web has/],
    ['a misspelt key', [service({ 'cloud.google.com/neg': '{"exposed_port":{}}' })], 'NegUnreadable', /exposed_port/],
    [
      'no status',
      [service({ 'cloud.google.com/neg': neg })],
      'NegNotMade',
      /no endpoint group for video\/web and port 8080$/,
    ],
    [
      'a status without the port',
      [service({ 'cloud.google.com/neg': neg, 'cloud.google.com/neg-status': '{"network_endpoint_groups":{}}' })],
      'NegNotMade',
      /and port 8080$/,
    ],
    [
      'a zone without one',
      [service({ 'cloud.google.com/neg': neg, 'cloud.google.com/neg-status': status('b') })],
      'NegNotInEveryZone',
      /^video\/web has no endpoint group in europe-west1-c,/,
    ],
  ])('is told of %s', (_, services, reason, found) => {
    const [, finding] = judge(nodes, services);
    expect(finding).toMatchObject({ check: 'gke-balancer', reason, found: expect.stringMatching(found) });
  });

  it('takes the groups of an Ingress of GKE as well', () => {
    const ingress = service({
      'cloud.google.com/neg': '{"ingress":true}',
      'cloud.google.com/neg-status': status('b', 'c'),
    });
    expect(reasons(nodes, [ingress])[1]).toBe('ok');
  });

  it('is told of Nodes without Workload Identity', () => {
    const { 'iam.gke.io/gke-metadata-server-enabled': _, ...labels } = node('b').labels;
    const [, , finding] = judge([node('b', { labels }), node('c')], [good]);
    expect(finding).toMatchObject({ reason: 'WorkloadIdentityOff', found: 'gke-b has no metadata server of GKE' });
    expect(finding?.fix).toContain('update web ');
  });

  it('says what it could not see', () => {
    expect(judgeGke(nodes, { forbidden: 'list services' }, context)[1]).toMatchObject({ reason: 'RightMissing' });
    expect(judgeGke(nodes, { failed: 'no answer' }, context)[1]).toMatchObject({ reason: 'AnswerFailed' });
  });
});
