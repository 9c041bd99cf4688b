import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Machine } from '../systemd/machine.ts';

/** What is used of the template of a Pod. */
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
    readonly hostPath?: { readonly path: string };
    readonly emptyDir?: object;
  }[];
}

/** What the kubelet brings: the variables and files of a Pod, by their paths in it. */
export interface Brought {
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

const tokens = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * A Pod's only container as a unit of a server: its command, user, capabilities, read-only root and volumes, with what the
 * kubelet and the container runtime would add. Its image is the server's own files.
 */
export async function podAsUnit(machine: Machine, pod: PodSpec, brought: Brought): Promise<string> {
  const [container] = pod.containers;
  const { capabilities, runAsUser } = container.securityContext;
  const env = { ...Object.fromEntries(container.env.map(({ name, value = '' }) => [name, value])), ...brought.env };
  for (const [path, content] of Object.entries(brought.files)) {
    const file = join(machine.shared, 'pod', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  const mounts = container.volumeMounts.map(({ name, mountPath }) => {
    const volume = pod.volumes.find((one) => one.name === name);
    if (volume?.emptyDir !== undefined) return `TemporaryFileSystem=${mountPath}`;
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
BindReadOnlyPaths=/mnt/pod${tokens}:${tokens}
ExecStart=${words.join(' ')}
`;
}
