import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Platform } from '../../src/model/spec/platform.ts';
import { loadPlatformOrThrow } from '../../src/platform/load.ts';

/** How much faster than in production time passes (of one thing, slower); shown wherever figures are shown. */
export const compression = {
  /** Both name servers check health every 1 s instead of every 10 s. */
  healthFactor: 10,
  /** The TTL in the lab's copy of the policies; the spec has 30. */
  ttlSeconds: 2,
  /** A node is found dead after 4 s instead of 40 s. */
  nodeGraceMs: 4000,
  /** A minute of an alert's patience is three seconds: nobody waits ten minutes in a lab. */
  alertFactor: 20,
  /** VIPs outlive their agent by 15 s instead of 5: the agents of all servers share the processors of one machine. */
  leaseSeconds: 15,
} as const;

/**
 * Copies the platform spec to a folder where faults may edit it, with the compressed TTL and plain HTTP served, and loads it. With `controlPlanes`,
 * clusters that the spec reads from folders are read from control planes. Throws InputError for a bad one.
 */
export async function preparePlatform(source: string, folder: string, controlPlanes = false): Promise<Platform> {
  await loadPlatformOrThrow([source]);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // The lab writes the clusters' manifests itself, because its pods are not those of the example.
  await cp(source, folder, { recursive: true, filter: (path) => basename(path) !== 'clusters' });
  for (const name of await readdir(folder)) if (/\.ya?ml$/.test(name)) await adapt(join(folder, name), controlPlanes);
  return loadPlatformOrThrow([folder]);
}

async function adapt(file: string, controlPlanes: boolean): Promise<void> {
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  const ofKind = (kind: string) => documents.filter((document) => document.get('kind') === kind);
  const policies = ofKind('TrafficPolicy');
  for (const policy of policies) policy.setIn(['spec', 'ttlSeconds'], compression.ttlSeconds);
  const clusters = ofKind('Cluster').filter(
    (cluster) => controlPlanes && cluster.hasIn(['spec', 'source', 'manifests']),
  );
  for (const cluster of clusters)
    cluster.setIn(['spec', 'source'], {
      kubeconfig: `./clusters/${String(cluster.getIn(['metadata', 'name']))}.kubeconfig`,
    });
  // Half of the lab's requests are plain HTTP, and the demo judges what the pods answer to them.
  const pools = ofKind('EdgePool');
  for (const pool of pools) {
    pool.setIn(['spec', 'https'], { redirect: false });
    pool.setIn(['spec', 'leaseSeconds'], compression.leaseSeconds);
  }
  if (policies.length + clusters.length + pools.length > 0) await writeFile(file, documents.map(String).join(''));
}
