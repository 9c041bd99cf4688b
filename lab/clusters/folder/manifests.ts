import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AnyObject } from '../../../src/kube/kinds.ts';
import {
  endpointSliceObject,
  ingressClassObject,
  ingressObject,
  type LabPod,
  nodeObject,
  podObject,
  secretObject,
  serviceObject,
} from '../objects.ts';
import { affinityObject, allocate, type Block, blockObject, claim, nextFreeCidr, poolObject } from './ipam.ts';

export interface ManifestsOptions {
  readonly folder: string;
  readonly workers: readonly { readonly name: string; readonly address: string }[];
  /** The prefix of the IPPool, an IPv4 /16. */
  readonly pool: string;
  readonly clusterIp: string;
  readonly ingressClass: string;
  readonly certificate: { readonly chain: string; readonly key: string };
}

type Manifest = AnyObject & { readonly apiVersion: string };

/**
 * The objects that a cluster would report, as far as Tideline reads them: pods, their addresses from Calico blocks, Service,
 * EndpointSlice, Ingress. They are kept as a folder of ordinary YAML in step with what runs; each file is replaced in one move.
 */
export class Manifests {
  readonly #options: ManifestsOptions;
  #blocks: readonly Block[];
  #pods: readonly LabPod[] = [];
  #numbers = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ManifestsOptions) {
    this.#options = options;
    const [a, b] = options.pool.split('.');
    this.#blocks = options.workers.reduce<readonly Block[]>(
      (blocks, worker, index) => claim(blocks, worker.name, `${a}.${b}.${index + 1}.0/26`),
      [],
    );
  }

  get pods(): readonly LabPod[] {
    return this.#pods;
  }

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** Gives a new pod a name and an address; it is in the manifests after the next `write`, an endpoint once ready. */
  addPod(node: string): LabPod {
    this.#numbers += 1;
    const name = `web-${node}-${this.#numbers}`;
    const { blocks, address } = allocate(this.#blocks, { name, node }, this.#options.pool);
    const pod = { name, node, address, ready: false };
    this.#blocks = blocks;
    this.#pods = [...this.#pods, pod];
    return pod;
  }

  setReady(name: string, ready: boolean): void {
    this.#pods = this.#pods.map((pod) => (pod.name === name ? { ...pod, ready } : pod));
  }

  /** The node claims a further block; new pods of the node use it first. Returns its prefix. */
  addBlock(node: string): string {
    const cidr = nextFreeCidr(this.#blocks, this.#options.pool);
    const claimed = claim(this.#blocks, node, cidr);
    this.#blocks = [...claimed.slice(-1), ...claimed.slice(0, -1)];
    return cidr;
  }

  /** Writes all manifests. Writes follow one another; the last one holds the newest state. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { folder, workers, pool, clusterIp, ingressClass, certificate } = this.#options;
    await mkdir(folder, { recursive: true });
    const blocks = this.#blocks.toSorted((a, b) => (a.cidr < b.cidr ? -1 : 1));
    await writeManifests(folder, 'nodes', workers.map(nodeObject));
    await writeManifests(folder, 'calico', [
      poolObject(pool),
      ...blocks.flatMap((block): readonly Manifest[] => [affinityObject(block), blockObject(block)]),
    ]);
    await writeManifests(folder, 'video', [
      ingressClassObject(ingressClass),
      ingressObject(ingressClass),
      serviceObject(clusterIp),
      secretObject(certificate),
    ]);
    await writeManifests(folder, 'pods', [endpointSliceObject(this.#pods), ...this.#pods.map(podObject)]);
  }
}

async function writeManifests(folder: string, name: string, objects: readonly Manifest[]): Promise<void> {
  const path = join(folder, `${name}.yaml`);
  // Readers of a manifest folder skip dot files; the move then puts the whole new file in place at once.
  const unfinished = join(folder, `.${name}.yaml`);
  await writeFile(unfinished, objects.map((object) => stringify(object)).join('---\n'));
  await rename(unfinished, path);
}
