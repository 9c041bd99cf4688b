import type { Network } from '../net/network.ts';
import type { Component } from './control-plane.ts';

/** Flags without their dashes; `false` leaves out one that is set by default. */
export type Flags = Readonly<Record<string, string | number | boolean>>;

export interface ControlPlaneOptions {
  /** Everything lies here; must not exist or be empty, and is removed at the end. */
  readonly folder: string;
  /** Where the apiserver answers: 127.0.1.N in the caller's own namespace, else an address of `namespace`. */
  readonly address: string;
  /** The network and the namespace to live in; default: the caller's own. */
  readonly network?: Network;
  readonly namespace?: string;
  /** Folder of the programs etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl. */
  readonly binaries: string;
  /** More names and addresses that the apiserver is called by, for its certificate. */
  readonly hosts?: readonly string[];
  /** Default 10.96.0.0/16. */
  readonly serviceCidr?: string;
  /** Nodes get a podCIDR out of this range (nodeipam). Default: nobody allocates. */
  readonly clusterCidr?: string;
  /** Default 3600. */
  readonly eventTtlSeconds?: number;
  /** After how long a silent node is NotReady, and how often that is looked at; default as Kubernetes has it (50 s, 5 s). */
  readonly nodeFailure?: { readonly graceSeconds: number; readonly periodSeconds: number };
  /** Flags of single components, stronger than ours: `{ 'kube-apiserver': { 'max-requests-inflight': 5 } }`. */
  readonly flags?: Readonly<Partial<Record<Component, Flags>>>;
  /** Until everything has to be ready; default 120 s, because machines of tests are loaded. */
  readonly readyTimeoutMs?: number;
}
