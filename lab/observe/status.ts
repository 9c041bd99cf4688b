import { withoutUndefined } from '../../src/model/values.ts';
import type { ComponentState } from '../clusters/running.ts';
import type { ActiveFault } from '../faults/board.ts';
import type { ServiceStatus } from '../supervise.ts';
import { compression } from '../world/platform.ts';
import { kernelRoutes, type RouteSeen } from '../world/routes.ts';
import { type AgentView, agentViews } from './agents.ts';
import { type AlertView, alertViews } from './alerts.ts';
import { clusterOfAddress, dnsViews } from './dns.ts';
import { type MemoryUse, memoryUse } from './memory.ts';
import type { ViewPort } from './port.ts';
import { type RouterView, routerViews } from './routers.ts';
import { type SteeringView, steeringView } from './steering.ts';

export interface LabStatus {
  readonly uptimeMs: number;
  readonly firstServedAfterMs: number | null;
  /** How much faster than in production time passes. */
  readonly compressed: typeof compression;
  readonly faults: readonly ActiveFault[];
  /** The alerts that fire; absent when the lab has no Prometheus that answers. */
  readonly alerts?: readonly AlertView[];
  readonly services: readonly ServiceStatus[];
  readonly routers: readonly RouterView[];
  /** The routes by which each rack router forwards. */
  readonly routes: Readonly<Record<string, readonly RouteSeen[]>>;
  readonly agents: readonly AgentView[];
  /** The steering agent; absent when the lab has none. */
  readonly steering?: SteeringView;
  /** The control planes of the clusters that have a real one. */
  readonly controlPlanes: readonly ControlPlaneView[];
  readonly pods: readonly {
    readonly cluster: string;
    readonly name: string;
    readonly node: string;
    readonly address: string;
    readonly ready: boolean;
  }[];
  readonly countries: readonly CountryStatus[];
  readonly totals: { readonly requests: number; readonly failed: number; readonly retried: number };
  readonly memory?: MemoryUse;
}

export interface ControlPlaneView {
  readonly cluster: string;
  readonly server: string;
  readonly components: readonly { readonly name: string; readonly state: ComponentState }[];
}

export interface CountryStatus {
  readonly country: string;
  /** The clusters to which each name server's answers lead now. */
  readonly route53: readonly string[];
  readonly powerdns: readonly string[];
  /** The requests that each cluster served in the last ten seconds. */
  readonly servedBy: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly failed: number;
  readonly medianMs: number;
}

const recentMs = 10_000;

/** Asks every part of the lab for its state, and joins the answers. */
export async function labStatus(
  lab: ViewPort,
  faults: readonly ActiveFault[],
  options: { readonly memory: boolean } = { memory: false },
): Promise<LabStatus> {
  const [routers, agents, countries, routes, alerts, steering, memory] = await Promise.all([
    routerViews(lab),
    agentViews(lab),
    countryStatus(lab),
    rackRoutes(lab),
    alertViews(lab),
    steeringView(lab),
    options.memory ? memoryUse() : undefined,
  ]);
  return {
    uptimeMs: Math.round(lab.uptimeMs),
    firstServedAfterMs: lab.firstServedAfterMs ?? null,
    compressed: compression,
    faults,
    services: lab.supervisor.status(),
    routers,
    routes,
    agents,
    controlPlanes: [...lab.clusters].flatMap(([cluster, { control }]) =>
      control === undefined ? [] : [{ cluster, server: control.server, components: control.components }],
    ),
    pods: [...lab.clusters].flatMap(([cluster, { pods }]) => pods.map((pod) => ({ cluster, ...pod }))),
    countries,
    totals: lab.ledger.totals,
    ...withoutUndefined({ alerts, steering, memory }),
  };
}

async function rackRoutes(lab: ViewPort): Promise<Readonly<Record<string, readonly RouteSeen[]>>> {
  const racks = lab.world.datacentres.map(({ router }) => router.name);
  return Object.fromEntries(
    await Promise.all(racks.map(async (name) => [name, await kernelRoutes(lab.network, name)] as const)),
  );
}

async function countryStatus(lab: ViewPort): Promise<readonly CountryStatus[]> {
  const recent = lab.ledger.window(lab.clock.now() - recentMs);
  const clusters = (addresses: readonly string[]): readonly string[] =>
    addresses.map((address) => clusterOfAddress(lab, address) ?? address);
  return (await dnsViews(lab)).map(({ country, route53, powerdns }) => {
    const account = recent.countries.get(country);
    return {
      country,
      route53: clusters(route53),
      powerdns: clusters(powerdns),
      servedBy: Object.fromEntries(account?.clusters ?? []),
      requests: account?.requests ?? 0,
      failed: account?.failed ?? 0,
      medianMs: account?.medianMs ?? 0,
    };
  });
}
