import { publicFile } from '../access.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { jsonText } from '../text.ts';

/**
 * What a server with NVIDIA GPUs has besides. A pod gets a GPU by the RuntimeClass `nvidia`; no other pod sees one. Driver and toolkit are packages
 * of the machine (`system.ts`). What the ServerClass says stands in a file, with which `tideline_gpu.check` and `tools/gpu/verify.sh` compare what is there.
 */
export function gpu(server: ServerContext): Component {
  const { product, count, driver } = server.class.gpus ?? {};
  const two = Number(server.fleet.versions.containerd.split('.')[0]) >= 2;
  const runtime = two ? 'io.containerd.cri.v1.runtime' : 'io.containerd.grpc.v1.cri';
  return {
    name: 'gpu',
    artifacts: [],
    directories: {},
    files: {
      '/etc/tideline-gpus.json': { ...publicFile, text: jsonText({ product, count, driver }) },
      '/etc/modprobe.d/tideline-gpu.conf': { ...publicFile, text: 'blacklist nouveau\noptions nouveau modeset=0\n' },
      '/etc/containerd/conf.d/99-nvidia.toml': { ...publicFile, text: dropIn(runtime, two ? 3 : 2) },
    },
    units: {},
  };
}

const dropIn = (runtime: string, version: number) => `version = ${version}

[plugins."${runtime}".containerd.runtimes.nvidia]
  runtime_type = "io.containerd.runc.v2"

[plugins."${runtime}".containerd.runtimes.nvidia.options]
  BinaryName = "/usr/bin/nvidia-container-runtime"
  SystemdCgroup = true
`;
