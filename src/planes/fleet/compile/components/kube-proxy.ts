import { ownFile } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { jsonText } from '../text.ts';
import { service } from '../unit.ts';

const own = '/etc/kubernetes/kube-proxy';
const config = `${own}/config.json`;
const client = `${own}/kubeconfig.json`;

/** kube-proxy writes the rules of nftables, and needs no more than CAP_NET_ADMIN for that. */
export function kubeProxy(server: ServerContext): Component {
  const access = ownFile('kube-proxy');
  return {
    name: 'kube-proxy',
    artifacts: ['kube-proxy'],
    directories: {},
    files: {
      [config]: { ...access, text: jsonText(configuration(server)) },
      [client]: { ...access, text: kubeconfig(server.apiUrl, own) },
    },
    units: {
      'kube-proxy.service': {
        text: service({
          description: 'The Services of Kubernetes, in nftables',
          user: 'kube-proxy',
          command: [binaries['kube-proxy'], `--config=${config}`],
          capabilities: ['CAP_NET_ADMIN'],
          families: ['AF_NETLINK'],
          // It reads and sets parameters of the network, as `nf_conntrack_max`.
          lines: ['OOMScoreAdjust=-999', 'ProtectKernelTunables=no', 'ProcSubset=all'],
        }),
        running: true,
        watches: ['kube-proxy', authorityFiles.kubernetes, client, config, `${own}/client.crt`],
        onChange: 'restart',
      },
    },
  };
}

/** Pods are reachable by their own addresses, so nothing is masqueraded for coming from outside of them. */
const configuration = ({ id, fleet }: ServerContext) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  clientConnection: { kubeconfig: client },
  clusterCIDR: clusterPrefixes(fleet.network.pods),
  conntrack: { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: '0s', tcpEstablishedTimeout: '0s' },
  detectLocalMode: 'ClusterCIDR',
  healthzBindAddress: '127.0.0.1:10256',
  hostnameOverride: id,
  metricsBindAddress: '127.0.0.1:10249',
});

/** kube-proxy takes one prefix of each family. */
const clusterPrefixes = (pods: ServerContext['fleet']['network']['pods']) =>
  ([4, 6] as const)
    .flatMap((family) => pods.filter((prefix) => prefix.family === family).slice(0, 1))
    .map(({ text }) => text)
    .join(',');
