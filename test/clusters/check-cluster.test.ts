import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { rightText } from '../../src/kube/rights.ts';
import { eventually } from '../support/clusters/control-plane.ts';
import { bad, withHealthyCluster } from '../support/clusters/preflight.ts';
import { grantsOf, rulesOf, without } from '../support/deploy/rights.ts';

const rig = withHealthyCluster();
const platform = 'examples/hybrid';

describe('a healthy cluster', () => {
  it('is all ok, and nothing was written', async () => {
    const result = await rig.paris(rig.ops());
    expect(bad(result)).toEqual([]);
    expect(result.code).toBe(0);
    expect(result.findings.length).toBeGreaterThan(15);
    const requests = await rig.plane().audit(({ user }) => user === 'ops');
    expect(requests.length).toBeGreaterThan(10);
    expect(await rig.writes('ops')).toEqual([]);
  });

  it('is asked by few requests', async () => {
    const before = (await rig.plane().audit(({ user }) => user === 'ops' || user === 'system:anonymous')).length;
    await rig.paris(rig.ops());
    const requests =
      (await rig.plane().audit(({ user }) => user === 'ops' || user === 'system:anonymous')).length - before;
    expect(requests).toBeLessThan(25);
  });

  it('is explained to people in lines', async () => {
    const { stdout } = await text('--cluster', 'paris', '--kubeconfig', rig.ops(), platform);
    expect(stdout).toMatch(/^cluster paris: https:\/\/127\.0\.1\.\d+:6443 as ops \(tideline:edge/);
    expect(stdout).toMatch(/\n\d+ ok\n$/);
  });
});

async function text(...args: readonly string[]): Promise<{ readonly stdout: string }> {
  const program = `${process.execPath} src/cli/main.ts check ${args.join(' ')}`;
  return { stdout: await rig.paste(program) };
}

describe('what is installed', () => {
  it('names a CRD that is missing', () =>
    rig.faultAndFix(
      () => rig.plane().kubectl(['delete', 'crd', 'drains.tideline.dev']),
      'failed CrdMissing',
      /^drains\.tideline\.dev is not installed$/,
    ));

  it('names the field that an old CRD lacks', () =>
    rig.faultAndFix(
      () => changeCrd((spec) => delete (spec.properties as Record<string, unknown>)['force']),
      'failed CrdOlder',
      /^drains\.tideline\.dev is older .* spec\.force$/,
    ));

  it('names the field that a newer CRD has', () =>
    rig.faultAndFix(
      () => changeCrd((spec) => Object.assign(spec.properties, { colour: { type: 'string' } })),
      'warning CrdNewer',
      /spec\.colour$/,
    ));

  it('names the field of a CRD that has other rules', () =>
    rig.faultAndFix(
      () => changeCrd((spec) => Object.assign(spec.properties['reason'] ?? {}, { maxLength: 99 })),
      'failed CrdDiffers',
      /differs in spec\.reason$/,
    ));

  async function changeCrd(change: (spec: { properties: Record<string, object> }) => unknown): Promise<void> {
    const crd = parse(await readFile('deploy/crds/drains.yaml', 'utf8'));
    change(crd.spec.versions[0].schema.openAPIV3Schema.properties.spec);
    const file = join(rig.folder(), 'drains.json');
    await writeFile(file, JSON.stringify(crd));
    await rig.plane().kubectl(['replace', '-f', file]);
  }

  it('names the IngressClass that is missing, that of another, and another default', async () => {
    await rig.faultAndFix(
      () => rig.plane().kubectl(['delete', 'ingressclass', 'tideline']),
      'failed ClassMissing',
      /^there is no IngressClass tideline$/,
    );
    const other = (name: string, annotations = {}) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name, annotations },
      spec: { controller: 'k8s.io/ingress-nginx' },
    });
    await rig.faultAndFix(
      async () => {
        await rig.plane().kubectl(['delete', 'ingressclass', 'tideline']);
        await rig.plane().apply(other('tideline'));
      },
      'failed ClassOfOther',
      /is of k8s\.io\/ingress-nginx$/,
    );
    await rig.faultAndFix(
      () => rig.plane().apply(other('nginx', { 'ingressclass.kubernetes.io/is-default-class': 'true' })),
      'warning OtherDefaultClass',
      /^nginx of k8s\.io\/ingress-nginx is the default/,
    );
  });
});

describe('rights', () => {
  it('names a right that was removed, and what it is for', () =>
    rig.faultAndFix(
      () =>
        rig
          .plane()
          .kubectl([
            'patch',
            'clusterrole',
            'tideline-edge',
            '--type=json',
            '-p',
            '[{"op":"remove","path":"/rules/0"}]',
          ]),
      'failed RightsMissing',
      // To list them the role of the check allows as well.
      /^ops may not watch services$/,
    ));

  it('names a right in one namespace, which the same right elsewhere does not replace', () =>
    rig.faultAndFix(
      () =>
        rig
          .plane()
          .kubectl([
            'patch',
            'role',
            'tideline-edge',
            '-n',
            'tideline-system',
            '--type=json',
            '-p',
            '[{"op":"remove","path":"/rules/0"}]',
          ]),
      'failed RightsMissing',
      /create leases\.coordination\.k8s\.io in tideline-system/,
    ));

  it('names rights that are too many', async () => {
    await rig.plane().kubectl(['create', 'clusterrole', 'vandal', '--verb=delete,get', '--resource=pods,secrets']);
    await rig.plane().kubectl(['create', 'clusterrolebinding', 'vandal', '--clusterrole=vandal', '--user=ops']);
    const result = await eventually(async () => {
      const seen = await rig.paris(rig.ops());
      return seen.bad.length > 0 && seen;
    });
    expect(result.bad).toEqual(['warning RightsTooWide']);
    expect(result.code).toBe(0);
    const [finding] = bad(result);
    expect(finding?.found).toBe('ops may also delete pods, delete secrets');
    expect(await rig.paste(finding?.fix)).toContain('vandal');
    await rig.plane().kubectl(['delete', 'clusterrolebinding', 'vandal']);
  });

  it('says which right it lacks itself, and the fix grants it', async () => {
    const blade = await rig.plane().kubeconfigFor({ user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] });
    const result = await rig.paris(blade, '--as', 'edge');
    expect(result.bad).toEqual(['unknown RightMissing', 'unknown RightMissing']);
    expect(result.code).toBe(0);
    await rig.paste(bad(result)[0]?.fix);
    await eventually(async () => (await rig.paris(blade, '--as', 'edge')).bad.length === 0);
  });

  describe("the operator's kubeconfig, of the group tideline:check alone", () => {
    const operator = (): Promise<string> =>
      rig.plane().kubeconfigFor({ user: 'tideline:check:operator', groups: ['tideline:check'] });

    it('passes, and may read no Secret', async () => {
      const result = await rig.paris(await operator());
      expect(bad(result)).toEqual([]);
      expect(result.code).toBe(0);
      const rights = result.findings.filter(({ check }) => check.startsWith('rights-')).map(({ found }) => found);
      expect(rights).toEqual([
        'the group tideline:edge may do all that the edge agent does',
        'the group tideline:network may do all that the network agent does',
        'tideline:check:operator may do no more than that',
      ]);
      const as = ['--as=tideline:check:operator', '--as-group=tideline:check'];
      await expect(rig.plane().kubectl(['get', 'secrets', '-A', ...as])).rejects.toThrow(
        /cannot list resource "secrets"/,
      );
      expect((await rig.plane().audit(({ user }) => user === 'tideline:check:operator')).length).toBeGreaterThan(5);
      expect(await rig.writes('tideline:check:operator')).toEqual([]);
    });

    it('is told what the steering agents may do, whose Lease one cluster has, only when it asks for that', async () => {
      const result = await rig.paris(await operator(), '--as', 'steering');
      expect(bad(result)).toEqual([]);
      expect(result.findings.filter(({ check }) => check === 'rights-steering').map(({ found }) => found)).toEqual([
        'the group tideline:steering may do all that the steering agent does',
      ]);
      await rig.plane().kubectl(['-n', 'tideline-system', 'delete', 'rolebinding', 'tideline-steering']);
      const lacking = await eventually(async () => {
        const seen = await rig.paris(await operator(), '--as', 'steering');
        return seen.bad.length === 1 && seen;
      });
      expect([lacking.code, lacking.bad]).toEqual([1, ['failed RightsMissing']]);
      expect(bad(lacking)[0]?.found).toMatch(/leases/);
      await rig.paste(bad(lacking)[0]?.fix);
      await eventually(async () => (await rig.paris(await operator(), '--as', 'steering')).bad.length === 0);
    });

    it("names what the agents' group lacks, with a fix that gives the operator nothing", async () => {
      const kubeconfig = await operator();
      await rig.plane().kubectl(['delete', 'clusterrolebinding', 'tideline-edge', 'tideline-network']);
      const result = await eventually(async () => {
        const seen = await rig.paris(kubeconfig);
        return seen.bad.length === 2 && seen;
      });
      expect(result.bad).toEqual(['failed RightsMissing', 'failed RightsMissing']);
      expect(result.code).toBe(1);
      for (const { fix } of bad(result)) expect(fix).toMatch(/^kubectl apply --server-side --force-conflicts -k \S+$/);
      await rig.paste(bad(result)[0]?.fix);
      await eventually(async () => (await rig.paris(kubeconfig)).bad.length === 0);
    });
  });

  it('says that the operator may not ask what the agents may do, which its role lets it', async () => {
    const rules = await rulesOf(rig.plane(), 'clusterrole', 'tideline-check');
    const ask = grantsOf(rules).find(({ resource }) => resource === 'subjectaccessreviews');
    if (ask === undefined) throw new Error('not granted');
    const replace = (next: readonly object[]): Promise<string> =>
      rig.patch('clusterrole/tideline-check', { rules: next });
    const kubeconfig = await rig.plane().kubeconfigFor({ user: 'tideline:check:asker', groups: ['tideline:check'] });
    await replace(without(rules, ask));
    const result = await eventually(async () => {
      const seen = await rig.paris(kubeconfig);
      return seen.bad.length > 0 && seen;
    });
    await replace(rules);
    expect(result.bad).toEqual(['unknown RightMissing', 'unknown RightMissing']);
    expect(bad(result)[0]?.found).toBe('tideline:check:asker may not create subjectaccessreviews.authorization.k8s.io');
    await eventually(async () => (await rig.paris(kubeconfig)).bad.length === 0);
  });

  it('names each right of deploy/rbac/check.yaml that it does not have', async () => {
    const rules = await rulesOf(rig.plane(), 'clusterrole', 'tideline-check');
    // A cluster has only one of Calico's two groups, and only the operator asks what others may do.
    const unused = ['projectcalico.org', 'authorization.k8s.io'];
    // Services are looked at in clusters of GKE alone (gke.test.ts).
    const left = grantsOf(rules).filter(
      ({ apiGroup, resource }) => !unused.includes(apiGroup) && resource !== 'services',
    );
    expect(left.length).toBeGreaterThan(8);
    const next = async (): Promise<void> => {
      for (let grant = left.shift(); grant !== undefined; grant = left.shift()) {
        const kubeconfig = await somebodyWith(`looks-${left.length}`, without(rules, grant));
        const text = `${rightText(grant.verb, grant)} ${grant.name}`.trim();
        await eventually(async () => {
          const { findings } = await rig.paris(kubeconfig);
          const missing = findings.filter(({ reason }) => reason === 'RightMissing').map(({ found }) => found);
          if (missing.length === 1 && missing[0]?.includes(text) === true) return true;
          throw new Error(`without ${text}: ${missing.join('; ')}`);
        });
      }
    };
    await Promise.all([next(), next(), next()]);
  });

  async function somebodyWith(name: string, rules: readonly object[]): Promise<string> {
    const apiGroup = 'rbac.authorization.k8s.io';
    const object = { apiVersion: `${apiGroup}/v1`, metadata: { name } };
    const roleRef = { apiGroup, kind: 'ClusterRole', name };
    const subjects = [{ apiGroup, kind: 'User', name }];
    const binding = { ...object, kind: 'ClusterRoleBinding', roleRef, subjects };
    await rig.plane().apply({ ...object, kind: 'ClusterRole', rules }, binding);
    return rig.plane().kubeconfigFor({ user: name });
  }
});

describe('NetworkPolicies', () => {
  it('are not kept on a server of a Fleet without Felix, and are where a Fleet brings it or calico-node runs', async () => {
    const { plane, patch, paris, ops } = rig;
    const label = (value: string | null) =>
      patch('node/paris-worker-1', { metadata: { labels: { 'tideline.dev/server-class': value } } });
    const felix = ['clusterrole', 'tideline:calico-felix'];
    await plane().apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny', namespace: 'default' },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    expect(bad(await paris(ops())).map(({ state, reason }) => `${state} ${reason}`)).toEqual([
      'warning PoliciesKeptUnknown',
    ]);
    await label('plain');
    const open = await paris(ops());
    expect([open.code, open.bad]).toEqual([1, ['failed PoliciesNotKept']]);
    expect(bad(open)[0]?.found).toBe(
      'NetworkPolicy default/deny: no policy is kept on paris-worker-1, where every pod reaches every other',
    );
    await plane().kubectl(['create', ...felix, '--verb=list', '--resource=networkpolicies.networking.k8s.io']);
    expect(bad(await paris(ops()))).toEqual([]);
    await plane().kubectl(['delete', ...felix]);
    await label(null);
    const up = { type: 'NetworkUnavailable', status: 'False', reason: 'CalicoIsUp', message: 'Calico is running' };
    const status = JSON.stringify({ status: { conditions: [up] } });
    await plane().kubectl(['patch', 'node/paris-worker-1', '--subresource=status', '--type=merge', '-p', status]);
    expect(bad(await paris(ops()))).toEqual([]);
    await plane().kubectl(['delete', 'networkpolicy', 'deny']);
  });
});

describe('Calico and nodes', () => {
  const pool = (spec: object) => () => rig.patch('ippools.crd.projectcalico.org/pods', { spec });

  it('names a pool with IPIP', () =>
    rig.faultAndFix(pool({ ipipMode: 'Always' }), 'failed PoolEncapsulated', /ipipMode Always$/));
  it('names a pool with VXLAN', () =>
    rig.faultAndFix(pool({ vxlanMode: 'CrossSubnet' }), 'failed PoolEncapsulated', /vxlanMode CrossSubnet$/));
  it('names a pool that hides its pods', () =>
    rig.faultAndFix(pool({ natOutgoing: true }), 'warning PoolNatOutgoing', /natOutgoing/));
  it('names a pool that is not announced', () =>
    rig.faultAndFix(pool({ disableBGPExport: true }), 'warning PoolNotExported', /disableBGPExport/));

  it('names a pool outside the sites, and the prefix to add', async () => {
    await rig.patch('ippools.crd.projectcalico.org/pods', { spec: { cidr: '10.99.0.0/16' } });
    const result = await rig.paris(rig.ops());
    expect(result.bad).toEqual(['failed PoolOutsideSites']);
    expect(bad(result)[0]?.fix).toBe('in the platform spec, add 10.99.0.0/16 to spec.prefixes.pods of Site/paris');
    await rig.patch('ippools.crd.projectcalico.org/pods', { spec: { cidr: '10.10.0.0/16' } });
  });

  it('names pools that are gone', () =>
    rig.faultAndFix(
      () => rig.plane().kubectl(['delete', 'ippools.crd.projectcalico.org', 'pods']),
      'failed PoolsMissing',
      /no enabled IPPool/,
    ));

  it("names Calico's own mesh", () =>
    rig.faultAndFix(
      () => rig.patch('bgpconfigurations.crd.projectcalico.org/default', { spec: { nodeToNodeMeshEnabled: true } }),
      'warning CalicoMeshOn',
      /mesh is on/,
    ));

  it('names a locked datastore', () =>
    rig.faultAndFix(
      () => rig.patch('clusterinformations.crd.projectcalico.org/default', { spec: { datastoreReady: false } }),
      'failed DatastoreNotReady',
      /locked/,
    ));

  it('names an IPAM that claims no blocks', () =>
    rig.faultAndFix(
      () => rig.patch('ipamconfigs.crd.projectcalico.org/default', { spec: { autoAllocateBlocks: false } }),
      'warning BlocksNotAutomatic',
      /autoAllocateBlocks/,
    ));

  it('names nodes that have no podCIDR, when pods are announced by it', async () => {
    const result = await rig.paris(rig.ops(), '--as', 'network', '--pods-from', 'podCIDRs');
    expect(bad(result).map(({ reason, found }) => `${reason}: ${found}`)).toContain(
      'NodeWithoutPodCidr: paris-worker-1 has no podCIDR',
    );
  });
});

it('wrote nothing in all this time', async () => {
  expect((await rig.plane().audit(({ user }) => user === 'ops')).length).toBeGreaterThan(20);
  expect(await rig.writes('ops', 'nobody', 'system:anonymous')).toEqual([]);
});
