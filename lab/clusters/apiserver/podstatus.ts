/** The fields of the apiserver's Pod that a kubelet needs. */
export interface ApiPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly creationTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds?: number } } };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export function isReady(pod: ApiPod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** How long the pod's containers go on serving after its deletion was asked for: their preStop sleep. */
export function preStopMs(pod: ApiPod): number {
  return 1000 * Math.max(0, ...pod.spec.containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
}

/** The status that a kubelet writes for a pod whose containers run. */
export function statusOf(
  pod: ApiPod,
  now: { readonly address: string; readonly hostAddress: string; readonly nowMs: number },
): object {
  const at = new Date(now.nowMs).toISOString();
  const conditions = ['Initialized', 'PodReadyToStartContainers', 'ContainersReady', 'Ready'];
  return {
    phase: 'Running',
    hostIP: now.hostAddress,
    hostIPs: [{ ip: now.hostAddress }],
    podIP: now.address,
    podIPs: [{ ip: now.address }],
    startTime: pod.metadata.creationTimestamp ?? at,
    conditions: conditions.map((type) => ({ type, status: 'True', lastTransitionTime: at, reason: null })),
    containerStatuses: pod.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: at } },
    })),
  };
}
