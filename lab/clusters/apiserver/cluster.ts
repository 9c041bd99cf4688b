import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeClient } from '../../../src/kube/api/client.ts';
import { connect } from '../../../src/kube/api/connect.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { ControlPlane } from '../../control-plane/control-plane.ts';
import { startControlPlane } from '../../control-plane/start.ts';
import { stillMissing } from '../../missing.ts';
import type { Network } from '../../net/network.ts';
import { application } from '../../world/application.ts';
import { portOf } from '../../world/links.ts';
import { compression } from '../../world/platform.ts';
import type { PodHost } from '../../world/pods.ts';
import type { AgentKind } from '../../world/servers.ts';
import type { Datacentre } from '../../world/topology.ts';
import type { LabPod } from '../objects.ts';
import type { ClusterBlock, InputLoss, RunningCluster } from '../running.ts';
import type { Addresses } from './addresses.ts';
import { components, PlaneControl } from './control.ts';
import { Kubelets } from './kubelets.ts';
import { NodeHeartbeat } from './nodes.ts';
import { workload } from './workload.ts';

export interface ApiserverClusterOptions {
  readonly datacentre: Datacentre;
  readonly network: Network;
  readonly host: PodHost;
  readonly clock: Clock;
  /** The folder of the control plane's programs. */
  readonly binaries: string;
  /** Holds the control plane's data and kubeconfigs, and is removed when the cluster stops. */
  readonly folder: string;
  /** The control plane's logs are copied here when the cluster stops. */
  readonly logFolder: string;
  readonly clusterIp: string;
  readonly ingressClass: string;
  readonly certificate: { readonly chain: string; readonly key: string };
  /** The folder for `kubectl apply -k` with what every cluster that Tideline reads must have. */
  readonly deploy: string;
  readonly addresses: (plane: ControlPlane) => Promise<Addresses>;
  readonly warn: (message: string) => void;
}

interface Running {
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  readonly addresses: Addresses;
  readonly kubelets: Kubelets;
  readonly heartbeats: ReadonlyMap<string, NodeHeartbeat>;
}

const readyTimeoutMs = 60_000;

/** A cluster with a control plane of its own on a master server. The lab plays its nodes: kubelets, pods, heartbeats. */
export class ApiserverCluster implements RunningCluster {
  readonly datacentre: Datacentre;
  readonly inputLosses: readonly InputLoss[];
  readonly control: PlaneControl;
  readonly #options: ApiserverClusterOptions;
  readonly #plane = Promise.withResolvers<ControlPlane>();
  #started: ControlPlane | undefined;
  #running: Running | undefined;
  #blocks: readonly ClusterBlock[] = [];

  constructor(options: ApiserverClusterOptions) {
    const { datacentre } = options;
    this.#options = options;
    this.datacentre = datacentre;
    this.control = new PlaneControl(datacentre.masters[0]?.name ?? '', () => this.#started, options.clock);
    this.inputLosses = [
      {
        mode: 'refused',
        what: `The kube-apiserver of ${datacentre.cluster} is killed, and nothing answers on its port`,
        says: 'stale SourceUnreachable',
      },
      {
        mode: 'cut',
        what: `The link of ${this.control.server} is down: packets to the kube-apiserver vanish`,
        says: 'stale SourceUnreachable',
      },
    ];
  }

  get pods(): readonly LabPod[] {
    return this.#running?.kubelets.pods ?? [];
  }

  get blocks(): readonly ClusterBlock[] {
    return this.#blocks;
  }

  async start(podsPerWorker: number): Promise<void> {
    const { datacentre, network, binaries, folder } = this.#options;
    const [master] = datacentre.masters;
    if (master === undefined) throw new Error(`${datacentre.site} has no master server`);
    try {
      this.#started = await startControlPlane({
        folder,
        address: master.address,
        network,
        namespace: master.name,
        binaries,
        // There is one of each component, so none waits for the Lease of a dead one.
        nodeFailure: { graceSeconds: compression.nodeGraceMs / 1000, periodSeconds: 1 },
      });
      this.control.supervise();
      await this.#install(this.#started, podsPerWorker * datacentre.workers.length);
    } catch (error) {
      this.#plane.promise.catch(() => undefined);
      this.#plane.reject(error);
      throw error;
    }
    await this.#waitUntilReady(podsPerWorker * datacentre.workers.length);
    await this.#readBlocks();
  }

  async scaleUp(count: number): Promise<readonly LabPod[]> {
    const before = new Set(this.pods.map(({ name }) => name));
    const wanted = before.size + count;
    const { namespace, name } = application;
    await this.#current().plane.kubectl(['-n', namespace, 'scale', `deployment/${name}`, `--replicas=${wanted}`]);
    await this.#waitUntilReady(wanted);
    await this.#readBlocks();
    return this.pods.filter((pod) => !before.has(pod.name));
  }

  async claimBlock(node: string): Promise<string> {
    const block = await this.#current().addresses.claimBlock(node);
    await this.#readBlocks();
    return block;
  }

  async nodeLost(node: string): Promise<void> {
    const { kubelets, heartbeats } = this.#current();
    kubelets.setSilent(node, true);
    heartbeats.get(node)?.setSilent(true);
    await this.#waitUntil(() => this.#podsOf(node).every(({ ready }) => !ready), `${node} is not found dead`);
  }

  async nodeBack(node: string): Promise<void> {
    const { kubelets, heartbeats } = this.#current();
    heartbeats.get(node)?.setSilent(false);
    kubelets.setSilent(node, false);
    await this.#waitUntil(() => this.#podsOf(node).every(({ ready }) => ready), `${node} is not ready`);
  }

  /** A kubeconfig of its own for each server. */
  async agentOptions(agent: AgentKind, server: string): Promise<Readonly<Record<string, string>>> {
    const plane = await this.#plane.promise;
    const group = `tideline:${agent}`;
    return { kubeconfig: await plane.kubeconfigFor({ user: `${group}:${server}`, groups: [group] }) };
  }

  async loseInput(mode: string): Promise<void> {
    if (mode === 'refused') await this.control.kill(['kube-apiserver']);
    else await this.#setMasterLink('down');
  }

  async mendInput(): Promise<void> {
    await this.#setMasterLink('up');
    await this.control.mend();
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.control.stop();
    for (const heartbeat of running?.heartbeats.values() ?? []) heartbeat.stop();
    await running?.kubelets.stop();
    await Promise.all([running?.addresses.stop(), running?.client.close()]);
    await this.#keepLogs();
    await this.#started?.stop();
  }

  #current(): Running {
    if (this.#running === undefined) throw new Error(`the cluster ${this.datacentre.cluster} has not started`);
    return this.#running;
  }

  #podsOf(node: string): readonly LabPod[] {
    return this.pods.filter((pod) => pod.node === node);
  }

  /** Installs rights and CRDs first, because with them the agents may start, whatever the nodes do. */
  async #install(plane: ControlPlane, replicas: number): Promise<void> {
    const { deploy, datacentre, host, clock, warn } = this.#options;
    await plane.kubectl(['apply', '--server-side', '-k', deploy]);
    const addresses = await this.#options.addresses(plane);
    this.#plane.resolve(plane);
    const client = await connect({ kubeconfig: plane.kubeconfig, clock });
    const nodes = datacentre.workers;
    const heartbeats = new Map(nodes.map((node) => [node.name, new NodeHeartbeat({ client, clock, node })]));
    const kubelets = new Kubelets({ client, host, addresses, nodes, clock, warn });
    this.#running = { plane, client, addresses, kubelets, heartbeats };
    await Promise.all([...heartbeats.values()].map((heartbeat) => heartbeat.start()));
    kubelets.start();
    await plane.kubectl(['apply', '-f', '-'], JSON.stringify(listOf(workload({ ...this.#options, replicas }))));
  }

  /** Resolves when `count` pods are ready and are endpoints of the Service. */
  async #waitUntilReady(count: number): Promise<void> {
    await this.#waitUntil(async () => {
      const ready = this.pods.filter((pod) => pod.ready).map(({ address }) => address);
      if (ready.length !== count) return false;
      const endpoints = await this.#readyEndpoints();
      return ready.every((address) => endpoints.has(address));
    }, `there are not ${count} ready pods and endpoints`);
  }

  async #readyEndpoints(): Promise<ReadonlySet<string>> {
    const { namespace, name } = application;
    const slices = await this.#current().client.request<SliceList>({
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      query: { labelSelector: `kubernetes.io/service-name=${name}` },
    });
    const endpoints = slices.items.flatMap((slice) => slice.endpoints ?? []);
    const ready = endpoints.filter(({ conditions }) => conditions?.ready === true);
    return new Set(ready.flatMap(({ addresses }) => addresses));
  }

  async #waitUntil(condition: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
    const { clock } = this.#options;
    // An apiserver that does not answer is asked again: the condition counts as not yet met.
    const holds = async (): Promise<boolean> => (async () => condition())().catch(() => false);
    const missing = async (): Promise<string | undefined> => ((await holds()) ? undefined : otherwise);
    if ((await stillMissing(missing, { clock, timeoutMs: readyTimeoutMs })) === undefined) return;
    const pods = this.pods.map(({ name, ready }) => `${name} ${ready ? 'ready' : 'not ready'}`).join(', ');
    throw new Error(`${this.datacentre.cluster}: ${otherwise} after ${readyTimeoutMs / 1000} s (pods: ${pods})`);
  }

  async #keepLogs(): Promise<void> {
    const { folder, logFolder } = this.#options;
    const files = [...components.map((name) => `${name}.log`), 'audit.log'];
    const kept = files.map((file) => cp(join(folder, file), join(logFolder, `${this.control.server}-${file}`)));
    await Promise.allSettled(kept);
  }

  async #readBlocks(): Promise<void> {
    this.#blocks = await this.#current().addresses.blocks();
  }

  /** Sets the router's end of the link, so that the master keeps its routes while packets towards it vanish. */
  async #setMasterLink(state: 'up' | 'down'): Promise<void> {
    const { network, datacentre } = this.#options;
    const { router, site } = datacentre;
    await network.ip(router.name, 'link', 'set', portOf(site, this.control.server), state);
  }
}

interface SliceList {
  readonly items: readonly {
    readonly endpoints?: readonly {
      readonly addresses: readonly string[];
      readonly conditions?: { readonly ready?: boolean };
    }[];
  }[];
}

function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}
