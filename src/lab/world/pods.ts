import { join } from 'node:path';
import type { LabCluster } from '../cluster/cluster.ts';
import { application, type LabPod } from '../cluster/objects.ts';
import type { Network } from '../net/network.ts';
import type { Supervisor } from '../supervise.ts';
import { podServer } from './webserver.ts';

/** The gateway that Calico gives every pod: an address of the node's end of the pod's link. */
const gateway = '169.254.1.1';

/** Runs the pods of one cluster, as its kubelets and controllers would: process first, endpoint when it answers. */
export class Kubelets {
  readonly #network: Network;
  readonly #supervisor: Supervisor;
  readonly #cluster: LabCluster;
  readonly #clusterName: string;
  readonly #directory: string;
  #links = 0;

  constructor(options: {
    readonly network: Network;
    readonly supervisor: Supervisor;
    readonly cluster: LabCluster;
    readonly clusterName: string;
    readonly directory: string;
  }) {
    this.#network = options.network;
    this.#supervisor = options.supervisor;
    this.#cluster = options.cluster;
    this.#clusterName = options.clusterName;
    this.#directory = options.directory;
  }

  /** Starts pods on a worker; resolves when they answer and are endpoints in the manifests. */
  async addPods(node: string, count: number): Promise<readonly LabPod[]> {
    const pods = Array.from({ length: count }, () => this.#cluster.addPod(node));
    await this.#cluster.write();
    await Promise.all(pods.map((pod) => this.#start(pod)));
    for (const pod of pods) this.#cluster.setReady(pod.name, true);
    await this.#cluster.write();
    return pods;
  }

  /** Takes the pod out of the endpoints, gives the edges `graceMs` to notice, and ends it. */
  async removePod(name: string, graceMs = 2000): Promise<void> {
    const pod = this.#cluster.pods.find((candidate) => candidate.name === name);
    if (pod === undefined) throw new Error(`there is no pod ${name}`);
    this.#cluster.setReady(name, false);
    await this.#cluster.write();
    await new Promise((resolve) => setTimeout(resolve, graceMs));
    await this.#supervisor.remove(serviceName(pod));
    await this.#network.removeNamespace(podNamespace(pod.name));
    this.#cluster.removePod(name);
    await this.#cluster.write();
  }

  async #start(pod: LabPod): Promise<void> {
    const namespace = podNamespace(pod.name);
    await this.#network.addNamespace(namespace);
    this.#links += 1;
    const device = `cali${this.#links}`;
    await this.#network.batch(pod.node, [
      `link add name ${device} type veth peer name eth0 netns ${this.#network.kernelName(namespace)}`,
      `addr add ${gateway}/32 dev ${device}`,
      `link set ${device} up`,
      `route add ${pod.address}/32 dev ${device} scope link`,
    ]);
    await this.#network.batch(namespace, [
      `addr add ${pod.address}/32 dev eth0`,
      'link set eth0 up',
      `route add ${gateway} dev eth0 scope link`,
      `route add default via ${gateway} dev eth0`,
    ]);
    const service = await podServer({
      identity: { pod: pod.name, node: pod.node, cluster: this.#clusterName },
      namespace,
      listen: `${pod.address}:${application.podPort}`,
      directory: join(this.#directory, pod.name),
    });
    this.#supervisor.start(service);
    await this.#untilListening(namespace);
  }

  /** Readiness: something listens on the pod's port, as its kubelet's probe would find. */
  async #untilListening(namespace: string): Promise<void> {
    for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
      if ((await this.#network.exec(namespace, 'ss', '-Hltn', `sport = ${application.podPort}`)) !== '') return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${namespace} does not listen after 10 s`);
  }
}

export function podNamespace(pod: string): string {
  return `pod-${pod}`;
}

function serviceName(pod: LabPod): string {
  return `${pod.node}/pod-${pod.name}`;
}
