import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, withControlPlane } from '../support/clusters/control-plane.ts';
import { check } from '../support/clusters/preflight.ts';

/**
 * The files of deploy/gke before a real kube-apiserver that has the public CustomResourceDefinitions of Config Connector, with strict
 * validation: it refuses fields that it does not know. Google itself was never asked.
 */
const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'deploy/gke');
const plane = withControlPlane();

async function filesIn(path: string): Promise<readonly string[]> {
  return (await readdir(path)).filter((name) => name.endsWith('.yaml')).map((name) => join(path, name));
}

const apply = (text: string): Promise<string> =>
  plane().kubectl(['apply', '--server-side', '--validate=strict', '--dry-run=server', '-f', '-'], text);

beforeAll(async () => {
  await plane().kubectl(['create', '-f', join(root, 'test/support/gke/config-connector.yaml')]);
  for (const namespace of ['video', 'tideline']) await plane().kubectl(['create', 'namespace', namespace]);
  await eventually(async () => {
    const served = await plane().kubectl(['api-resources', '--api-group=iam.cnrm.cloud.google.com', '-o', 'name']);
    return served.includes('iampolicymembers');
  });
});

describe('the files of deploy/gke', () => {
  it.each([
    'balancer.yaml',
    'clusters.yaml',
    'datacentre-paris.yaml',
    'identity.yaml',
    'network.yaml',
    'workload/rights.yaml',
    'workload/web.yaml',
  ])('%s is what the schemas allow', async (name) => {
    const text = await readFile(join(folder, name), 'utf8');
    const answer = await apply(text);
    expect(answer.trim().split('\n')).toHaveLength(text.match(/^kind: /gm)?.length ?? 0);
  });

  it('are all looked at here', async () => {
    const all = [...(await filesIn(folder)), ...(await filesIn(join(folder, 'workload')))];
    expect(all.map((path) => path.slice(folder.length + 1)).toSorted()).toEqual([
      'balancer.yaml',
      'clusters.yaml',
      'datacentre-paris.yaml',
      'identity.yaml',
      'network.yaml',
      'workload/rights.yaml',
      'workload/web.yaml',
    ]);
  });

  it.each([
    ['balancer.yaml', 'maxRatePerEndpoint', 'maxRatePerEndpiont'],
    ['clusters.yaml', 'workloadPool:', 'workloadPol:'],
    ['clusters.yaml', 'effect: NO_SCHEDULE', 'effekt: NO_SCHEDULE'],
    ['datacentre-paris.yaml', 'advertisedIpRanges', 'advertisedIpRange'],
    ['network.yaml', 'secondaryIpRange:', 'secondaryIpRanges:'],
    ['workload/web.yaml', 'stabilizationWindowSeconds', 'stabilisationWindowSeconds'],
  ])('of %s a misspelt %s is refused', async (name, right, wrong) => {
    const text = await readFile(join(folder, name), 'utf8');
    expect(text).toContain(right);
    await expect(apply(text.replace(right, wrong))).rejects.toThrow(new RegExp(wrong.replace(/:.*/, '')));
  });

  it.each([
    ['balancer.yaml', 'capacityScaler: 1', 'capacityScaler: full'],
    ['network.yaml', 'region: europe-west1', 'description: none'],
  ])('of %s a wrong type, or a missing field, is refused (%s)', async (name, right, wrong) => {
    const text = await readFile(join(folder, name), 'utf8');
    await expect(apply(text.replace(right, wrong))).rejects.toThrow(/invalid|Required|expected numeric/);
  });
});

describe('tideline check --cluster', () => {
  const node = (name: string, podCIDR: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'cloud.google.com/gke-nodepool': 'web',
        'topology.kubernetes.io/zone': 'europe-west1-b',
        'iam.gke.io/gke-metadata-server-enabled': 'true',
      },
    },
    spec: { providerID: `gce://project/europe-west1-b/${name}`, podCIDR, podCIDRs: [podCIDR] },
  });
  const seen = async (groups = ['tideline:check']): Promise<readonly string[]> => {
    const kubeconfig = await plane().kubeconfigFor({ user: 'anna', groups });
    const { findings } = await check('--cluster', 'cloud', '--kubeconfig', kubeconfig, 'examples/hybrid');
    return findings.filter((one) => one.check.startsWith('gke-')).map((one) => `${one.check} ${one.reason ?? 'ok'}`);
  };

  it('knows a cluster of GKE by its Nodes, and says what its load balancer and the spec lack', async () => {
    await plane().kubectl(['apply', '-f', join(root, 'deploy/rbac/check.yaml')]);
    await plane().apply(node('gke-1', '10.10.4.0/24'));
    expect(await seen()).toEqual(['gke-network RangeOfOtherSite', 'gke-balancer NegMissing', 'gke-identity ok']);
    await plane().kubectl(['create', 'clusterrole', 'nodes', '--verb=list', '--resource=nodes']);
    await plane().kubectl(['create', 'clusterrolebinding', 'nodes', '--clusterrole=nodes', '--group=nodes']);
    expect(await seen(['nodes'])).toContain('gke-balancer RightMissing');
    await plane().kubectl(['delete', 'node', 'gke-1']);
    await plane().apply(node('gke-2', '10.31.64.0/24'));
    await plane().kubectl(['apply', '-f', join(folder, 'workload/web.yaml')]);
    expect(await seen()).toEqual(['gke-network CloudPodsUnsaid', 'gke-balancer NegNotMade', 'gke-identity ok']);
    const status = JSON.stringify({ network_endpoint_groups: { 8080: 'video-web' }, zones: ['europe-west1-b'] });
    await plane().kubectl(['annotate', 'service', 'web', '-n', 'video', `cloud.google.com/neg-status=${status}`]);
    expect(await seen()).toEqual(['gke-network CloudPodsUnsaid', 'gke-balancer ok', 'gke-identity ok']);
  });
});
