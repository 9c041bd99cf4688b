import { type Dashboard, dashboardJson } from './panels.ts';

/** What users feel, by host and by country, and whether every VIP is served. */
const users: Dashboard = {
  uid: 'tideline-users',
  title: 'Tideline: users',
  description: 'What users of each cluster get, as its blades measure it.',
  troubles: [
    {
      title: 'VIPs that nobody announces',
      description: 'Anything but 0: the runbook of TidelineVipUnannounced.',
      queries: {
        VIPs: 'count(sum by (cluster, vip) (tideline_edge_vip_announced{cluster=~"$cluster"}) == 0) or vector(0)',
      },
    },
    {
      title: 'Unhealthy policies',
      description: 'Policies that every blade of a cluster calls unhealthy; DNS leads their users to the next cluster.',
      queries: {
        policies:
          'count(max by (cluster, policy) (tideline_edge_policy_healthy{cluster=~"$cluster"}) == 0) or vector(0)',
      },
    },
    {
      title: 'Failed requests',
      description: 'The share of requests that were answered with 500 and more in five minutes.',
      queries: {
        share:
          'sum(rate(tideline_edge_requests_total{cluster=~"$cluster", status="5xx"}[5m])) / sum(rate(tideline_edge_requests_total{cluster=~"$cluster"}[5m]))',
      },
    },
    {
      title: 'Doubts',
      description: 'Changes that agents do not believe: tideline accept shows them.',
      queries: { doubts: 'sum(tideline_doubts{cluster=~"$cluster"}) or vector(0)' },
    },
  ],
  rows: [
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests by status',
          description: 'Status none: the client left first.',
          unit: 'reqps',
          queries: {
            '{{cluster}} {{status}}':
              'sum by (cluster, status) (rate(tideline_edge_requests_total{cluster=~"$cluster"}[$__rate_interval]))',
          },
        },
        {
          title: 'Ten hosts with most failures',
          description: 'tideline why host HOST names the hop that breaks it.',
          unit: 'reqps',
          queries: {
            '{{host}}':
              'topk(10, sum by (host) (rate(tideline_edge_requests_total{cluster=~"$cluster", status="5xx"}[$__rate_interval])))',
          },
        },
        {
          title: 'Requests that the edge answered itself',
          description: 'By reason; docs/reference/errors.md explains each.',
          unit: 'reqps',
          queries: {
            '{{reason}}': 'sum by (reason) (rate(tideline_edge_answered_total{cluster=~"$cluster"}[$__rate_interval]))',
          },
        },
      ],
    },
    {
      title: 'Latency',
      panels: [
        {
          title: 'Time of a request, by cluster',
          description: 'From its head to the end of the answer.',
          unit: 's',
          queries: {
            '{{cluster}} p50':
              'histogram_quantile(0.5, sum by (cluster, le) (rate(tideline_edge_request_duration_seconds_bucket{cluster=~"$cluster"}[$__rate_interval])))',
            '{{cluster}} p99':
              'histogram_quantile(0.99, sum by (cluster, le) (rate(tideline_edge_request_duration_seconds_bucket{cluster=~"$cluster"}[$__rate_interval])))',
          },
        },
        {
          title: 'Time of pods, by cluster',
          description:
            'From the first try to reach a pod to the head of its answer. The rest of a request is the network.',
          unit: 's',
          queries: {
            '{{cluster}} p99':
              'histogram_quantile(0.99, sum by (cluster, le) (rate(tideline_edge_pod_response_seconds_bucket{cluster=~"$cluster"}[$__rate_interval])))',
          },
        },
      ],
    },
    {
      title: 'Countries',
      panels: [
        {
          title: 'Ten countries with most requests',
          description: 'Demand as it is measured.',
          unit: 'reqps',
          queries: {
            '{{country}}':
              'topk(10, sum by (country) (rate(tideline_edge_country_requests_total{cluster=~"$cluster"}[$__rate_interval])))',
          },
        },
        {
          title: 'Ten countries with most failures',
          description: 'tideline why country CC names the hop that breaks it.',
          unit: 'reqps',
          queries: {
            '{{country}}':
              'topk(10, sum by (country) (rate(tideline_edge_country_failures_total{cluster=~"$cluster"}[$__rate_interval])))',
          },
        },
        {
          title: 'Distance: median round trip of the ten farthest countries',
          description: 'As the kernel of the blade measured it; users behind a trusted proxy are left out.',
          unit: 's',
          queries: {
            '{{cluster}} {{country}}':
              'topk(10, histogram_quantile(0.5, sum by (cluster, country, le) (rate(tideline_edge_round_trip_seconds_bucket{cluster=~"$cluster"}[$__rate_interval]))))',
          },
        },
      ],
    },
  ],
};

/** Whether agents, nginx, ExaBGP and routers do what the spec wants, server by server. */
const servers: Dashboard = {
  uid: 'tideline-servers',
  title: 'Tideline: servers',
  description: 'What the agents of blades and workers say of their servers.',
  troubles: [
    {
      title: 'Silent agents',
      description: 'Agents that do not answer Prometheus.',
      queries: { agents: 'count(up{job=~"tideline-.+", cluster=~"$cluster"} == 0) or vector(0)' },
    },
    {
      title: 'BGP sessions down',
      description: 'tideline why blade or route names the reason.',
      queries: { sessions: 'count(tideline_bgp_session_up{cluster=~"$cluster"} == 0) or vector(0)' },
    },
    {
      title: 'Stale sources',
      description: 'Agents that do not follow their cluster.',
      queries: {
        agents: 'count(tideline_kube_source_phase{cluster=~"$cluster", phase="stale"} == 1) or vector(0)',
      },
    },
    {
      title: 'Refused routes',
      description: 'Blocks and addresses of workers that are not announced.',
      queries: { routes: 'sum(tideline_network_refusals{cluster=~"$cluster"}) or vector(0)' },
    },
    {
      title: 'Versions',
      description: 'Of agents; more than one during an upgrade only.',
      queries: { versions: 'count(count by (version) (tideline_build_info{cluster=~"$cluster"}))' },
    },
    {
      title: 'Specs in force',
      description: 'Digests of the platform spec; more than one while it is distributed only.',
      queries: { digests: 'count(count by (digest) (tideline_spec_digest{cluster=~"$cluster"}))' },
    },
  ],
  rows: [
    {
      title: 'Routes',
      panels: [
        {
          title: 'Announced routes',
          description: 'A step down without a drain is a reason to look.',
          queries: {
            '{{cluster}} {{job}}':
              'sum by (cluster, job) (tideline_bgp_routes{cluster=~"$cluster", state="announced"})',
          },
        },
        {
          title: 'Routes that differ from what is wanted',
          description: 'tideline why route PREFIX names the reason.',
          queries: { '{{instance}}': 'tideline_bgp_route_differences{cluster=~"$cluster"} > 0' },
        },
        {
          title: 'Not announced, by reason',
          description: 'docs/reference/errors.md explains each reason.',
          queries: {
            '{{cluster}} {{reason}}': 'sum by (cluster, reason) (tideline_network_refusals{cluster=~"$cluster"})',
          },
        },
      ],
    },
    {
      title: 'Changes',
      panels: [
        {
          title: 'Time until nginx has a change, p99',
          description: 'Endpoints do not wait for a compile of the table.',
          unit: 's',
          queries: {
            '{{cluster}} {{path}}':
              'histogram_quantile(0.99, sum by (cluster, path, le) (rate(tideline_edge_apply_seconds_bucket{cluster=~"$cluster"}[$__rate_interval])))',
          },
        },
        {
          title: 'Changes that nginx did not take',
          description: 'They are tried again.',
          queries: {
            '{{instance}} {{path}}': 'increase(tideline_edge_apply_failures_total{cluster=~"$cluster"}[5m]) > 0',
          },
        },
        {
          title: 'Tries to connect to pods that failed',
          description: 'By outcome: refused at once, or silent.',
          unit: 'cps',
          queries: {
            '{{cluster}} {{outcome}}':
              'sum by (cluster, outcome) (rate(tideline_edge_tries_total{cluster=~"$cluster", outcome!="connected"}[$__rate_interval]))',
          },
        },
      ],
    },
    {
      title: 'Agents',
      panels: [
        {
          title: 'Memory',
          description: 'Above MemoryHigh of its unit an agent gets slow.',
          unit: 'bytes',
          queries: { '{{instance}}': 'process_resident_memory_bytes{job=~"tideline-.+", cluster=~"$cluster"}' },
        },
        {
          title: 'Processor time',
          description: 'Cores.',
          queries: {
            '{{instance}}':
              'rate(process_cpu_seconds_total{job=~"tideline-.+", cluster=~"$cluster"}[$__rate_interval])',
          },
        },
        {
          title: 'Days until the credential ends',
          description: 'Of the certificate or token by which the cluster is read.',
          unit: 'd',
          queries: {
            '{{instance}}': '(tideline_kube_credential_end_timestamp_seconds{cluster=~"$cluster"} - time()) / 86400',
          },
        },
      ],
    },
  ],
};

export const dashboards: readonly Dashboard[] = [users, servers];

/** The files that Grafana loads, by path in the repository. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(dashboards.map((one) => [`deploy/dashboards/${one.uid}.json`, dashboardJson(one)]));
}
