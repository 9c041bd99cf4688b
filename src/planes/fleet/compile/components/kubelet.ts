import { addressAt } from '../../../../model/address.ts';
import { ownFile } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { jsonText } from '../text.ts';
import { tlsCiphers } from '../tls.ts';
import { service } from '../unit.ts';

const own = '/etc/kubernetes/kubelet';
const config = `${own}/config.json`;
const client = `${own}/kubeconfig.json`;

/** The kubelet mounts the volumes of pods and speaks for the node: it is root, without a sandbox of mounts. */
export function kubelet(server: ServerContext): Component {
  const file = (text: string) => ({ ...ownFile('root'), text });
  return {
    name: 'kubelet',
    artifacts: ['kubelet'],
    directories: {
      '/var/lib/kubelet': { user: 'root', group: 'root', mode: '0750' },
    },
    files: { [config]: file(jsonText(configuration(server))), [client]: file(kubeconfig(server.apiUrl, own)) },
    units: {
      'kubelet.service': {
        text: service({
          description: 'The kubelet of Kubernetes',
          after: ['containerd.service'],
          command: [binaries.kubelet, ...kubeletFlags(server)],
          stopSeconds: 60,
          lines: ['KillMode=process'],
          sandbox: 'mounts',
        }),
        running: true,
        watches: ['kubelet', authorityFiles.kubernetes, client, config, `${own}/client.crt`, `${own}/serving.crt`],
        onChange: 'restart',
      },
    },
  };
}

/** What has no field in the configuration. The address is given always: the server may carry VIPs on its loopback interface. */
export function kubeletFlags(server: ServerContext): readonly string[] {
  const labels = Object.entries(nodeLabels(server)).map(([name, value]) => `${name}=${value}`);
  return [
    `--config=${config}`,
    `--kubeconfig=${client}`,
    `--node-ip=${server.server.addresses.map(({ text }) => text).join(',')}`,
    `--node-labels=${labels.join(',')}`,
  ];
}

function nodeLabels({ server, class: { gpus } }: ServerContext): Readonly<Record<string, string>> {
  return {
    ...(gpus === undefined
      ? {}
      : {
          'nvidia.com/gpu.count': String(gpus.count),
          'nvidia.com/gpu.present': 'true',
          'nvidia.com/gpu.product': gpus.product.replaceAll(/[^-A-Za-z0-9_.]+/g, '-'),
        }),
    'tideline.dev/rack': server.rack,
    'tideline.dev/server-class': server.class,
    'topology.kubernetes.io/region': server.site,
    'topology.kubernetes.io/zone': `${server.site}.${server.rack}`,
  };
}

function configuration({ fleet, class: { maxPods, reserved, gpus } }: ServerContext) {
  const dns = fleet.network.services.map((prefix) => addressAt(prefix, 10)?.text);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: authorityFiles.kubernetes },
    },
    authorization: { mode: 'Webhook' },
    readOnlyPort: 0,
    tlsCertFile: `${own}/serving.crt`,
    tlsPrivateKeyFile: `${own}/serving.key`,
    tlsMinVersion: 'VersionTLS12',
    tlsCipherSuites: tlsCiphers,
    cgroupDriver: 'systemd',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    clusterDNS: dns.filter((address) => address !== undefined),
    clusterDomain: fleet.network.domain,
    protectKernelDefaults: true,
    makeIPTablesUtilChains: true,
    streamingConnectionIdleTimeout: '5m0s',
    eventRecordQPS: 50,
    podPidsLimit: 4096,
    seccompDefault: true,
    serializeImagePulls: false,
    maxParallelImagePulls: 4,
    maxPods,
    systemReserved: { cpu: `${reserved.cpuMillis}m`, memory: `${reserved.memoryMiB}Mi` },
    evictionHard: {
      'imagefs.available': '10%',
      'memory.available': '200Mi',
      'nodefs.available': '10%',
      'nodefs.inodesFree': '5%',
    },
    shutdownGracePeriod: '60s',
    shutdownGracePeriodCriticalPods: '20s',
    ...(gpus === undefined
      ? {}
      : { registerWithTaints: [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }] }),
  };
}
