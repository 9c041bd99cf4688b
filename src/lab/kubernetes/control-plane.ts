/** The processes of one control plane, in the order they start. */
export type Component = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

/** Who a kubeconfig speaks as: a client certificate's common name and organisations. */
export interface Identity {
  readonly user: string;
  readonly groups?: readonly string[];
}

/** One request of the audit log, as the apiserver wrote it (`audit.k8s.io/v1`, stage ResponseComplete), only what is used. */
export interface AuditEvent {
  readonly user: string;
  readonly groups: readonly string[];
  readonly verb: string;
  readonly uri: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  /** What RBAC decided: `allow` or `forbid`. */
  readonly decision: string;
  /** Why, e.g. `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`. */
  readonly decisionReason: string;
}

/** A running control plane. */
export interface ControlPlane {
  /** `https://address:6443`. */
  readonly url: string;
  /** Kubeconfig of the administrator (group system:masters). */
  readonly kubeconfig: string;
  /** The authority that signed every certificate, a PEM file. */
  readonly authority: string;
  readonly folder: string;
  /** Runs kubectl as the administrator and resolves with its output; rejects with what it said. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** `kubectl apply -f -` of objects (server-side, field manager `tideline-test` unless told). */
  apply(...objects: readonly object[]): Promise<void>;
  /** Writes a kubeconfig with a client certificate of this identity; resolves with its path. */
  kubeconfigFor(
    identity: Identity,
    options?: { readonly validSeconds?: number; readonly server?: string },
  ): Promise<string>;
  /** A kubeconfig that speaks with a token of a ServiceAccount (created if missing), valid for at least 600 s. */
  kubeconfigForServiceAccount(namespace: string, name: string): Promise<string>;
  /** Requests so far, oldest first. */
  audit(filter?: (event: AuditEvent) => boolean): Promise<readonly AuditEvent[]>;
  signal(component: Component, signal: NodeJS.Signals): void;
  /** Ends it (SIGTERM, then SIGKILL) and starts it again on the same data; resolves when ready. */
  restart(component: Component): Promise<void>;
  end(component: Component): Promise<void>;
  start(component: Component): Promise<void>;
  /** Compacts etcd up to now, so that older resourceVersions answer 410. */
  compact(): Promise<void>;
  /** Ends every process, removes the folder. Never rejects. */
  stop(): Promise<void>;
}
