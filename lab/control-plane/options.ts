import type { Network } from '../net/network.ts';
import type { Component } from './control-plane.ts';

/** Flags by name without dashes; `false` leaves out a flag that is set by default. */
export type Flags = Readonly<Record<string, string | number | boolean>>;

export interface ControlPlaneOptions {
  /** The folder of all its files; it must be empty or absent, and is removed at the end. */
  readonly folder: string;
  /** The apiserver's address: 127.0.1.N in the caller's own namespace, else an address of `namespace`. */
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
  /** How long the start may take until everything is ready; default 120 s, because machines of tests are loaded. */
  readonly readyTimeoutMs?: number;
}
