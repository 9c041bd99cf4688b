import type { Address } from '../../../model/address.ts';
import { artifactVersions } from '../../../model/platform/fleets.ts';
import type { ServerRole } from '../../../model/spec/kinds/server.ts';
import type { EdgePool, Fleet, Release, Server, ServerClass, Site } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import { compareVersions } from '../../../model/version.ts';

/** Texts of the units that Tideline itself brings (`deploy/systemd`), by name. They are read by the caller, because compile reads nothing. */
export type AgentUnits = Readonly<Record<string, string>>;

type Artifact = Release['spec']['artifacts'][number];

/** One Fleet, with everything that several of its servers need to know, worked out once. */
export interface FleetContext {
  readonly cluster: string;
  readonly fleet: Fleet['spec'];
  readonly platform: Platform;
  readonly agentUnits: AgentUnits;
  /** Active servers by role, by name. */
  readonly servers: Readonly<Record<ServerRole, readonly Server[]>>;
  readonly pools: readonly EdgePool[];
  readonly artifacts: ReadonlyMap<string, Artifact>;
  /** `https://VIP:PORT`. */
  readonly apiUrl: string;
}

/** A server of a fleet with what it refers to. */
export interface ServerContext extends FleetContext {
  readonly id: string;
  readonly server: Server['spec'];
  readonly address: Address;
  readonly site: Site;
  readonly class: ServerClass['spec'];
}

export function fleetContext(platform: Platform, fleet: Fleet, agentUnits: AgentUnits): FleetContext {
  const { spec } = fleet;
  const active = [...platform.servers.values()]
    .filter((server) => server.spec.cluster === spec.cluster && server.spec.state === 'active')
    .toSorted((a, b) => compareText(a.metadata.name, b.metadata.name));
  const having = (role: ServerRole) => active.filter((server) => server.spec.roles.includes(role));
  return {
    cluster: spec.cluster,
    fleet: spec,
    platform,
    agentUnits,
    servers: {
      etcd: having('etcd'),
      'control-plane': having('control-plane'),
      worker: having('worker'),
      blade: having('blade'),
    },
    pools: [...platform.edgePools.values()]
      .filter((pool) => pool.spec.cluster === spec.cluster)
      .toSorted((a, b) => compareText(a.metadata.name, b.metadata.name)),
    artifacts: artifactsOf(platform.releases.get(spec.release), spec.versions),
    apiUrl: apiUrlOf(spec),
  };
}

/** Where the API of a cluster answers. */
export const apiUrlOf = ({ api }: Fleet['spec']): string => `https://${hostOf(api.vip)}:${api.port}`;

/** Felix runs where Calico gives addresses and the release has it; only there NetworkPolicies hold. */
export function hasFelix({ fleet, artifacts }: Pick<FleetContext, 'fleet' | 'artifacts'>): boolean {
  return 'calico' in fleet.ipam && artifacts.has('calico-felix');
}

/** Undefined for a server that refers to something that is not there, which a valid platform does not have. */
export function serverContext(fleet: FleetContext, server: Server): ServerContext | undefined {
  const site = fleet.platform.sites.get(server.spec.site);
  const serverClass = fleet.platform.serverClasses.get(server.spec.class);
  const [address] = server.spec.addresses;
  if (site === undefined || serverClass === undefined || address === undefined) return undefined;
  return { ...fleet, id: server.metadata.name, server: server.spec, address, site, class: serverClass.spec };
}

/** An address as a URL has it: that of IPv6 in brackets. */
export function hostOf(address: Address): string {
  return address.family === 6 ? `[${address.text}]` : address.text;
}

/** The URLs of etcd for clients, member by member. */
export function etcdUrls({ servers }: FleetContext, port: 2379 | 2380): readonly (readonly [string, string])[] {
  return servers.etcd.flatMap(({ metadata, spec }) =>
    spec.addresses.slice(0, 1).map((address) => [metadata.name, `https://${hostOf(address)}:${port}`] as const),
  );
}

/** The file of each name: of the version that the Fleet names, or the highest of what it does not name. */
function artifactsOf(release: Release | undefined, versions: Fleet['spec']['versions']): ReadonlyMap<string, Artifact> {
  const wanted = artifactVersions(versions);
  const found = new Map<string, Artifact>();
  for (const artifact of release?.spec.artifacts ?? []) {
    const version = wanted[artifact.name];
    const before = found.get(artifact.name);
    if (
      version === undefined
        ? before === undefined || compareVersions(artifact.version, before.version) > 0
        : artifact.version === version
    )
      found.set(artifact.name, artifact);
  }
  return found;
}
