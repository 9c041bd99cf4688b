import { hostOf, type ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { service } from '../unit.ts';
import { measures } from './etcd-snapshots.ts';

/**
 * Prometheus' node exporter, on the address of the server. The package has a unit of the same name, which listens on every address; this one takes its
 * place. It reads what it measures from the host's own /proc, and writes nothing.
 */
export function monitoring(server: ServerContext): Component {
  const { port } = server.fleet.monitoring ?? { port: 9100 };
  return {
    name: 'monitoring',
    artifacts: [],
    directories: {},
    files: {},
    units: {
      'prometheus-node-exporter.service': {
        text: service({
          description: 'node exporter of Prometheus',
          user: 'prometheus',
          command: [
            '/usr/bin/prometheus-node-exporter',
            `--web.listen-address=${hostOf(server.address)}:${port}`,
            ...(server.server.roles.includes('etcd') ? [`--collector.textfile.directory=${measures}`] : []),
          ],
          families: ['AF_NETLINK'],
          lines: ['ProcSubset=all', 'ProtectProc=default'],
        }),
        running: true,
        watches: [],
        onChange: 'restart',
      },
    },
  };
}
