import { gpusOfCluster } from '../../../model/platform/fleets.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import { installed } from './artifacts.ts';
import { type PlannedCertificate, pkiOf, plannedCertificates } from './certificates.ts';
import { componentsOf } from './components.ts';
import { type AgentUnits, fleetContext, type ServerContext, serverContext } from './context.ts';
import type { ServerDocument } from './document.ts';
import { missingIn } from './missing.ts';
import type { Manifest } from './objects/manifest.ts';
import { nothingShipped, objectsOf, type ShippedObjects } from './objects.ts';
import { systemOf } from './system.ts';
import { type TargetGroup, targetsOf } from './targets.ts';
import { sorted } from './text.ts';
import { refusedIn } from './versions.ts';
import { type Wave, wavesOf } from './waves.ts';

/** Everything that the fleets of a platform come to. */
export interface CompiledFleet {
  /** A document for each active server of a cluster with a Fleet, by name. */
  readonly documents: ReadonlyMap<string, ServerDocument>;
  /** How to reach each of them: name → address. */
  readonly roster: Readonly<Record<string, { readonly host: string }>>;
  /** What is to be signed for each of them, for whoever has the authorities; no server sees that of another. */
  readonly pkiPlan: Readonly<Record<string, readonly PlannedCertificate[]>>;
  readonly waves: readonly Wave[];
  /** By cluster, what its API must hold so that the documents work. */
  readonly objects: ReadonlyMap<string, readonly Manifest[]>;
  /** Whom Prometheus asks, by job. */
  readonly targets: ReadonlyMap<string, readonly TargetGroup[]>;
  /** Flags that a program would refuse, as `server: unit --flag` (`FlagRemoved`). */
  readonly refusedFlags: readonly string[];
  /** GPUs for pods, by cluster and product. */
  readonly gpus: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What a person should know of the fleets, whatever changes. */
  readonly warnings: readonly string[];
}

/**
 * The documents of all servers, of a valid platform. The same platform gives the same bytes. A change of one server changes the document
 * of that server; besides, a member of etcd changes those of members and control planes, which name each other, and a blade those of
 * blades of its cluster, which have the EdgePools.
 */
export function compileFleet(
  platform: Platform,
  agentUnits: AgentUnits,
  shippedObjects: ShippedObjects = nothingShipped,
): CompiledFleet {
  const fleets = [...platform.fleets.values()]
    .toSorted((a, b) => compareText(a.spec.cluster, b.spec.cluster))
    .map((fleet) => fleetContext(platform, fleet, agentUnits));
  const servers = fleets
    .flatMap((fleet) => [...new Set(Object.values(fleet.servers).flat())].map((server) => serverContext(fleet, server)))
    .filter((server) => server !== undefined)
    .toSorted((a, b) => compareText(a.id, b.id));
  const documents = new Map(servers.map((server) => [server.id, documentOf(server)]));
  return {
    documents,
    roster: Object.fromEntries(servers.map(({ id, address }) => [id, { host: address.text }])),
    pkiPlan: Object.fromEntries(servers.map((server) => [server.id, plannedCertificates(server)])),
    waves: fleets.flatMap(wavesOf),
    gpus: Object.fromEntries(fleets.map(({ cluster }) => [cluster, gpusOfCluster(platform, cluster)])),
    warnings: fleets.flatMap(missingIn),
    objects: new Map(fleets.map((fleet) => [fleet.cluster, objectsOf(fleet, shippedObjects)])),
    targets: targetsOf(servers),
    refusedFlags: servers.flatMap(({ id, fleet }) => {
      const document = documents.get(id);
      return document === undefined ? [] : refusedIn(document, fleet.versions).map((flag) => `${id}: ${flag}`);
    }),
  };
}

function documentOf(server: ServerContext): ServerDocument {
  const system = systemOf(server);
  const pki = pkiOf(server);
  const components = componentsOf(server, system, pki);
  const { id, cluster, server: spec } = server;
  const document: ServerDocument = {
    format: 1,
    server: {
      id,
      site: spec.site,
      rack: spec.rack,
      cluster,
      roles: spec.roles.toSorted(compareText),
      addresses: spec.addresses.map(({ text }) => text),
    },
    system,
    artifacts: installed(server, components),
    pki,
    components,
  };
  return sorted(document) as ServerDocument;
}
