import type { Prefix } from '../../../../model/address.ts';
import { ownFile } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { tlsCiphers } from '../tls.ts';
import { service } from '../unit.ts';

const own = '/etc/kubernetes/kube-controller-manager';

/** It and the scheduler ask the API server of their own machine: through the VIP they could meet an older one during an upgrade. */
export function kubeControllerManager(server: ServerContext): Component {
  const config = `${own}/kubeconfig.json`;
  return {
    name: 'kube-controller-manager',
    artifacts: ['kube-controller-manager'],
    directories: {},
    files: {
      [config]: {
        ...ownFile('kube-controller-manager'),
        text: kubeconfig(`https://127.0.0.1:${server.fleet.api.port}`, own),
      },
    },
    units: {
      'kube-controller-manager.service': {
        text: service({
          description: 'The controllers of Kubernetes',
          user: 'kube-controller-manager',
          after: ['kube-apiserver.service'],
          command: [binaries['kube-controller-manager'], ...controllerManagerFlags(server, config)],
        }),
        running: true,
        watches: [
          'kube-controller-manager',
          authorityFiles.kubernetes,
          authorityFiles['front-proxy'],
          config,
          `${own}/client.crt`,
          `${own}/service-accounts.key`,
        ],
        onChange: 'restart',
      },
    },
  };
}

export function controllerManagerFlags({ cluster, fleet }: ServerContext, config: string): readonly string[] {
  return [
    `--kubeconfig=${config}`,
    `--authentication-kubeconfig=${config}`,
    `--authorization-kubeconfig=${config}`,
    '--bind-address=127.0.0.1',
    `--tls-cert-file=${own}/serving.crt`,
    `--tls-private-key-file=${own}/serving.key`,
    '--tls-min-version=VersionTLS12',
    `--tls-cipher-suites=${tlsCiphers.join(',')}`,
    `--client-ca-file=${authorityFiles.kubernetes}`,
    `--requestheader-client-ca-file=${authorityFiles['front-proxy']}`,
    '--requestheader-allowed-names=front-proxy-client',
    `--root-ca-file=${authorityFiles.kubernetes}`,
    `--service-account-private-key-file=${own}/service-accounts.key`,
    '--use-service-account-credentials=true',
    '--terminated-pod-gc-threshold=1000',
    '--profiling=false',
    '--leader-elect=true',
    `--cluster-name=${cluster}`,
    ...('static' in fleet.ipam ? nodePrefixes(fleet, fleet.ipam.static) : ['--allocate-node-cidrs=false']),
  ];
}

/** One prefix of each family. The controller-manager refuses a length by family where there is one family. */
function nodePrefixes(
  fleet: ServerContext['fleet'],
  { ipv4Length, ipv6Length }: { readonly ipv4Length: number; readonly ipv6Length: number },
): readonly string[] {
  const { pods, services } = fleet.network;
  const families = ([4, 6] as const).flatMap((family) => pods.filter((prefix) => prefix.family === family).slice(0, 1));
  return [
    '--allocate-node-cidrs=true',
    `--cluster-cidr=${texts(families)}`,
    `--service-cluster-ip-range=${texts(services)}`,
    ...(families.length === 2
      ? [`--node-cidr-mask-size-ipv4=${ipv4Length}`, `--node-cidr-mask-size-ipv6=${ipv6Length}`]
      : [`--node-cidr-mask-size=${families[0]?.family === 6 ? ipv6Length : ipv4Length}`]),
  ];
}

const texts = (prefixes: readonly Prefix[]) => prefixes.map(({ text }) => text).join(',');
