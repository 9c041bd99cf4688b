import { speakerMetrics } from '../../src/bgp/driver/metrics.ts';
import { CredentialEnd } from '../../src/kube/api/access/end.ts';
import { createClientMetrics, createSourceMetrics, createWatchMetrics } from '../../src/kube/metrics.ts';
import { writeMetrics } from '../../src/kube/status/metrics.ts';
import { edgeMetrics } from '../../src/planes/edge/metrics.ts';
import { snapshotMetrics } from '../../src/planes/fleet/compile/components/etcd-snapshots.ts';
import { createNetworkMetrics } from '../../src/planes/network/metrics.ts';
import { scalingMetrics } from '../../src/planes/scaling/metrics.ts';
import { answersCounter } from '../../src/planes/scaling/serve/server.ts';
import { steeringMetrics } from '../../src/planes/steering/metrics.ts';
import { measureApis } from '../../src/platform-api/metrics.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { measureDoubts } from '../../src/runtime/doubts.ts';
import { plainVisitors, refusedVisitors } from '../../src/runtime/endpoint.ts';
import { identityMetrics } from '../../src/runtime/identity.ts';
import { Registry } from '../../src/runtime/metrics.ts';
import { measureTls } from '../../src/runtime/tls/credentials.ts';

const introduction = `# Metrics

<!-- Made by \`make generate\` from the registries of the agents; do not edit. -->

Every agent serves these on \`/metrics\` of its endpoint, port 9464 of a blade, 9463 of a worker, 9465 of a
steering agent and 9466 of a scaling agent, with the label \`component\` (\`edge\`, \`network\`, \`steering\`, \`scaling\`), and beside them the process metrics of prom-client (\`process_…\`, \`nodejs_…\`). Times are in seconds. A counter begins anew with its agent;
what nginx counts (\`tideline_edge_requests_total\`, all others with a host or a country, \`…answered…\` and \`…tries…\`) with nginx.

Bounded by the number of hosts are the metrics with the label \`host\`: 200 hosts of the table one by one, \`(other)\` for the rest, \`(none)\` for
requests that no host takes, \`(any)\` for the host that takes all names. Those of a host end when it leaves the table. \`country\` has some 250 values, one of
them \`unknown\`.
`;

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** What prom-client and our own metrics know of themselves, which its types do not tell. */
interface Inside {
  readonly name: string;
  readonly help: string;
  readonly type?: string;
  readonly labelNames?: readonly string[];
}

/** The metrics of a registry in the order of their names. */
function described(register: (registry: Registry) => unknown): readonly Described[] {
  const registry = new Registry();
  register(registry);
  const all = registry.getMetricsAsArray() as unknown as readonly Inside[];
  return all
    .map((metric) => {
      const { name, help, type = metric.constructor.name.toLowerCase(), labelNames: labels = [] } = metric;
      return { name, help, type, labels };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function tableOf(title: string, metrics: readonly Described[]): string {
  const rows = metrics.map(
    ({ name, help, type, labels }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return [`\n## ${title}\n`, '| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** With a Lease it has those of leadership besides. */
function ofSteering(registry: Registry): void {
  const leadership = { by: 'fence', leading: true } as const;
  steeringMetrics(
    registry,
    () => ({ mode: 'observe', leadership, zones: [] }),
    () => 0,
  );
}

function ofScaling(registry: Registry): void {
  scalingMetrics(
    registry,
    () => ({ cluster: '', targets: [], findings: [], doubts: [], problems: [] }),
    () => 0,
  );
  answersCounter(registry);
}

/** The text of `docs/reference/metrics.md`. */
export function metricsReference(): string {
  const ofEvery = described((registry) => {
    identityMetrics(registry, '');
    refusedVisitors(registry);
    plainVisitors(registry);
    measureTls(registry, () => undefined);
    measureDoubts(registry, systemClock, () => []);
  });
  const ofCluster = described((registry) => {
    createSourceMetrics(registry, systemClock);
    createWatchMetrics(registry, systemClock);
    createClientMetrics(registry, () => 0);
    new CredentialEnd({ clock: systemClock, registry });
    writeMetrics(registry);
    measureApis(registry, [], () => []);
  });
  return `${[
    introduction,
    tableOf('Every agent', ofEvery),
    tableOf('The edge agent', described(edgeMetrics)),
    tableOf('The network agent', described(createNetworkMetrics)),
    tableOf('The steering agent', described(ofSteering)),
    tableOf('The scaling agent', described(ofScaling)),
    tableOf('BGP, of both', described(speakerMetrics)),
    tableOf('The cluster, of both', ofCluster),
    tableOf('Members of etcd, by their node exporters', snapshotMetrics),
  ].join('\n')}\n`;
}
