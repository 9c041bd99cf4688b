import type { KubeClient } from '../../../src/kube/api/client.ts';
import { ApiError } from '../../../src/kube/api/client.ts';
import { type Clock, sleep, type Timer } from '../../../src/runtime/clock.ts';
import type { Server } from '../../world/topology.ts';

const beatMs = 1000;
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/**
 * Does for a node what its kubelet does: registers it, renews its Lease every second, and reports Ready again after the
 * node-lifecycle controller took it for dead. A node that is `silent` reports nothing.
 */
export class NodeHeartbeat {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #node: Server;
  #timer: Timer | undefined;
  #silent = false;
  #stopped = false;

  constructor(options: { readonly client: KubeClient; readonly clock: Clock; readonly node: Server }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#node = options.node;
  }

  /** Resolves when the node is registered; the beats then go on by themselves. Rejects when registration failed for half a minute. */
  async start(): Promise<void> {
    const deadline = this.#clock.monotonic() + registrationMs;
    for (;;) {
      try {
        await this.#beat();
        break;
      } catch (error) {
        if (this.#stopped || this.#clock.monotonic() > deadline) throw error;
        await sleep(this.#clock, beatMs);
      }
    }
    this.#scheduleBeat();
  }

  setSilent(silent: boolean): void {
    this.#silent = silent;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #scheduleBeat(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimeout(() => {
      const beat = this.#silent ? Promise.resolve() : this.#beat();
      // A kubelet does not report that its apiserver is away: the next beat tries again.
      void beat.catch(() => undefined).then(() => this.#scheduleBeat());
    }, beatMs);
  }

  async #beat(): Promise<void> {
    await this.#renew();
    const path = `/api/v1/nodes/${this.#node.name}`;
    const node = await undefinedIfMissing(this.#client.request<NodeStatus>({ path, timeoutMs }));
    if (node === undefined) {
      const body = nodeOf(this.#node, this.#clock.now());
      await this.#client.request({ method: 'POST', path: '/api/v1/nodes', body, timeoutMs });
    } else if (node.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True') {
      const { status } = nodeOf(this.#node, this.#clock.now());
      await this.#client.request({
        method: 'PATCH',
        path: `${path}/status`,
        contentType: 'application/strategic-merge-patch+json',
        body: { status },
        timeoutMs,
      });
    }
  }

  async #renew(): Promise<void> {
    const { name } = this.#node;
    const renewTime = new Date(this.#clock.now()).toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
    const renewed = await undefinedIfMissing(
      this.#client.request({
        method: 'PATCH',
        path: `${leases}/${name}`,
        contentType: 'application/merge-patch+json',
        body: { spec },
        timeoutMs,
      }),
    );
    if (renewed !== undefined) return;
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec };
    await this.#client.request({ method: 'POST', path: leases, body, timeoutMs });
  }
}

/** The limit of one request. A beat that takes longer is as good as none. */
const timeoutMs = 2000;
/** A young apiserver on a busy machine may be slow at first. */
const registrationMs = 30_000;

interface NodeStatus {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Resolves with undefined when the object does not exist. */
async function undefinedIfMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

interface NodeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly status: object;
}

function nodeOf(node: Server, nowMs: number): NodeObject {
  const now = new Date(nowMs).toISOString();
  const condition = (type: string, status: string, reason: string): object => ({
    type,
    status,
    reason,
    message: 'the lab plays the kubelet',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  const resources = { cpu: '4', memory: '8Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: node.name, labels: { 'kubernetes.io/hostname': node.name, 'kubernetes.io/os': 'linux' } },
    status: {
      addresses: [
        { type: 'InternalIP', address: node.address },
        { type: 'Hostname', address: node.name },
      ],
      capacity: resources,
      allocatable: resources,
      conditions: [
        condition('Ready', 'True', 'KubeletReady'),
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
      ],
      nodeInfo: {
        kubeletVersion: 'v0.0.0-lab',
        architecture: 'amd64',
        bootID: '',
        containerRuntimeVersion: 'lab://0',
        kernelVersion: '',
        kubeProxyVersion: '',
        machineID: '',
        operatingSystem: 'linux',
        osImage: 'lab',
        systemUUID: '',
      },
    },
  };
}
