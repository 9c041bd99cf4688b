import { ownFile } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { jsonText } from '../text.ts';
import { tlsCiphers } from '../tls.ts';
import { service } from '../unit.ts';

const own = '/etc/kubernetes/kube-scheduler';

export function kubeScheduler(server: ServerContext): Component {
  const client = `${own}/kubeconfig.json`;
  const config = `${own}/config.json`;
  const access = ownFile('kube-scheduler');
  return {
    name: 'kube-scheduler',
    artifacts: ['kube-scheduler'],
    directories: {},
    files: {
      [client]: { ...access, text: kubeconfig(`https://127.0.0.1:${server.fleet.api.port}`, own) },
      [config]: { ...access, text: jsonText(configuration(client)) },
    },
    units: {
      'kube-scheduler.service': {
        text: service({
          description: 'The scheduler of Kubernetes',
          user: 'kube-scheduler',
          after: ['kube-apiserver.service'],
          command: [
            binaries['kube-scheduler'],
            `--config=${config}`,
            `--authentication-kubeconfig=${client}`,
            `--authorization-kubeconfig=${client}`,
            '--bind-address=127.0.0.1',
            `--tls-cert-file=${own}/serving.crt`,
            `--tls-private-key-file=${own}/serving.key`,
            '--tls-min-version=VersionTLS12',
            `--tls-cipher-suites=${tlsCiphers.join(',')}`,
            `--client-ca-file=${authorityFiles.kubernetes}`,
          ],
        }),
        running: true,
        watches: ['kube-scheduler', authorityFiles.kubernetes, client, config, `${own}/client.crt`],
        onChange: 'restart',
      },
    },
  };
}

const configuration = (client: string) => ({
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  clientConnection: { kubeconfig: client },
  enableProfiling: false,
  leaderElection: { leaderElect: true },
});
