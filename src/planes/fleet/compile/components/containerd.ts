import { minorOf } from '../../../../model/version.ts';
import { publicFile, publicFolder } from '../access.ts';
import { binaries } from '../artifacts.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { service } from '../unit.ts';

const config = '/etc/containerd/config.toml';

export function containerd(server: ServerContext): Component {
  return {
    name: 'containerd',
    artifacts: ['containerd', 'runc'],
    directories: {
      '/etc/containerd': publicFolder,
      '/etc/containerd/certs.d': publicFolder,
      '/etc/containerd/conf.d': publicFolder,
    },
    files: { [config]: { ...publicFile, text: containerdConfig(server) } },
    units: {
      'containerd.service': {
        text: service({
          description: 'containerd',
          type: 'notify',
          command: [`${binaries.containerd}/containerd`, `--config=${config}`],
          // Containers outlive a restart of containerd; their cgroups are its own to make.
          lines: ['KillMode=process', 'Delegate=yes', 'TasksMax=infinity', `Environment=PATH=${path}`],
          sandbox: 'mounts',
        }),
        running: true,
        watches: [
          'containerd',
          'runc',
          config,
          ...(server.class.gpus === undefined ? [] : ['/etc/containerd/conf.d/99-nvidia.toml']),
        ],
        onChange: 'restart',
      },
    },
  };
}

const path = `${binaries.containerd}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/** containerd 2 has the third form of its configuration, containerd 1 the second. */
function containerdConfig(server: ServerContext): string {
  const { containerd: version } = server.fleet.versions;
  const template = 'static' in server.fleet.ipam ? '\n  conf_template = "/etc/containerd/cni.template"' : '';
  const two = Number(version.split('.')[0]) >= 2;
  const runtime = two ? 'io.containerd.cri.v1.runtime' : 'io.containerd.grpc.v1.cri';
  return `version = ${two ? 3 : 2}
imports = ["/etc/containerd/conf.d/*.toml"]

[plugins."${runtime}".containerd]
  default_runtime_name = "runc"

[plugins."${runtime}".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."${runtime}".containerd.runtimes.runc.options]
  SystemdCgroup = true

[plugins."${runtime}".cni]
  ${two && minorOf(version) >= 1 ? 'bin_dirs = ["/opt/cni/bin"]' : 'bin_dir = "/opt/cni/bin"'}
  conf_dir = "/etc/cni/net.d"${template}

[plugins."${two ? 'io.containerd.cri.v1.images' : 'io.containerd.grpc.v1.cri'}".registry]
  config_path = "/etc/containerd/certs.d"
`;
}
