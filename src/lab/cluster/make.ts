import { join } from 'node:path';
import type { Lab } from '../lab.ts';
import { PodHost } from '../world/pods.ts';
import type { Datacentre } from '../world/topology.ts';
import type { SelfMadeCertificate } from './certificate.ts';
import { FolderCluster } from './folder/cluster.ts';
import { Manifests } from './folder/manifests.ts';
import type { RunningCluster } from './running.ts';

export interface ClusterPlace {
  readonly datacentre: Datacentre;
  /** Of the data centre among all; its cluster's addresses differ by it. */
  readonly index: number;
  readonly ingressClass: string;
  readonly certificate: SelfMadeCertificate;
}

/** What runs the cluster of a data centre in this lab; nothing starts yet. */
export async function makeCluster(lab: Lab, place: ClusterPlace): Promise<RunningCluster> {
  const { datacentre, index, ingressClass, certificate } = place;
  const { network, supervisor, options } = lab;
  const { clock, runFolder } = options;
  const host = new PodHost({
    network,
    supervisor,
    cluster: datacentre.cluster,
    directory: join(runFolder, 'pods'),
  });
  const folder = join(lab.platformFolder, 'clusters', datacentre.cluster);
  const manifests = new Manifests({
    folder,
    workers: datacentre.workers,
    pool: datacentre.prefixes.pods[0] ?? '',
    clusterIp: `10.96.${index}.10`,
    ingressClass,
    certificate,
  });
  return new FolderCluster({ datacentre, manifests, folder, host, clock });
}
