import { isIPv4 } from 'node:net';
import type { Component } from './control-plane.ts';
import type { ControlPlaneOptions, Flags } from './options.ts';
import { certificateOf, keyOf, type PkiFiles } from './pki/pki.ts';
import { ports } from './ports.ts';

export interface Layout {
  readonly pki: PkiFiles;
  /** The address on which etcd, controller-manager and scheduler listen. */
  readonly innerAddress: string;
  readonly etcdData: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly authenticationConfig: string;
  readonly kubeconfigs: { readonly controllerManager: string; readonly scheduler: string };
}

/** The arguments of a component; the caller's flags replace our defaults. */
export function argumentsOf(component: Component, options: ControlPlaneOptions, layout: Layout): readonly string[] {
  const flags: Flags = { ...defaults[component](options, layout), ...options.flags?.[component] };
  return Object.entries(flags)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => `--${name}=${value}`);
}

const defaults: Readonly<Record<Component, (options: ControlPlaneOptions, layout: Layout) => Flags>> = {
  etcd,
  'kube-apiserver': apiserver,
  'kube-controller-manager': controllerManager,
  'kube-scheduler': scheduler,
};

function etcd(_: ControlPlaneOptions, { pki, innerAddress, etcdData }: Layout): Flags {
  const clients = `https://${innerAddress}:${ports.etcd}`;
  const peers = `https://${innerAddress}:${ports.etcdPeers}`;
  return {
    name: 'only',
    'data-dir': etcdData,
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `only=${peers}`,
    'cert-file': certificateOf(pki.etcd),
    'key-file': keyOf(pki.etcd),
    'trusted-ca-file': certificateOf(pki.etcdAuthority),
    'client-cert-auth': true,
    'peer-cert-file': certificateOf(pki.etcd),
    'peer-key-file': keyOf(pki.etcd),
    'peer-trusted-ca-file': certificateOf(pki.etcdAuthority),
    'peer-client-cert-auth': true,
    // The data has to survive the process only, not the machine.
    'unsafe-no-fsync': true,
    // A single member gains nothing by waiting for its election.
    'heartbeat-interval': 25,
    'election-timeout': 250,
    'quota-backend-bytes': 4 * 2 ** 30,
    'log-level': 'warn',
  };
}

function apiserver(options: ControlPlaneOptions, layout: Layout): Flags {
  const { pki } = layout;
  return {
    'etcd-servers': `https://${layout.innerAddress}:${ports.etcd}`,
    'etcd-cafile': certificateOf(pki.etcdAuthority),
    'etcd-certfile': certificateOf(pki.etcdClient),
    'etcd-keyfile': keyOf(pki.etcdClient),
    'bind-address': options.address,
    'secure-port': ports.apiserver,
    ...advertiseFlags(options.address),
    'tls-cert-file': certificateOf(pki.apiserver),
    'tls-private-key-file': keyOf(pki.apiserver),
    'client-ca-file': certificateOf(pki.authority),
    'kubelet-client-certificate': certificateOf(pki.kubeletClient),
    'kubelet-client-key': keyOf(pki.kubeletClient),
    'kubelet-certificate-authority': certificateOf(pki.authority),
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': `${pki.serviceAccount}.pub`,
    'service-account-signing-key-file': keyOf(pki.serviceAccount),
    'service-cluster-ip-range': serviceCidrOf(options),
    'authorization-mode': 'Node,RBAC',
    'authentication-config': layout.authenticationConfig,
    'enable-admission-plugins': 'NodeRestriction',
    'requestheader-client-ca-file': certificateOf(pki.frontProxyAuthority),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': certificateOf(pki.frontProxyClient),
    'proxy-client-key-file': keyOf(pki.frontProxyClient),
    // Nobody plays kube-proxy: an aggregated API is called by its endpoints.
    'enable-aggregator-routing': true,
    'audit-policy-file': layout.auditPolicy,
    'audit-log-path': layout.auditLog,
    'audit-log-maxsize': 4096,
    'event-ttl': `${options.eventTtlSeconds ?? 3600}s`,
    'allow-privileged': true,
    profiling: 'false',
  };
}

/** Kubernetes refuses loopback addresses as endpoints: with one, the Service `kubernetes` gets no endpoints. */
function advertiseFlags(address: string): Flags {
  const loopback = isIPv4(address) ? address.startsWith('127.') : address === '::1';
  return loopback
    ? { 'advertise-address': address, 'endpoint-reconciler-type': 'none' }
    : { 'advertise-address': address };
}

function controllerManager(options: ControlPlaneOptions, layout: Layout): Flags {
  const { pki } = layout;
  const { clusterCidr, nodeFailure } = options;
  return {
    kubeconfig: layout.kubeconfigs.controllerManager,
    ...servingFlags(layout, ports.controllerManager),
    'leader-elect': 'false',
    controllers: controllers(clusterCidr !== undefined).join(','),
    'use-service-account-credentials': true,
    'service-account-private-key-file': keyOf(pki.serviceAccount),
    'root-ca-file': certificateOf(pki.authority),
    'service-cluster-ip-range': serviceCidrOf(options),
    ...(clusterCidr === undefined ? {} : { 'allocate-node-cidrs': true, 'cluster-cidr': clusterCidr }),
    ...(nodeFailure === undefined
      ? {}
      : {
          'node-monitor-grace-period': `${nodeFailure.graceSeconds}s`,
          'node-monitor-period': `${nodeFailure.periodSeconds}s`,
        }),
    'kube-api-qps': 500,
    'kube-api-burst': 1000,
    profiling: 'false',
  };
}

function scheduler(_: ControlPlaneOptions, layout: Layout): Flags {
  return {
    kubeconfig: layout.kubeconfigs.scheduler,
    ...servingFlags(layout, ports.scheduler),
    'leader-elect': 'false',
    'kube-api-qps': 500,
    'kube-api-burst': 1000,
    profiling: 'false',
  };
}

/** Gives the component a certificate; without it the component makes one on an RSA key, which takes longer than its whole start. */
function servingFlags({ pki, innerAddress }: Layout, port: number): Flags {
  return {
    'bind-address': innerAddress,
    'secure-port': port,
    'tls-cert-file': certificateOf(pki.component),
    'tls-private-key-file': keyOf(pki.component),
  };
}

function controllers(withNodeIpam: boolean): readonly string[] {
  const useful = [
    'clusterrole-aggregation-controller',
    'cronjob-controller',
    'daemonset-controller',
    'deployment-controller',
    'disruption-controller',
    'endpoints-controller',
    'endpointslice-controller',
    'endpointslice-mirroring-controller',
    'garbage-collector-controller',
    'horizontal-pod-autoscaler-controller',
    'job-controller',
    'namespace-controller',
    'node-lifecycle-controller',
    'pod-garbage-collector-controller',
    'replicaset-controller',
    'resourcequota-controller',
    'root-ca-certificate-publisher-controller',
    'serviceaccount-controller',
    'serviceaccount-token-controller',
    'statefulset-controller',
    'taint-eviction-controller',
    'ttl-after-finished-controller',
  ];
  return withNodeIpam ? [...useful, 'node-ipam-controller'] : useful;
}

export function serviceCidrOf(options: ControlPlaneOptions): string {
  return options.serviceCidr ?? '10.96.0.0/16';
}
