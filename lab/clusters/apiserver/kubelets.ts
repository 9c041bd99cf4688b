import { ApiError, type KubeClient } from '../../../src/kube/api/client.ts';
import { messageOf } from '../../../src/model/values.ts';
import { type Clock, sleep } from '../../../src/runtime/clock.ts';
import type { PlacedPod, PodHost } from '../../world/pods.ts';
import type { Server } from '../../world/topology.ts';
import type { LabPod } from '../objects.ts';
import type { Addresses } from './addresses.ts';
import { type ApiPod, isReady, preStopMs, statusOf } from './podstatus.ts';

interface Local {
  readonly namespace: string;
  readonly placed: PlacedPod;
  state: 'running' | 'ending';
}

interface KubeletsOptions {
  readonly client: KubeClient;
  readonly host: PodHost;
  readonly addresses: Addresses;
  readonly nodes: readonly Server[];
  readonly clock: Clock;
  /** Gets the message of each failure; the work that failed is tried again. */
  readonly warn: (message: string) => void;
}

const timeoutMs = 3000;
const retryMs = 300;
/** All pods are listed again this often, also when the watch reported nothing. */
const watchSeconds = 10;

/**
 * The kubelets of all nodes of a cluster, as far as the lab needs them: a pod that is bound to a node gets an address, becomes
 * a process, and its status says so; a deleted pod serves through its preStop sleep, ends, and its object goes. Running pods
 * go on while the apiserver is away. It is level-based: each round compares the whole list with what runs; a watch only starts
 * the next round.
 */
export class Kubelets {
  readonly #options: KubeletsOptions;
  /** The pods that run here, by uid. */
  readonly #local = new Map<string, Local>();
  /** Pods that are being worked on, by uid; true when the pod must be looked at again afterwards. */
  readonly #busy = new Map<string, boolean>();
  readonly #silent = new Set<string>();
  readonly #stopped = new AbortController();
  #pods: readonly ApiPod[] = [];
  #watching: AbortController | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(options: KubeletsOptions) {
    this.#options = options;
  }

  /** The pods that have an address, as the apiserver listed them last. */
  get pods(): readonly LabPod[] {
    return this.#pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((pod) => ({
        name: pod.metadata.name,
        node: pod.spec.nodeName ?? '',
        address: pod.status?.podIP ?? '',
        ready: isReady(pod),
      }))
      .filter(({ address }) => address !== '');
  }

  start(): void {
    this.#done = this.#run();
  }

  /** A silent node's kubelet does nothing: its machine is dead. */
  setSilent(node: string, silent: boolean): void {
    if (silent) this.#silent.add(node);
    else this.#silent.delete(node);
    this.#watching?.abort();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#watching?.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { client, clock } = this.#options;
    while (!this.#stopped.signal.aborted) {
      try {
        const list = await client.request<PodList>({ path: '/api/v1/pods', timeoutMs });
        this.#pods = list.items;
        this.#reconcile(list.items);
        await this.#waitForChange(list.metadata.resourceVersion);
      } catch {
        // The apiserver is away: running pods go on.
        if (!this.#stopped.signal.aborted) await sleep(clock, retryMs);
      }
    }
  }

  async #waitForChange(resourceVersion: string): Promise<void> {
    const watching = new AbortController();
    this.#watching = watching;
    const query = { watch: true, resourceVersion, timeoutSeconds: watchSeconds };
    try {
      const stream = await this.#options.client.stream({
        path: '/api/v1/pods',
        query,
        timeoutMs,
        signal: watching.signal,
      });
      try {
        for await (const line of stream.lines) if (line !== '') break;
      } finally {
        stream.close();
      }
    } catch (error) {
      if (!watching.signal.aborted) throw error;
    } finally {
      this.#watching = undefined;
    }
  }

  #reconcile(pods: readonly ApiPod[]): void {
    for (const pod of pods) {
      const node = this.#nodeOf(pod);
      if (node !== undefined) this.#workOn(pod.metadata.uid, () => this.#reconcilePod(pod, node));
    }
    const known = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const [uid, local] of this.#local)
      if (!known.has(uid) && !this.#silent.has(local.placed.node)) this.#workOn(uid, () => this.#endPod(uid, local));
  }

  #nodeOf(pod: ApiPod): Server | undefined {
    const node = this.#options.nodes.find(({ name }) => name === pod.spec.nodeName);
    return node === undefined || this.#silent.has(node.name) ? undefined : node;
  }

  /** Does one piece of work at a time for a pod; one that fails is tried again in the next round. */
  #workOn(uid: string, work: () => Promise<void>): void {
    if (this.#busy.has(uid)) {
      this.#busy.set(uid, true);
      return;
    }
    this.#busy.set(uid, false);
    void work()
      .catch(async (error: unknown) => {
        if (this.#stopped.signal.aborted) return;
        this.#options.warn(messageOf(error));
        await sleep(this.#options.clock, retryMs);
        this.#busy.set(uid, true);
      })
      .finally(() => {
        const again = this.#busy.get(uid) === true;
        this.#busy.delete(uid);
        if (again) this.#watching?.abort();
      });
  }

  async #reconcilePod(pod: ApiPod, node: Server): Promise<void> {
    const { uid, name, namespace, deletionTimestamp } = pod.metadata;
    const local = this.#local.get(uid);
    if (deletionTimestamp !== undefined) {
      if (local !== undefined) {
        await sleep(this.#options.clock, preStopMs(pod));
        await this.#endPod(uid, local);
      }
      const body = { gracePeriodSeconds: 0, preconditions: { uid } };
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
      await this.#options.client.request({ method: 'DELETE', path, body, timeoutMs }).catch(rethrowUnlessMissing);
      return;
    }
    const running = local ?? (await this.#startPod(pod, node));
    if (!isReady(pod) || pod.status?.podIP !== running.placed.address)
      await this.#writeStatus(pod, node, running.placed);
  }

  async #startPod(pod: ApiPod, node: Server): Promise<Local> {
    const { uid, name, namespace } = pod.metadata;
    const address = await this.#options.addresses.assign({ namespace, pod: name, node: node.name });
    const placed = { name, node: node.name, address };
    try {
      await this.#options.host.start(placed);
    } catch (error) {
      await this.#options.host.stop(placed).catch(() => undefined);
      throw error;
    }
    const local: Local = { namespace, placed, state: 'running' };
    this.#local.set(uid, local);
    return local;
  }

  async #endPod(uid: string, local: Local): Promise<void> {
    if (local.state === 'running') {
      local.state = 'ending';
      await this.#options.host.stop(local.placed);
    }
    await this.#options.addresses.release({ namespace: local.namespace, pod: local.placed.name });
    this.#local.delete(uid);
  }

  async #writeStatus(pod: ApiPod, node: Server, { address }: PlacedPod): Promise<void> {
    const { name, namespace } = pod.metadata;
    const status = statusOf(pod, {
      address,
      hostAddress: node.address,
      nowMs: this.#options.clock.now(),
    });
    await this.#options.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/pods/${name}/status`,
      contentType: 'application/strategic-merge-patch+json',
      body: { status },
      timeoutMs,
    });
  }
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly ApiPod[];
}

function rethrowUnlessMissing(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 404) throw error;
}
