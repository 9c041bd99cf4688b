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
  /** What a cluster needs for Tideline, as `kubectl apply -k` takes it. */
  readonly deploy: string;
}

/** The lab, as far as its clusters need it. */
interface Surroundings {
  readonly network: Network;
  readonly supervisor: Supervisor;
  readonly platformFolder: string;
  readonly logFolder: string;
  readonly options: {
    readonly clock: Clock;
    readonly runFolder: string;
    readonly stateFolder: string;
    /** Absent: folders of manifests play the control planes. */
    readonly controlPlanes?: ControlPlanePrograms;
  };
}

interface ClusterPlace {
  readonly datacentre: Datacentre;
  /** Of the data centre among all; its cluster's addresses differ by it. */
  readonly index: number;
  readonly ingressClass: string;
  readonly certificate: SelfMadeCertificate;
}

/** What runs the cluster of a data centre in this lab; nothing starts yet. */
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

/** Its parts are imported only when they are wanted. */
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
