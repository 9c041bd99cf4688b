import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiVersion } from '../../src/model/contract.ts';
import type { Versions } from '../control-plane/binaries.ts';
import type { LabArtifact } from './release.ts';

/** A site of one rack router, and a cluster of servers in it: the platform spec that a lab of servers is made from. */

export interface FleetShape {
  /** Control planes, each with a member of etcd. */
  readonly masters: number;
  readonly workers: number;
  readonly blades?: number;
  /** By which members copy their snapshots of etcd. */
  readonly copyCommand?: readonly string[];
  /** Servers that are to leave. */
  readonly retired?: readonly string[];
  /** The kubeconfig of the Cluster, from the folder of the spec; absent: nobody asks its API. */
  readonly kubeconfig?: string;
}

export const cluster = 'paris';
export const router = { address: '10.1.0.1', asn: 65_010 };
export const serverAsn = 65_011;
export const prefixes = { servers: '10.1.0.0/24', pods: '10.10.0.0/16', vips: '192.0.2.0/24' };
export const apiVip = '192.0.2.1';
export const edgeVip = '192.0.2.10';

interface LabServer {
  readonly name: string;
  readonly address: string;
  readonly rack: string;
  readonly roles: readonly string[];
}

/** The servers of a shape, each in a rack of its kind's turn; a server keeps name and address when others come. */
export function serversOf({ masters, workers, blades = 0 }: FleetShape): readonly LabServer[] {
  const make = (kind: string, count: number, first: number, roles: readonly string[]): readonly LabServer[] =>
    Array.from({ length: count }, (_, index) => ({
      name: `par-${kind}-${index + 1}`,
      address: `10.1.0.${first + index}`,
      rack: 'abc'.charAt(index % 3),
      roles,
    }));
  return [
    ...make('master', masters, 11, ['control-plane', 'etcd']),
    ...make('worker', workers, 31, ['worker']),
    ...make('blade', blades, 51, ['blade']),
  ];
}

/** Writes the platform spec into the folder; a second call with another shape changes it as an operator does. */
export async function writeSpec(
  folder: string,
  shape: FleetShape,
  release: { readonly artifacts: readonly LabArtifact[]; readonly versions: Versions },
): Promise<void> {
  const objects = [...siteObjects(shape), ...fleetObjects(shape, release)];
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'platform.yaml'), objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n'));
}

const object = (kind: string, name: string, spec: object): object => ({
  apiVersion,
  kind,
  metadata: { name },
  spec,
});

function siteObjects(shape: FleetShape): readonly object[] {
  const blades = serversOf(shape).filter(({ roles }) => roles.includes('blade'));
  const entry = blades.length === 0 ? { anycast: ['192.0.2.20'] } : { edgePool: `${cluster}-edge` };
  return [
    object('Site', cluster, {
      type: 'datacentre',
      location: { country: 'FR', latitude: 48.86, longitude: 2.35 },
      routers: [{ name: 'par-tor', ...router }],
      serverAsn,
      prefixes: Object.fromEntries(Object.entries(prefixes).map(([use, prefix]) => [use, [prefix]])),
    }),
    object('Cluster', cluster, {
      sites: [cluster],
      source: shape.kubeconfig === undefined ? { none: true } : { kubeconfig: shape.kubeconfig },
      entry,
    }),
    ...(blades.length === 0
      ? []
      : [
          object('EdgePool', `${cluster}-edge`, {
            cluster,
            blades: blades.map(({ name, address }) => ({ name, address })),
            vips: [{ address: edgeVip }],
          }),
        ]),
  ];
}

function fleetObjects(
  shape: FleetShape,
  { artifacts, versions }: { readonly artifacts: readonly LabArtifact[]; readonly versions: Versions },
): readonly object[] {
  const plain = (version: string): string => version.replace(/^v/, '');
  return [
    object('Fleet', cluster, {
      cluster,
      release: 'lab',
      versions: { kubernetes: plain(versions.kubernetes), etcd: plain(versions.etcd), containerd: '1.6.20' },
      network: { pods: [prefixes.pods], services: ['10.96.0.0/16'] },
      api: { vip: apiVip, names: ['api.paris.example'] },
      ...(shape.copyCommand === undefined ? {} : { etcd: { snapshots: { copyCommand: shape.copyCommand } } }),
    }),
    object('Release', 'lab', { artifacts }),
    object('ServerClass', 'lab', {}),
    ...serversOf(shape).map(({ name, address, rack, roles }) =>
      object('Server', name, {
        site: cluster,
        rack,
        class: 'lab',
        addresses: [address],
        cluster,
        roles,
        ...(shape.retired?.includes(name) === true ? { state: 'retired' } : {}),
      }),
    ),
  ];
}
