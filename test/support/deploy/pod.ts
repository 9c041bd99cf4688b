import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Machine } from '../systemd/machine.ts';

/** The fields of a Pod's template that are used. */
export interface PodSpec {
  readonly containers: readonly [
    {
      readonly command: readonly string[];
      readonly args: readonly string[];
      readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
      readonly securityContext: {
        readonly runAsUser: number;
        readonly capabilities: { readonly add: readonly string[] };
      };
      readonly volumeMounts: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly readOnly?: boolean;
      }[];
    },
  ];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: object;
    readonly hostPath?: { readonly path: string; readonly type?: string };
    readonly emptyDir?: object;
  }[];
}

/** The variables and files that the kubelet adds to a Pod; files by their paths in it. */
export interface KubeletAdditions {
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

const tokens = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Turns a Pod's only container into a systemd unit of a server: its command, user, capabilities, read-only root and volumes, and
 * what the kubelet and the container runtime would add. The server's own files take the place of its image.
 */
export async function podAsUnit(machine: Machine, pod: PodSpec, additions: KubeletAdditions): Promise<string> {
  const [container] = pod.containers;
  const { capabilities, runAsUser } = container.securityContext;
  const env = { ...Object.fromEntries(container.env.map(({ name, value = '' }) => [name, value])), ...additions.env };
  for (const [path, content] of Object.entries(additions.files)) {
    const file = join(machine.shared, 'pod', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  const made: string[] = [];
  const mounts = container.volumeMounts.map(({ name, mountPath, readOnly = false }) => {
    const volume = pod.volumes.find((one) => one.name === name);
    if (volume?.emptyDir !== undefined) return `TemporaryFileSystem=${mountPath}`;
    if (volume?.hostPath !== undefined && !readOnly) {
      const { path, type } = volume.hostPath;
      if (type === 'DirectoryOrCreate') made.push(`ExecStartPre=+/bin/mkdir -p ${path}`);
      // The kubelet makes the folder before the container has its mounts; a unit has them before its first command.
      return `BindPaths=-${path}:${mountPath}`;
    }
    return `BindReadOnlyPaths=${volume?.hostPath?.path ?? `/mnt/pod${mountPath}`}:${mountPath}`;
  });
  const words = [...container.command, ...container.args].map((word) =>
    word.replaceAll(/\$\((\w+)\)/g, (_, name: string) => env[name] ?? ''),
  );
  const granted = capabilities.add.map((name) => `CAP_${name}`).join(' ');
  return `[Service]
Type=exec
User=${runAsUser}
NoNewPrivileges=yes
CapabilityBoundingSet=${granted}
ProtectSystem=strict
ReadOnlyPaths=/run
PrivateTmp=yes
PrivateDevices=yes
SystemCallFilter=@system-service
${Object.entries(env)
  .map(([name, value]) => `Environment=${name}=${value}`)
  .join('\n')}
${mounts.join('\n')}
${made.join('\n')}
BindReadOnlyPaths=/mnt/pod${tokens}:${tokens}
ExecStart=${words.join(' ')}
`;
}
