import { join } from 'node:path';
import type { Clock } from '../../src/runtime/clock.ts';
import { stillMissing } from '../missing.ts';
import type { Network } from '../net/network.ts';
import type { Supervisor } from '../supervise.ts';
import { application } from './application.ts';
import { podServer } from './webserver.ts';

/** The gateway that Calico gives every pod; here it is an address of the node's end of the pod's link. */
const gateway = '169.254.1.1';

/** A pod that has its node and its address. */
export interface PlacedPod {
  readonly name: string;
  readonly node: string;
  readonly address: string;
}

/** Runs pods as processes: a namespace each, a link to the worker and a /32 route there, as Calico makes them. */
export class PodHost {
  readonly #network: Network;
  readonly #supervisor: Supervisor;
  readonly #cluster: string;
  readonly #directory: string;
  readonly #clock: Clock;
  #links = 0;

  constructor(options: {
    readonly network: Network;
    readonly supervisor: Supervisor;
    /** The name of the cluster, which the pods give in their answers. */
    readonly cluster: string;
    readonly directory: string;
    readonly clock: Clock;
  }) {
    this.#network = options.network;
    this.#supervisor = options.supervisor;
    this.#cluster = options.cluster;
    this.#directory = options.directory;
    this.#clock = options.clock;
  }

  /** Starts the pod; resolves when it listens. */
  async start(pod: PlacedPod): Promise<void> {
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
      identity: { pod: pod.name, node: pod.node, cluster: this.#cluster },
      namespace,
      listen: `${pod.address}:${application.podPort}`,
      directory: join(this.#directory, pod.name),
    });
    this.#supervisor.start(service);
    await this.#untilListening(namespace);
  }

  /** Ends the pod's process and removes its network. */
  async stop(pod: PlacedPod): Promise<void> {
    await this.#supervisor.remove(podService(pod));
    await this.#network.removeNamespace(podNamespace(pod.name));
  }

  /** Waits until something listens on the pod's port, as a kubelet's readiness probe would find. */
  async #untilListening(namespace: string): Promise<void> {
    const listening = (): Promise<string> =>
      this.#network.exec(namespace, 'ss', '-Hltn', `sport = ${application.podPort}`);
    const missing = async (): Promise<string | undefined> => ((await listening()) === '' ? 'a listener' : undefined);
    const patience = { clock: this.#clock, timeoutMs: 10_000, everyMs: 50 };
    if ((await stillMissing(missing, patience)) !== undefined)
      throw new Error(`${namespace} does not listen after 10 s`);
  }
}

function podNamespace(pod: string): string {
  return `pod-${pod}`;
}

/** The supervisor's name of a pod's process. */
export function podService(pod: { readonly name: string; readonly node: string }): string {
  return `${pod.node}/pod-${pod.name}`;
}
