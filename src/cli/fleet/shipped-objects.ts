import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../../planes/fleet/compile/objects/manifest.ts';
import type { ShippedObjects } from '../../planes/fleet/compile/objects.ts';
import { readBounded } from '../../runtime/bounded-file.ts';

const mostBytes = 2 ** 20;

/** The objects of `deploy` that a cluster of ours has: what its kustomization names, and the CRDs of Calico. */
export async function shippedObjects(deploy: string): Promise<ShippedObjects> {
  const tideline = await resourcesOf(deploy);
  const part = { 'app.kubernetes.io/part-of': 'tideline' };
  return {
    tideline: tideline.map((one) => ({
      ...one,
      metadata: { ...one.metadata, labels: { ...one.metadata.labels, ...part } },
    })),
    calico: await objectsBelow(join(deploy, 'calico')),
    felix: await objectsBelow(join(deploy, 'calico/felix')),
  };
}

async function objectsBelow(folder: string): Promise<readonly Manifest[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return (await Promise.all(names.map((name) => objectsIn(join(folder, name))))).flat();
}

/** The objects that the kustomization of a folder of ours names, by itself and by folders. */
async function resourcesOf(folder: string): Promise<readonly Manifest[]> {
  const [kustomization] = await objectsIn(join(folder, 'kustomization.yaml'));
  const resources = (kustomization?.['resources'] ?? []) as readonly string[];
  const found = resources.map((name) =>
    name.endsWith('.yaml') ? objectsIn(join(folder, name)) : resourcesOf(join(folder, name)),
  );
  return (await Promise.all(found)).flat();
}

async function objectsIn(file: string): Promise<readonly Manifest[]> {
  const text = (await readBounded(file, mostBytes)).toString();
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}
