import { ownFile, publicFile, publicFolder } from '../access.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { jsonText } from '../text.ts';

/** How pods get interfaces and addresses. Routes to their blocks are the network agent's. */
export function cni(server: ServerContext): Component {
  return 'calico' in server.fleet.ipam ? calico(server) : staticPrefix(server);
}

function calico(server: ServerContext): Component {
  const config = '/etc/cni/net.d/10-calico.conflist';
  return {
    name: 'cni',
    artifacts: ['calico-cni', 'cni-plugins'],
    directories: { '/etc/cni/net.d': publicFolder, '/opt/cni': publicFolder },
    files: {
      [config]: { ...publicFile, text: jsonText(conflist([calicoPlugin(server), portmap])) },
      '/etc/cni/calico.json': { ...ownFile('root'), text: kubeconfig(server.apiUrl, '/etc/cni/pki') },
    },
    units: {},
  };
}

const conflist = (plugins: readonly object[]) => ({ cniVersion: '0.3.1', name: 'pods', plugins });
const portmap = { type: 'portmap', snat: true, capabilities: { portMappings: true } };

function calicoPlugin({ id, class: { network }, fleet }: ServerContext) {
  const has = (family: 4 | 6) => String(fleet.network.pods.some((prefix) => prefix.family === family));
  return {
    type: 'calico',
    log_level: 'warning',
    log_file_path: '/var/log/calico-cni.log',
    datastore_type: 'kubernetes',
    nodename: id,
    nodename_file_optional: true,
    mtu: network.mtu,
    ipam: { type: 'calico-ipam', assign_ipv4: has(4), assign_ipv6: has(6) },
    policy: { type: 'k8s' },
    kubernetes: { kubeconfig: '/etc/cni/calico.json' },
  };
}

/** The prefix of a worker is known when its Node has one; containerd then writes the configuration from the template. */
function staticPrefix(server: ServerContext): Component {
  return {
    name: 'cni',
    artifacts: ['cni-plugins'],
    directories: { '/etc/cni': publicFolder, '/etc/cni/net.d': publicFolder, '/opt/cni': publicFolder },
    files: { '/etc/containerd/cni.template': { ...publicFile, text: template(server.class.network.mtu) } },
    units: {},
  };
}

const template = (mtu: number) => `{
  "cniVersion": "0.3.1",
  "name": "pods",
  "plugins": [
    {
      "type": "ptp",
      "mtu": ${mtu},
      "ipMasq": false,
      "ipam": {
        "type": "host-local",
        "ranges": [{{range $index, $range := .PodCIDRRanges}}{{if $index}}, {{end}}[{ "subnet": "{{$range}}" }]{{end}}],
        "routes": [{{range $index, $route := .Routes}}{{if $index}}, {{end}}{ "dst": "{{$route}}" }{{end}}]
      }
    },
    { "type": "portmap", "snat": true, "capabilities": { "portMappings": true } }
  ]
}
`;
