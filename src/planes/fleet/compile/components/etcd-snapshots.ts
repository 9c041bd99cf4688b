import { program } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { service, timer } from '../unit.ts';

export const backups = '/var/backups/etcd';
/** Where node exporters of members find what they cannot measure themselves. */
export const measures = '/var/lib/tideline-measures';
const script = '/usr/local/lib/tideline/etcd-snapshot';
const pki = '/etc/etcd/pki';
/** Its time is that of the last snapshot which was copied. */
const copied = `${backups}/copied`;
const copySeconds = 3600;

/** What the script of snapshots measures, for Prometheus by the node exporter of the member. */
export const snapshotMetrics = [
  {
    name: 'tideline_etcd_snapshot_interval_seconds',
    help: 'The time from one snapshot of etcd to the next, as the Fleet has it',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'tideline_etcd_snapshot_timestamp_seconds',
    help: 'When the newest snapshot of etcd was taken (`member`) and when one was last copied to another place (`elsewhere`, 0 for never), in seconds since the epoch',
    type: 'gauge',
    labels: ['place'],
  },
] as const;

/** Snapshots of a member of etcd by a timer: taken, read back, and copied where the Fleet says how. */
export function snapshots(server: ServerContext): Pick<Component, 'directories' | 'files' | 'units'> {
  const measured = server.fleet.monitoring !== undefined;
  const { everyHours } = server.fleet.etcd.snapshots;
  const text = service({
    description: 'One snapshot of etcd, verified',
    type: 'oneshot',
    user: 'etcd',
    after: ['etcd.service'],
    command: [script],
    writes: [backups, ...(measured ? [measures] : [])],
    wantedBy: false,
  });
  return {
    directories: measured ? { [measures]: { user: 'etcd', group: 'etcd', mode: '0755' } } : {},
    files: { [script]: { ...program, text: scriptOf(server) } },
    units: {
      'etcd-snapshot.service': { text, running: false, watches: [], onChange: 'restart' },
      'etcd-snapshot.timer': {
        text: timer('Snapshots of etcd', everyHours),
        running: true,
        watches: [],
        onChange: 'restart',
      },
    },
  };
}

/**
 * A snapshot counts when etcdutl has read it; what is older than the newest ones goes after that. A copy that fails takes nothing from the snapshot, and the
 * service has failed.
 */
function scriptOf(server: ServerContext): string {
  const { keep, copyCommand } = server.fleet.etcd.snapshots;
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
${copyCommand === undefined ? '' : copyLines(copyCommand, server.id)}${server.fleet.monitoring === undefined ? '' : measureLines(server)}${
  copyCommand === undefined ? '' : 'exit "$failed"\n'
}`;
}

function copyLines(words: readonly string[], server: string): string {
  return `failed=0
if timeout --kill-after=10 ${copySeconds} ${words.map((word) => quoted(word, server)).join(' ')}; then
  : >${copied}
else
  failed=$?
  echo "the copy of $new failed with $failed" >&2
fi
`;
}

/** The exporter reads whole files only, so that none is half written. */
function measureLines({ fleet }: ServerContext): string {
  const { everyHours, copyCommand } = fleet.etcd.snapshots;
  const [interval, taken] = snapshotMetrics;
  const elsewhere = `${taken.name}{place="elsewhere"} $(date -r ${copied} +%s 2>/dev/null || echo 0)\n`;
  return `measured=${measures}/etcd-snapshot.prom
cat >"$measured.new" <<END
# TYPE ${interval.name} gauge
${interval.name} ${everyHours * 3600}
# TYPE ${taken.name} gauge
${taken.name}{place="member"} $(date -r "$new" +%s)
${copyCommand === undefined ? '' : elsewhere}END
chmod 0644 "$measured.new"
mv "$measured.new" "$measured"
`;
}

/** A word as the shell gives it to the program, whatever is in it. */
function quoted(word: string, server: string): string {
  const plain = word.replaceAll('{server}', server).replaceAll("'", `'\\''`);
  return `'${plain.replaceAll('{snapshot}', `'"$new"'`)}'`;
}
