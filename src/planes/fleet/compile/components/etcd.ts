import { ownFile, ownFolder, publicFolder } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import { etcdUrls, hostOf, type ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { tlsCiphers } from '../tls.ts';
import { service } from '../unit.ts';
import { corruptionChecks } from '../versions.ts';
import { backups, snapshots } from './etcd-snapshots.ts';

const pki = '/etc/etcd/pki';
const data = '/var/lib/etcd';

/**
 * A member of etcd. Who the members are stands in `cluster.env`, which etcd reads at its first start only: so no member restarts
 * because another one came or went. A server that joins later gets `/run/tideline/etcd-join.env` from whoever adds it, with
 * `ETCD_INITIAL_CLUSTER_STATE=existing`; it overrides the file.
 */
export function etcd(server: ServerContext): Component {
  const flags = etcdFlags(server);
  const text = service({
    description: 'etcd of the Kubernetes API',
    type: 'notify',
    user: 'etcd',
    command: [binaries.etcd, ...flags],
    environmentFiles: ['/etc/etcd/cluster.env', '-/run/tideline/etcd-join.env'],
    writes: [data],
    stopSeconds: 30,
    lines: ['OOMScoreAdjust=-999', 'Nice=-10', 'IOSchedulingClass=best-effort', 'IOSchedulingPriority=0'],
  });
  const taken = snapshots(server);
  return {
    name: 'etcd',
    artifacts: ['etcd', 'etcdctl', 'etcdutl'],
    directories: {
      '/usr/local/lib/tideline': publicFolder,
      [data]: ownFolder('etcd'),
      [backups]: ownFolder('etcd'),
      ...taken.directories,
    },
    files: {
      '/etc/etcd/cluster.env': { ...ownFile('etcd'), text: clusterEnvironment(server) },
      ...taken.files,
    },
    units: {
      'etcd.service': {
        text,
        running: true,
        watches: ['etcd', authorityFiles.etcd, `${pki}/peer.crt`, `${pki}/server.crt`],
        onChange: 'orchestrated',
      },
      ...taken.units,
    },
  };
}

export function etcdFlags(server: ServerContext): readonly string[] {
  const { etcd: settings, versions } = server.fleet;
  const own = hostOf(server.address);
  return [
    `--name=${server.id}`,
    `--data-dir=${data}`,
    `--listen-client-urls=https://${own}:2379,https://127.0.0.1:2379`,
    `--advertise-client-urls=https://${own}:2379`,
    `--listen-peer-urls=https://${own}:2380`,
    `--initial-advertise-peer-urls=https://${own}:2380`,
    '--listen-metrics-urls=http://127.0.0.1:2381',
    '--client-cert-auth=true',
    `--trusted-ca-file=${authorityFiles.etcd}`,
    `--cert-file=${pki}/server.crt`,
    `--key-file=${pki}/server.key`,
    '--peer-client-cert-auth=true',
    `--peer-trusted-ca-file=${authorityFiles.etcd}`,
    `--peer-cert-file=${pki}/peer.crt`,
    `--peer-key-file=${pki}/peer.key`,
    '--tls-min-version=TLS1.2',
    `--cipher-suites=${tlsCiphers.join(',')}`,
    `--heartbeat-interval=${settings.heartbeatMs}`,
    `--election-timeout=${settings.heartbeatMs * 10}`,
    `--quota-backend-bytes=${settings.quotaGiB * 2 ** 30}`,
    // The API server compacts every five minutes by itself.
    '--auto-compaction-retention=0',
    '--snapshot-count=10000',
    '--strict-reconfig-check=true',
    ...corruptionChecks(versions.etcd),
  ];
}

function clusterEnvironment(server: ServerContext): string {
  const members = etcdUrls(server, 2380).map(([name, url]) => `${name}=${url}`);
  return `ETCD_INITIAL_CLUSTER=${members.join(',')}
ETCD_INITIAL_CLUSTER_STATE=new
ETCD_INITIAL_CLUSTER_TOKEN=${server.cluster}
`;
}
