import type { RouteSeen } from '../world/routes.ts';
import type { LabStatus } from './status.ts';
import { steeringLines } from './steering.ts';

/** The lines of the status, for people. */
export function formatStatus(answer: unknown): readonly string[] {
  const status = answer as LabStatus;
  const { compressed, totals, firstServedAfterMs } = status;
  const sections = [
    [
      `up ${seconds(status.uptimeMs)} s, first request served after ${firstServedAfterMs === null ? '-' : seconds(firstServedAfterMs)} s, ${totals.requests} requests, ${totals.failed} failed`,
      `compressed: health checks ${compressed.healthFactor}x faster, TTL ${compressed.ttlSeconds} s, alerts ${compressed.alertFactor}x sooner`,
      ...(status.alerts === undefined
        ? ['alerts are not watched: this lab has no Prometheus that answers (lab up --alerts)']
        : []),
    ],
    ['faults', ...status.faults.map((fault) => `  ${fault.name} ${fault.target}`)],
    [
      'alerts that fire',
      ...(status.alerts ?? []).map(({ name, cluster = '', severity }) => `  ${name} ${cluster} (${severity})`),
    ],
    ['routers', ...status.routers.map(routerLine)],
    ...Object.entries(status.routes).map(([rack, routes]) => [
      `routes of ${rack} towards its servers`,
      ...routes.filter(isLocal).map(({ prefix, via }) => `  ${prefix.padEnd(20)} ${via.join(' ')}`),
    ]),
    [
      'agents',
      ...status.agents.map(
        (agent) =>
          `  ${agent.server.padEnd(18)} ${agent.kind.padEnd(8)} ${agent.status === undefined ? 'no answer' : 'answers'}`,
      ),
    ],
    steeringLines(status.steering),
    ['control planes', ...status.controlPlanes.map(controlPlaneLine)],
    [
      'countries   route53        powerdns       served by (last 10 s)',
      ...status.countries.map(
        (c) =>
          `  ${c.country.padEnd(9)} ${c.route53.join(',').padEnd(14)} ${c.powerdns.join(',').padEnd(14)} ${Object.entries(
            c.servedBy,
          )
            .map(([place, count]) => `${place} ${count}`)
            .join(', ')}${c.failed === 0 ? '' : `  FAILED ${c.failed}`}`,
      ),
    ],
    [
      'services not running',
      ...status.services
        .filter((service) => service.state !== 'running')
        .map((service) => `  ${service.name} ${service.state}, started again ${service.restarts} times`),
    ],
    status.memory === undefined
      ? []
      : [
          `memory ${status.memory.totalMiB} MiB in ${status.memory.processes} processes`,
          ...status.memory.programs.map(
            (p) =>
              `  ${p.program.padEnd(32)} ${String(p.processes).padStart(3)}  ${String(p.mib).padStart(6)} MiB ${p.cpuSeconds.toFixed(1).padStart(6)} s of processor`,
          ),
        ],
  ];
  return sections.filter((lines) => lines.length > 1).flat();
}

/** Links between routers are in 172.16.0.0/16: a route without a hop there stays inside the site. */
function isLocal(route: RouteSeen): boolean {
  return !route.via.some((address) => address.startsWith('172.16.'));
}

function routerLine(router: LabStatus['routers'][number]): string {
  const up = router.sessions.filter((session) => session.established).length;
  const missing = router.sessions.filter((session) => !session.established).map((session) => session.neighbor);
  return `  ${router.name.padEnd(16)} ${up}/${router.sessions.length} sessions${missing.length === 0 ? '' : `, not: ${missing.join(' ')}`}`;
}

function controlPlaneLine({ cluster, server, components }: LabStatus['controlPlanes'][number]): string {
  const parts = components.map(({ name, state }) => `${name} ${state}`);
  return `  ${cluster.padEnd(10)} ${server.padEnd(18)} ${parts.join(', ')}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
