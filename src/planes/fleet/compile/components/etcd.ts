import { ownFile, ownFolder, program, publicFolder } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import { etcdUrls, hostOf, type ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { tlsCiphers } from '../tls.ts';
import { service, timer } from '../unit.ts';
import { corruptionChecks } from '../versions.ts';

const pki = '/etc/etcd/pki';
const data = '/var/lib/etcd';
const backups = '/var/backups/etcd';
const snapshot = '/usr/local/lib/tideline/etcd-snapshot';

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
  return {
    name: 'etcd',
    artifacts: ['etcd', 'etcdctl', 'etcdutl'],
    directories: {
      '/usr/local/lib/tideline': publicFolder,
      [data]: ownFolder('etcd'),
      [backups]: ownFolder('etcd'),
    },
    files: {
      '/etc/etcd/cluster.env': { ...ownFile('etcd'), text: clusterEnvironment(server) },
      [snapshot]: { ...program, text: snapshotScript(server) },
    },
    units: {
      'etcd.service': {
        text,
        running: true,
        watches: ['etcd', authorityFiles.etcd, `${pki}/peer.crt`, `${pki}/server.crt`],
        onChange: 'orchestrated',
      },
      'etcd-snapshot.service': { text: snapshotService(), running: false, watches: [], onChange: 'restart' },
      'etcd-snapshot.timer': {
        text: timer('Snapshots of etcd', server.fleet.etcd.snapshots.everyHours),
        running: true,
        watches: [],
        onChange: 'restart',
      },
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

function snapshotService(): string {
  return service({
    description: 'One snapshot of etcd, verified',
    type: 'oneshot',
    user: 'etcd',
    after: ['etcd.service'],
    command: [snapshot],
    writes: [backups],
    wantedBy: false,
  });
}

/** A snapshot counts when etcdutl has read it; what is older than the newest ones goes after that. */
function snapshotScript(server: ServerContext): string {
  const { keep } = server.fleet.etcd.snapshots;
  return `#!/bin/sh
set -eu
umask 077
new=${backups}/$(date -u +%Y%m%dT%H%M%SZ).db
trap 'rm -f "$new.part" "$new.part.part"' EXIT
${binaries.etcdctl} --endpoints=https://127.0.0.1:2379 \\
  --cacert=${authorityFiles.etcd} --cert=${pki}/healthcheck-client.crt --key=${pki}/healthcheck-client.key \\
  snapshot save "$new.part"
${binaries.etcdutl} snapshot status "$new.part"
mv "$new.part" "$new"
ls -1 ${backups}/*.db | sort -r | tail -n +${keep + 1} | xargs -r rm -f
`;
}
