import { ownFile } from '../access.ts';
import { authorityFiles } from '../certificates.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { service } from '../unit.ts';

const client = '/etc/calico/felix.json';
const pki = '/etc/calico/pki';
const program = '/usr/local/bin/calico-felix';

/** Calico's Felix keeps NetworkPolicies in nftables, beside kube-proxy's table. Routes to pods are made by the plugin and announced by us. */
export function felix(server: ServerContext): Component {
  return {
    name: 'felix',
    artifacts: ['calico-felix'],
    directories: {},
    files: { [client]: { ...ownFile('root'), text: kubeconfig(server.apiUrl, pki) } },
    units: {
      'calico-felix.service': {
        text: service({
          description: 'The NetworkPolicies of Kubernetes, in nftables',
          command: [program],
          capabilities: ['CAP_NET_ADMIN', 'CAP_NET_RAW'],
          families: ['AF_NETLINK'],
          // It sets parameters of the interfaces of pods, and says in /run/calico which of them are ready.
          lines: [
            ...environment(server),
            'RuntimeDirectory=calico',
            'RuntimeDirectoryPreserve=yes',
            'OOMScoreAdjust=-999',
            'ProtectKernelTunables=no',
            'ProcSubset=all',
          ],
        }),
        running: true,
        watches: ['calico-felix', authorityFiles.kubernetes, client, `${pki}/client.crt`],
        onChange: 'restart',
      },
    },
  };
}

/** Everything that a FelixConfiguration could turn on and that would touch routes, tunnels or BPF programs stays off: this text has the last word. */
function environment({ id, fleet }: ServerContext): readonly string[] {
  const settings = {
    DatastoreType: 'kubernetes',
    FelixHostname: id,
    NFTablesMode: 'Enabled',
    BPFEnabled: 'false',
    IpInIpEnabled: 'false',
    VXLANEnabled: 'false',
    WireguardEnabled: 'false',
    XDPEnabled: 'false',
    // Without a look for BPF programs of another Felix, which a build without libbpf cannot take.
    DebugSkipCTLBCleanup: 'true',
    IPv6Support: String(fleet.network.pods.some(({ family }) => family === 6)),
    // What a pod may ask of its own server is for the server's firewall to say.
    DefaultEndpointToHostAction: 'ACCEPT',
    HealthEnabled: 'true',
    HealthHost: '127.0.0.1',
    UsageReportingEnabled: 'false',
    LogFilePath: 'none',
    LogSeveritySys: 'none',
    LogSeverityScreen: 'WARNING',
  };
  return [
    `Environment=KUBECONFIG=${client}`,
    ...Object.entries(settings).map(([name, value]) => `Environment=FELIX_${name}=${value}`),
  ];
}
