import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { rightsOf } from '../../src/kube/rights.ts';
import { overlaps, parsePrefix } from '../../src/model/address.ts';
import { healthPathOf } from '../../src/model/contract.ts';
import { valueAt } from '../../src/model/spec/document.ts';
import type { Platform } from '../../src/model/spec/platform.ts';
import { scalingNeeds } from '../../src/planes/scaling/needs.ts';
import { loadPlatformOrThrow } from '../../src/platform/load.ts';

/** The files of deploy/gke agree with each other and with the platform spec of the example. */
const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'deploy/gke');

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

let all: readonly Resource[] = [];
let platform: Platform;
beforeAll(async () => {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  all = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Resource));
  platform = await loadPlatformOrThrow([join(root, 'examples/hybrid')]);
});

const ofKind = (kind: string): readonly Resource[] => all.filter((one) => one.kind === kind);
const only = (kind: string): Resource => {
  const [first, ...more] = ofKind(kind);
  if (first === undefined || more.length > 0) throw new Error(`${kind}: ${more.length} more than one`);
  return first;
};
const list = (resource: object | undefined, ...path: readonly (string | number)[]): readonly object[] =>
  valueAt(resource, path) as readonly object[];
const text = (resource: object | undefined, ...path: readonly (string | number)[]): string =>
  String(valueAt(resource, path));

/** The ranges of nodes and pods of each region, which data centres learn, and those of Services and control planes. */
function rangesOf(): { readonly routed: readonly string[]; readonly inner: readonly string[] } {
  const subnets = ofKind('ComputeSubnetwork');
  const secondary = (name: string) => (subnet: Resource) =>
    list(subnet.spec, 'secondaryIpRange').flatMap((range) =>
      text(range, 'rangeName') === name ? [text(range, 'ipCidrRange')] : [],
    );
  return {
    routed: [...subnets.map((subnet) => text(subnet.spec, 'ipCidrRange')), ...subnets.flatMap(secondary('pods'))],
    inner: [
      ...subnets.flatMap(secondary('services')),
      ...ofKind('ContainerCluster').map((one) => text(one.spec, 'privateClusterConfig', 'masterIpv4CidrBlock')),
    ],
  };
}

const prefix = (range: string) => {
  const parsed = parsePrefix(range);
  if (parsed === undefined) throw new Error(`${range} is no prefix`);
  return parsed;
};

describe('addresses', () => {
  it('of the cloud lie in no prefix of any Site, and overlap nowhere among themselves', () => {
    const { routed, inner } = rangesOf();
    const cloud = [...routed, ...inner].map(prefix);
    expect(cloud).toHaveLength(12);
    const sites = [...platform.sites.values()].flatMap(({ spec: { prefixes } }) => [
      ...prefixes.pods,
      ...prefixes.servers,
      ...prefixes.vips,
    ]);
    expect(sites.length).toBeGreaterThan(6);
    for (const [index, range] of cloud.entries())
      for (const other of [...cloud.slice(index + 1), ...sites])
        expect(`${range.text} ${other.text} ${overlaps(range, other)}`).toMatch(/false$/);
  });

  it('of nodes and pods of every region, and nothing else, are announced to the data centre', () => {
    const announced = list(only('ComputeRouter').spec, 'bgp', 'advertisedIpRanges').map((range) =>
      text(range, 'range'),
    );
    expect(announced.toSorted()).toEqual([...rangesOf().routed].toSorted());
  });

  it('of the VPN speak to the router of Site paris', () => {
    const asn = platform.sites.get('paris')?.spec.routers[0]?.asn;
    expect(ofKind('ComputeRouterPeer').map(({ spec }) => valueAt(spec, ['peerAsn']))).toEqual([asn, asn]);
    for (const [index, peer] of ofKind('ComputeRouterPeer').entries()) {
      const own = prefix(
        text(ofKind('ComputeRouterInterface')[index]?.spec, 'ipRange').replace(/\d+\/30$/, `${index * 4}/30`),
      );
      expect(overlaps(own, prefix(`${text(peer.spec, 'peerIpAddress')}/32`))).toBe(true);
    }
  });
});

describe('the load balancer', () => {
  it('has the NEG of the Service in three zones of each region that has a cluster', () => {
    const service = only('Service');
    const neg = JSON.parse(text(service.metadata, 'annotations', 'cloud.google.com/neg')) as {
      exposed_ports: Record<string, { name: string }>;
    };
    const port = text(service.spec, 'ports', 0, 'port');
    const { name } = neg.exposed_ports[port] ?? {};
    expect(name).toBeDefined();
    const groups = list(only('ComputeBackendService').spec, 'backend').map((one) =>
      text(one, 'group', 'networkEndpointGroupRef', 'external'),
    );
    const regions = ofKind('ContainerCluster').map((one) => text(one.spec, 'location'));
    for (const region of regions)
      expect(groups.filter((group) => group.includes(`/zones/${region}-`) && group.endsWith(`/${name}`))).toHaveLength(
        3,
      );
    expect(groups).toHaveLength(3 * regions.length);
    expect(new Set(groups).size).toBe(groups.length);
  });

  it('checks the health path of the policy, as the readiness probe does', () => {
    const path = healthPathOf('video');
    expect(text(only('ComputeHealthCheck').spec, 'httpHealthCheck', 'requestPath')).toBe(path);
    const [container] = list(only('Deployment').spec, 'template', 'spec', 'containers');
    expect(text(container, 'readinessProbe', 'httpGet', 'path')).toBe(path);
    expect(list(only('ComputeFirewall').spec, 'allow', 0, 'ports')).toEqual([
      text(container, 'ports', 0, 'containerPort'),
    ]);
  });

  it('has one address, for HTTP and HTTPS', () => {
    expect(text(only('ComputeAddress').spec, 'location')).toBe('global');
    const rules = ofKind('ComputeForwardingRule');
    expect(rules.map(({ spec }) => text(spec, 'portRange'))).toEqual(['80', '443']);
    for (const { spec } of rules)
      expect(text(spec, 'ipAddress', 'addressRef', 'name')).toBe(only('ComputeAddress').metadata.name);
  });

  it('refers to objects that are in these files', () => {
    const named = (kind: string): readonly string[] => ofKind(kind).map(({ metadata }) => metadata.name);
    const proxies = ofKind('ComputeForwardingRule').map(
      ({ spec }) => valueAt(spec, ['target']) as Record<string, { name: string }>,
    );
    expect(proxies.map((target) => target['targetHTTPProxyRef']?.name ?? target['targetHTTPSProxyRef']?.name)).toEqual([
      ...named('ComputeTargetHTTPProxy'),
      ...named('ComputeTargetHTTPSProxy'),
    ]);
    for (const { spec } of ofKind('ContainerNodePool'))
      expect(named('ContainerCluster')).toContain(text(spec, 'clusterRef', 'name'));
    for (const { spec } of ofKind('ContainerCluster'))
      expect(named('ComputeSubnetwork')).toContain(text(spec, 'subnetworkRef', 'name'));
  });
});

describe('in the clusters', () => {
  it('Tideline may do what its commands need, and no more', () => {
    const rules = valueAt(only('Role'), ['rules']) as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${apiGroups[0]}/${resource}`)),
    );
    const needed = rightsOf(scalingNeeds, undefined).flatMap(({ apiGroup, resource, verbs }) =>
      verbs.map((verb) => `${verb} ${apiGroup}/${resource}`),
    );
    expect(granted.toSorted()).toEqual(needed.toSorted());
  });

  it('nobody else holds the least replicas', () => {
    expect(only('HorizontalPodAutoscaler').spec).not.toHaveProperty('minReplicas');
    expect(only('Deployment').spec).not.toHaveProperty('replicas');
  });

  it('Workload Identity is on in every cluster and pool, and GPU nodes have a taint and start from none', () => {
    for (const { spec } of ofKind('ContainerCluster'))
      expect(text(spec, 'workloadIdentityConfig', 'workloadPool')).toMatch(/\.svc\.id\.goog$/);
    for (const { spec } of ofKind('ContainerNodePool'))
      expect(text(spec, 'nodeConfig', 'workloadMetadataConfig', 'mode')).toBe('GKE_METADATA');
    const gpu = ofKind('ContainerNodePool').filter(
      ({ spec }) => valueAt(spec, ['nodeConfig', 'guestAccelerator']) !== undefined,
    );
    expect(gpu).toHaveLength(1);
    expect(text(gpu[0]?.spec, 'nodeConfig', 'taint', 0, 'key')).toBe('nvidia.com/gpu');
    expect(valueAt(gpu[0]?.spec, ['autoscaling', 'minNodeCount'])).toBe(0);
  });
});
