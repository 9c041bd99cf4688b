import type { FleetContext } from '../context.ts';
import type { Manifest } from './manifest.ts';

const gpu = 'nvidia.com/gpu';
const image = 'nvcr.io/nvidia/k8s-device-plugin:v0.17.4';
const labels = { 'app.kubernetes.io/name': 'nvidia-device-plugin' };
const present = { [`${gpu}.present`]: 'true' };
const tolerations = [{ key: gpu, operator: 'Exists', effect: 'NoSchedule' }];

/** Where workers have NVIDIA GPUs: the RuntimeClass by which a pod gets one, and the plugin that tells the kubelet how many there are. */
export function gpuObjects({ servers, platform }: FleetContext): readonly Manifest[] {
  const have = servers.worker.some(({ spec }) => platform.serverClasses.get(spec.class)?.spec.gpus !== undefined);
  return have ? [runtimeClass, devicePlugin] : [];
}

/** A pod of this class goes to a server with GPUs, whose taint keeps all others away. */
const runtimeClass: Manifest = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'nvidia' },
  handler: 'nvidia',
  scheduling: { nodeSelector: present, tolerations },
};

/** It talks to the kubelet of its server and to nobody else. */
const devicePlugin: Manifest = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'nvidia-device-plugin', namespace: 'kube-system', labels },
  spec: {
    selector: { matchLabels: labels },
    updateStrategy: { type: 'RollingUpdate' },
    template: {
      metadata: { labels },
      spec: {
        automountServiceAccountToken: false,
        priorityClassName: 'system-node-critical',
        runtimeClassName: 'nvidia',
        containers: [
          {
            name: 'plugin',
            image,
            env: [
              { name: 'NVIDIA_VISIBLE_DEVICES', value: 'all' },
              { name: 'NVIDIA_DRIVER_CAPABILITIES', value: 'utility' },
            ],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            volumeMounts: [{ name: 'plugins', mountPath: '/var/lib/kubelet/device-plugins' }],
          },
        ],
        volumes: [{ name: 'plugins', hostPath: { path: '/var/lib/kubelet/device-plugins' } }],
      },
    },
  },
};
