/** The processes of one control plane, in the order they start. */
export type Component = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

/** The user of a kubeconfig: the common name and organisations of its client certificate. */
export interface Identity {
  readonly user: string;
  readonly groups?: readonly string[];
}

/**
 * One request of the audit log (`audit.k8s.io/v1`), with the fields that are used. Each request is there once: as it ended, or,
 * for a running watch, as it began.
 */
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
  /** RBAC's decision: `allow` or `forbid`. */
  readonly decision: string;
  /** The reason of the decision, e.g. `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`. */
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
  /**
   * Runs kubectl as the administrator, or as the user of a `--kubeconfig FILE` in `args`; resolves with its output, rejects
   * with its error.
   */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /**
   * Asks the apiserver from this process, as the administrator; resolves with the JSON at this path, rejects for any status but
   * 200. A kubectl takes a fifth of a second of a processor: too much for a caller that polls.
   */
  read<T>(path: string): Promise<T>;
  /** Runs `kubectl apply -f -` with these objects (server-side, field manager `tideline-test`). */
  apply(...objects: readonly object[]): Promise<void>;
  /** Writes a kubeconfig with a client certificate of this identity; resolves with its path. */
  kubeconfigFor(
    identity: Identity,
    options?: { readonly validSeconds?: number; readonly server?: string },
  ): Promise<string>;
  /** Writes a kubeconfig with a token of a ServiceAccount (created if missing), valid for at least 600 s; resolves with its path. */
  kubeconfigForServiceAccount(namespace: string, name: string): Promise<string>;
  /** The requests so far that match `filter`, oldest first. */
  audit(filter?: (event: AuditEvent) => boolean): Promise<readonly AuditEvent[]>;
  /** The id of the component's process, while it runs. */
  pid(component: Component): number | undefined;
  signal(component: Component, signal: NodeJS.Signals): void;
  /** Ends the component (SIGTERM, then SIGKILL) and starts it again on the same data; resolves when it is ready. */
  restart(component: Component): Promise<void>;
  end(component: Component): Promise<void>;
  start(component: Component): Promise<void>;
  /**
   * Compacts etcd up to now, so that older resourceVersions answer 410. Restarts the apiserver, which would serve watches from
   * the history in its own cache; while it does not run, only etcd is compacted.
   */
  compact(): Promise<void>;
  /**
   * Makes a new authority for the apiserver and all its clients: the file `authority` and every kubeconfig written so far, the
   * administrator's too, are replaced in place, then the components are restarted. Old certificates are refused, tokens stay
   * good. With `keepKubeconfigs` the kubeconfigs of clients stay as they were, until `rewriteKubeconfigs`.
   */
  rotateAuthority(options?: { readonly keepKubeconfigs?: boolean }): Promise<void>;
  rewriteKubeconfigs(): Promise<void>;
  /** Ends every process, removes the folder. Never rejects. */
  stop(): Promise<void>;
}
