import { appendFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Binaries } from '../control-plane/binaries.ts';
import type { Network } from '../net/network.ts';
import type { Supervisor } from '../supervise.ts';
import { PodHost } from '../world/pods.ts';
import type { Datacentre } from '../world/topology.ts';
import type { SelfMadeCertificate } from './certificate.ts';
import { FolderCluster } from './folder/cluster.ts';
import { Manifests } from './folder/manifests.ts';
import type { RunningCluster } from './running.ts';

export interface ControlPlanePrograms {
  readonly binaries: Pick<Binaries, 'folder' | 'calicoIpam' | 'calicoCrds'>;
  /** The folder for `kubectl apply -k` with what a cluster needs for Tideline. */
  readonly deploy: string;
}

/** The parts of the lab that its clusters need. */
interface Surroundings {
  readonly network: Network;
  readonly supervisor: Supervisor;
  readonly platformFolder: string;
  readonly logFolder: string;
  readonly options: {
    readonly clock: Clock;
    readonly runFolder: string;
    readonly stateFolder: string;
    /** When absent, folders of manifests play the control planes. */
    readonly controlPlanes?: ControlPlanePrograms;
  };
}

interface ClusterPlace {
  readonly datacentre: Datacentre;
  /** The index of the data centre among all; the addresses of its cluster are derived from it. */
  readonly index: number;
  readonly ingressClass: string;
  readonly certificate: SelfMadeCertificate;
}

/** Makes the cluster of a data centre, of the kind that this lab uses; nothing starts yet. */
export async function makeCluster(lab: Surroundings, place: ClusterPlace): Promise<RunningCluster> {
  const { network, supervisor, options } = lab;
  const directory = join(options.runFolder, 'pods');
  const host = new PodHost({ network, supervisor, cluster: place.datacentre.cluster, directory, clock: options.clock });
  const { controlPlanes } = options;
  return controlPlanes === undefined
    ? folderCluster(lab, place, host)
    : apiserverCluster(lab, place, host, controlPlanes);
}

function folderCluster(lab: Surroundings, place: ClusterPlace, host: PodHost): RunningCluster {
  const { datacentre, index, ingressClass, certificate } = place;
  const folder = join(lab.platformFolder, 'clusters', datacentre.cluster);
  const manifests = new Manifests({
    folder,
    workers: datacentre.workers,
    pool: poolOf(datacentre),
    clusterIp: clusterIpOf(index),
    ingressClass,
    certificate,
  });
  return new FolderCluster({ datacentre, manifests, folder, host, clock: lab.options.clock });
}

/** A cluster with a real control plane; its modules are imported only here, when they are wanted. */
async function apiserverCluster(
  lab: Surroundings,
  place: ClusterPlace,
  host: PodHost,
  programs: ControlPlanePrograms,
): Promise<RunningCluster> {
  const { ApiserverCluster } = await import('./apiserver/cluster.ts');
  const { calicoAddresses } = await import('./apiserver/calico.ts');
  const { datacentre, index, ingressClass, certificate } = place;
  const { cluster } = datacentre;
  const { binaries, deploy } = programs;
  const { clock, stateFolder } = lab.options;
  const folder = join(stateFolder, 'kubernetes', cluster);
  await rm(folder, { recursive: true, force: true });
  const log = join(lab.logFolder, `${cluster}-kubelets.log`);
  return new ApiserverCluster({
    datacentre,
    network: lab.network,
    host,
    clock,
    binaries: binaries.folder,
    folder,
    logFolder: lab.logFolder,
    clusterIp: clusterIpOf(index),
    ingressClass,
    certificate,
    deploy,
    addresses: (plane) =>
      calicoAddresses({
        plane,
        program: binaries.calicoIpam,
        crds: binaries.calicoCrds,
        pool: poolOf(datacentre),
      }),
    warn: (message) => appendFileSync(log, `${new Date(clock.now()).toISOString()} ${message}\n`),
  });
}

function poolOf({ prefixes }: Datacentre): string {
  return prefixes.pods[0] ?? '';
}

function clusterIpOf(index: number): string {
  return `10.96.${index}.10`;
}
