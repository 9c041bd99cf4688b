import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { Network } from '../../lab/net/network.ts';
import { findFelix, findNodePrograms } from '../../lab/servers/programs.ts';
import type { Server } from '../../lab/servers/server.ts';
import { shippedObjects } from '../../src/cli/fleet/shipped-objects.ts';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import { eventually } from '../support/clusters/control-plane.ts';
import { denied, grantsOf, grantText, rulesOf, used } from '../support/deploy/rights.ts';
import { fleetPlatform } from '../support/fleet.ts';
import { bootLoneWorker, image } from '../support/servers/lone-worker.ts';

const network = new Network();
const name = `worker${Date.now() % 100_000}`;
let folder: string;
let plane: ControlPlane;
let worker: Server;

const cni = {
  cniVersion: '0.3.1',
  name: 'pods',
  plugins: [
    {
      type: 'calico',
      log_level: 'warning',
      datastore_type: 'kubernetes',
      nodename: name,
      nodename_file_optional: true,
      mtu: 1400,
      ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'false' },
      policy: { type: 'k8s' },
      kubernetes: { kubeconfig: '/etc/cni/kubeconfig' },
    },
  ],
};

const group = (name: string) => `tideline:calico-${name}`;

beforeAll(async () => {
  const [programs, felix] = await Promise.all([findNodePrograms(process.env), findFelix(process.env)]);
  folder = await mkdtemp(join(tmpdir(), 'tideline-felix-'));
  const flags = ['--node-labels=topology.kubernetes.io/region=site0'];
  const lone = await bootLoneWorker({ network, folder, name, flags });
  ({ plane, worker } = lone);
  const fleet = compileFleet(fleetPlatform(), {}, await shippedObjects('deploy'));
  const objects = fleet.objects.get('site0') ?? [];
  const isKind = ({ kind }: { readonly kind: string }) => kind === 'CustomResourceDefinition';
  await plane.apply(...objects.filter(isKind));
  await plane.kubectl(['wait', '--for=condition=Established', '--timeout=120s', 'crd', '--all']);
  await plane.apply(...objects.filter((object) => object.kind === 'Namespace'));
  await plane.apply(...objects.filter((object) => !isKind(object)));
  const id = 'site0-worker0000';
  const part = fleet.documents.get(id)?.components.find((component) => component.name === 'felix');
  const unit = part?.units['calico-felix.service']?.text ?? '';
  const [ofCni = '', ofFelix = ''] = await Promise.all(
    ['cni', 'felix'].map((of) => plane.kubeconfigFor({ user: group(of), groups: [group(of)] })),
  );
  await Promise.all([
    worker.copyIn(join(programs, 'calico'), '/usr/lib/cni/calico'),
    worker.copyIn(join(programs, 'calico'), '/usr/lib/cni/calico-ipam'),
    worker.copyIn(felix, '/usr/local/bin/calico-felix'),
    worker.copyIn(ofCni, '/etc/cni/kubeconfig'),
    worker.copyIn(ofFelix, '/etc/calico/felix.json'),
    worker.write('/etc/cni/net.d/10-pods.conflist', JSON.stringify(cni)),
    worker.write('/etc/systemd/system/calico-felix.service', unit.replaceAll(id, name)),
  ]);
  await lone.start('calico-felix');
});

afterAll(async () => {
  await plane?.stop();
  await worker?.remove();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

interface Pod {
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const pod = (of: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: of, namespace: 'default', labels: { app: of } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'only', image, imagePullPolicy: 'Never' }] },
});

const addressOf = (of: string): Promise<string> =>
  eventually(`pod ${of} is ready`, async () => {
    const { status } = await plane.read<Pod>(`/api/v1/namespaces/default/pods/${of}`);
    return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') && status.podIP;
  });

/** Runs a shell script in the network of a pod. */
async function inPod(address: string, script: string): Promise<string> {
  const find = `for n in $(ip netns list | cut -d' ' -f1); do if ip -n $n -o address | grep -q ' ${address}/'; then echo $n; fi; done`;
  const found = (await worker.exec(find)).trim();
  return await worker.exec(`ip netns exec ${found} sh -c '${script}'`);
}

const reaches = async (from: string, to: string): Promise<boolean> =>
  (await inPod(from, `timeout 2 bash -c "exec 3<>/dev/tcp/${to}/8080" 2>/dev/null && echo yes || echo no`)).trim() ===
  'yes';

const policy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'friends', namespace: 'default' },
  spec: {
    podSelector: { matchLabels: { app: 'server' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }] }],
  },
};
const isReady = `python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:9099/readiness", timeout=5).status)' 2>&1 || true`;

describe('a worker with Felix', () => {
  test('keeps out whom a NetworkPolicy does not name, and lets everybody in before and after', async () => {
    await plane.apply(pod('server'), pod('friend'), pod('stranger'));
    const [server, friend, stranger] = await Promise.all(['server', 'friend', 'stranger'].map(addressOf));
    if (server === undefined || friend === undefined || stranger === undefined) throw new Error('unreachable');
    await inPod(server, 'nohup python3 -m http.server 8080 >/dev/null 2>&1 &');
    await eventually('the stranger reaches the server', () => reaches(stranger, server));
    await plane.apply(policy);
    await eventually('the stranger is kept out', async () => !(await reaches(stranger, server)));
    expect(await reaches(friend, server)).toBe(true);
    await plane.kubectl(['delete', 'networkpolicy', 'friends']);
    await eventually('the stranger is let in again', () => reaches(stranger, server));
  });

  test('goes on keeping them out while it is down, and after a restart', async () => {
    const [server = '', stranger = ''] = await Promise.all(['server', 'stranger'].map(addressOf));
    await plane.apply(policy);
    await eventually('the stranger is kept out', async () => !(await reaches(stranger, server)));
    await worker.exec('systemctl stop calico-felix');
    expect(await reaches(stranger, server)).toBe(false);
    await worker.exec('systemctl start calico-felix');
    await eventually('Felix is ready', async () => (await worker.exec(isReady)).trim() === '200');
    expect(await reaches(stranger, server)).toBe(false);
  });

  test('has the rights that Felix needs, and no others', async () => {
    const events = await plane.audit(({ groups }) => groups.includes(group('felix')));
    expect(new Set(denied(events))).toEqual(new Set());
    const rules = await rulesOf(plane, 'clusterrole', group('felix'));
    expect(
      grantsOf(rules)
        .map(grantText)
        .filter((grant) => !used(events).has(grant)),
    ).toEqual([]);
  });
});
