import type { ActiveFault } from '../faults/board.ts';
import type { LabStatus } from '../observe/status.ts';
import { serversOf, type World } from '../world/topology.ts';
import type { CountryView, DemoView, SiteView } from './screen.ts';

/** The state of the demo itself, which the lab's status does not have. */
export interface DemoProgress {
  readonly steps: DemoView['steps'];
  readonly narration: string;
  readonly notice: string;
  readonly quit: DemoView['quit'];
  readonly keys: DemoView['keys'];
  readonly nginxReloads: number;
  /** ms since the epoch. */
  readonly nowMs: number;
}

const recentSeconds = 10;

/** Makes the frame that shows a status of the lab (pure). */
export function viewOf(world: World, status: LabStatus, progress: DemoProgress): DemoView {
  const { compressed, totals } = status;
  const recent = status.countries.reduce((sum, { requests }) => sum + requests, 0);
  return {
    elapsedMs: status.uptimeMs,
    caveat: `${compressed.healthFactor}x health checks, ${compressed.alertFactor}x alerts, TTL ${compressed.ttlSeconds} s`,
    steps: progress.steps,
    narration: progress.narration,
    notice: progress.notice,
    faults: status.faults.map(({ name, target, sinceMs }) => ({ name, target, forMs: progress.nowMs - sinceMs })),
    alerts: (status.alerts ?? []).map(({ name, cluster = '', sinceMs }) => ({
      name,
      about: cluster,
      forMs: progress.nowMs - sinceMs,
    })),
    sites: sitesOf(world, status),
    countries: status.countries.map(countryOf),
    totals: {
      requestsPerSecond: recent / recentSeconds,
      requests: totals.requests,
      failed: totals.failed,
      retried: totals.retried,
    },
    nginxReloads: progress.nginxReloads,
    quit: progress.quit,
    keys: progress.keys,
  };
}

function sitesOf(world: World, status: LabStatus): readonly SiteView[] {
  const racks = world.datacentres.map((datacentre) => ({
    name: datacentre.site,
    servers: serversOf(datacentre).map(({ name }) => ({ name, state: stateOf(name, status) })),
    ...sessionsOf(datacentre.router.name, status),
    routes: status.routes[datacentre.router.name]?.length ?? 0,
  }));
  const regions = world.regions.map(({ site }) => ({
    name: site,
    servers: [{ name: site, state: stateOf(site, status) }],
    ...sessionsOf(site, status),
  }));
  return [...racks, ...regions];
}

function stateOf(machine: string, status: LabStatus): 'up' | 'down' | 'drained' {
  const held = status.services.some(({ name, state }) => name.startsWith(`${machine}/`) && state === 'held');
  const plane = status.controlPlanes.find(({ server }) => server === machine);
  if (held || plane?.components.some(({ state }) => state !== 'running') === true) return 'down';
  return status.faults.some((fault: ActiveFault) => fault.name === 'blade-drained' && fault.target === machine)
    ? 'drained'
    : 'up';
}

function sessionsOf(router: string, status: LabStatus): { readonly sessionsUp: number; readonly sessions: number } {
  const sessions = status.routers.find(({ name }) => name === router)?.sessions ?? [];
  return { sessionsUp: sessions.filter(({ established }) => established).length, sessions: sessions.length };
}

function countryOf(country: LabStatus['countries'][number]): CountryView {
  const served = Object.entries(country.servedBy).toSorted(([, a], [, b]) => b - a);
  return {
    code: country.country,
    answers: { 'Route 53': country.route53.join(' '), PowerDNS: country.powerdns.join(' ') },
    // Of a region the name alone: beside the answer `cloud` that is enough, and it fits a column.
    servedBy: served.map(([place]) => place.replace(/^(.+)\/\1-/, '')),
    requestsPerSecond: country.requests / recentSeconds,
    failed: country.failed,
  };
}
