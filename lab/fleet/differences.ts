import type { Component, DocumentFile, ServerDocument } from '../../src/planes/fleet/compile/document.ts';

/**
 * What a server of the lab cannot do, because it shares the kernel of this machine, whose control groups are of version 1. These
 * differences are all that a document of the lab has beside what `tideline fleet compile` wrote; README.md lists them.
 */
export function asInTheLab(document: ServerDocument): ServerDocument {
  const { system } = document;
  const sysctl = Object.fromEntries(Object.entries(system.sysctl).filter(([name]) => isOfTheServer(name)));
  return {
    ...document,
    system: { ...system, modules: [], sysctl },
    components: document.components.map(changed),
  };
}

/** Parameters of the network are the server's own; others, the bridges' and the size of conntrack's table are the machine's. */
const isOfTheServer = (name: string): boolean => /^net\.(core\.somaxconn|ipv[46]\.)/.test(name);

function changed(component: Component): Component {
  const files = Object.entries(component.files).map(([path, file]): readonly [string, DocumentFile] => {
    const change = changes[path];
    return [path, change === undefined ? file : { ...file, text: change(file.text) }];
  });
  return { ...component, files: Object.fromEntries(files) };
}

const changes: Readonly<Record<string, (text: string) => string>> = {
  '/etc/modules-load.d/tideline.conf': () => '',
  '/etc/sysctl.d/90-tideline.conf': (text) =>
    text
      .split('\n')
      .filter((line) => !line.includes(' = ') || isOfTheServer(line))
      .join('\n'),
  '/etc/containerd/config.toml': (text) =>
    `${text.replace('SystemdCgroup = true', 'SystemdCgroup = false')}
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
`,
  '/etc/kubernetes/kubelet/config.json': (text) =>
    `${JSON.stringify({ ...(JSON.parse(text) as object), ...kubelet }, undefined, 2)}\n`,
};

/** Parameters of the kernel are the machine's, and its disk may be fuller than a server's. */
const kubelet = {
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  protectKernelDefaults: false,
  failSwapOn: false,
  evictionHard: { 'imagefs.available': '1%', 'memory.available': '50Mi', 'nodefs.available': '1%' },
};
