import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { videoIngress } from '../clusters/objects.ts';
import { calico } from '../network/calico.ts';
import { looseDefinition } from '../source/cluster.ts';
import { Administrator, startAdministeredControlPlane } from '../systemd/administrator.ts';
import type { Machine } from '../systemd/machine.ts';
import { commandsOf, Rack } from '../systemd/rack.ts';

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, '../../..');
export const addresses = { blade: '10.1.0.21', worker: '10.1.0.11' } as const;
export const block = '10.10.1.0/26';

/** The cluster paris with a blade and a worker, set up by the documented commands alone. */
export class Paris {
  readonly rack = new Rack(addresses);
  folder = '';
  #plane: ControlPlane | undefined;
  #administrator: Administrator | undefined;

  get plane(): ControlPlane {
    if (this.#plane === undefined) throw new Error('not started');
    return this.#plane;
  }

  get administrator(): Administrator {
    if (this.#administrator === undefined) throw new Error('not started');
    return this.#administrator;
  }

  async start(): Promise<void> {
    const { rack } = this;
    this.folder = await mkdtemp(join(tmpdir(), 'paris-'));
    await rack.start();
    this.#plane = await startAdministeredControlPlane({ network: rack.network, namespace: 'tor', address: '10.1.0.1' });
    const enter = ['ip', 'netns', 'exec', rack.network.kernelName('tor')];
    this.#administrator = new Administrator(this.#plane, this.folder, enter);
    await this.administrator.run('cluster.md', 'Install');
    await this.#fill();
    await this.administrator.run('cluster.md', 'A kubeconfig for a server');
  }

  /** Creates the objects that a cluster has: Calico's objects, a node, a Service with an Ingress. */
  async #fill(): Promise<void> {
    const { plane } = this;
    await plane.apply(...calicoCrds());
    await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    const { status, ...node } = calico.node('paris-worker-1', addresses.worker) as unknown as {
      readonly status: object;
    };
    await plane.apply(node, calico.pool('10.10.0.0/16'), ...calico.owned(block, 'paris-worker-1'), {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'video' },
    });
    await plane.kubectl([
      'patch',
      'node',
      'paris-worker-1',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    await plane.apply(
      inVideo('v1', 'Service', 'web', { spec: { clusterIP: 'None', ports: [{ port: 80 }] } }),
      inVideo('discovery.k8s.io/v1', 'EndpointSlice', 'web-1', {
        addressType: 'IPv4',
        ports: [{ port: 3000 }],
        endpoints: [{ addresses: ['10.10.1.5'] }],
      }),
      videoIngress('web', 'www.video.example'),
    );
    // The EdgePool whose status the blades write is created, and the rest of the spec is not.
    const spec = await readFile(join(repository, 'examples/hybrid/clusters.yaml'), 'utf8');
    const objects = parseAllDocuments(spec).map((document) => document.toJS() as { readonly kind: string });
    await plane.apply(...objects.filter(({ kind }) => kind === 'EdgePool'));
  }

  /** Boots the server of that name with its platform spec and kubeconfig, and runs the documented commands. */
  async bootServer(name: 'blade' | 'worker', kubeconfig: string): Promise<Machine> {
    const machine = await this.rack.boot(name);
    await run('cp', [join(this.folder, kubeconfig), join(machine.shared, 'kubeconfig')]);
    await machine.sh(`
      install -d -m 0755 /etc/tideline
      cp -r /opt/tideline/examples/hybrid /etc/tideline/platform
      install -m 0600 /mnt/kubeconfig /etc/tideline/kubeconfig`);
    await machine.sh(await commandsOf('servers.md', name === 'blade' ? 'A blade' : 'A worker'));
    return machine;
  }

  /** A kubeconfig for a user who has exactly these rules, in all namespaces. */
  async kubeconfigWith(name: string, rules: readonly object[]): Promise<string> {
    const rbac = 'rbac.authorization.k8s.io';
    await this.plane.apply(
      { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
        subjects: [{ apiGroup: rbac, kind: 'Group', name }],
      },
    );
    return this.plane.kubeconfigFor({ user: name, groups: [name] });
  }

  /** Writes a file with this content into the test's folder. */
  async writeFile(name: string, content: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content);
    return path;
  }

  async stop(): Promise<void> {
    await this.rack.stop();
    await this.#plane?.stop();
    if (this.folder !== '') await rm(this.folder, { recursive: true, force: true });
  }
}

export const platform = join(repository, 'examples/hybrid');
export const tideline = join(repository, 'bin/tideline');

/** An object of namespace video. */
function inVideo(apiVersion: string, kind: string, name: string, fields: object): object {
  const labels = { 'kubernetes.io/service-name': 'web' };
  return { apiVersion, kind, metadata: { name, namespace: 'video', labels }, ...fields };
}

/** Definitions of Calico's kinds that accept any content; the kinds themselves are tested elsewhere. */
function calicoCrds(): readonly object[] {
  const group = 'crd.projectcalico.org';
  const kinds = [
    'BlockAffinity',
    'IPAMBlock',
    'IPPool',
    'ClusterInformation',
    'IPAMConfig',
    'BGPConfiguration',
    'BGPPeer',
  ];
  return kinds.map((kind) =>
    looseDefinition(group, 'v1', kind, kind === 'BlockAffinity' ? 'blockaffinities' : `${kind.toLowerCase()}s`),
  );
}
