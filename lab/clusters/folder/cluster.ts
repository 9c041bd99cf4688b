import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Clock, sleep } from '../../../src/runtime/clock.ts';
import { compression } from '../../world/platform.ts';
import type { PodHost } from '../../world/pods.ts';
import type { Datacentre } from '../../world/topology.ts';
import type { LabPod } from '../objects.ts';
import type { ClusterBlock, InputLoss, RunningCluster } from '../running.ts';
import type { Manifests } from './manifests.ts';

/** A cluster whose control plane is a folder of manifests: the lab plays scheduler, controllers and kubelets. */
export class FolderCluster implements RunningCluster {
  readonly datacentre: Datacentre;
  readonly inputLosses: readonly InputLoss[];
  readonly #manifests: Manifests;
  readonly #folder: string;
  readonly #host: PodHost;
  readonly #clock: Clock;

  constructor(options: {
    readonly datacentre: Datacentre;
    readonly manifests: Manifests;
    /** The folder of the manifests. */
    readonly folder: string;
    readonly host: PodHost;
    readonly clock: Clock;
  }) {
    this.datacentre = options.datacentre;
    this.#manifests = options.manifests;
    this.#folder = options.folder;
    this.#host = options.host;
    this.#clock = options.clock;
    const { cluster } = options.datacentre;
    this.inputLosses = [
      { mode: 'vanished', what: `The manifests of ${cluster} are vanished`, says: 'stale SourceMissing' },
      { mode: 'empty', what: `The manifests of ${cluster} are empty`, says: 'stale' },
      { mode: 'garbage', what: `The manifests of ${cluster} are garbage`, says: 'stale' },
    ];
  }

  get pods(): readonly LabPod[] {
    return this.#manifests.pods;
  }

  get blocks(): readonly ClusterBlock[] {
    return this.#manifests.blocks;
  }

  async start(podsPerWorker: number): Promise<void> {
    await Promise.all(this.datacentre.workers.map(({ name }) => this.#addPods(name, podsPerWorker)));
  }

  async scaleUp(count: number): Promise<readonly LabPod[]> {
    const { workers } = this.datacentre;
    const share = (index: number): number => Math.floor((count + workers.length - 1 - index) / workers.length);
    return (await Promise.all(workers.map(({ name }, index) => this.#addPods(name, share(index))))).flat();
  }

  claimBlock(node: string): Promise<string> {
    return Promise.resolve(this.#manifests.addBlock(node));
  }

  async nodeLost(node: string): Promise<void> {
    await sleep(this.#clock, compression.nodeGraceMs);
    await this.#setReady(node, false);
  }

  nodeBack(node: string): Promise<void> {
    return this.#setReady(node, true);
  }

  /** Resolves with no options, because agents read the folder that the Cluster's source names. */
  agentOptions(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({});
  }

  /** Breaks the manifests only: pods and everything else go on. */
  async loseInput(mode: string): Promise<void> {
    if (mode === 'vanished') {
      await rename(this.#folder, this.#away());
      return;
    }
    const content = mode === 'empty' ? '' : 'kind: [Service\n\u0007\u0000 {{ not yaml\n  - at all';
    for (const file of await readdir(this.#folder)) await writeFile(join(this.#folder, file), content);
  }

  /** Writes the manifests again as the cluster is. */
  async mendInput(): Promise<void> {
    await rm(this.#away(), { recursive: true, force: true });
    await this.#manifests.write();
  }

  async stop(): Promise<void> {}

  /** Starts the pods' processes, and makes each pod an endpoint once it answers. */
  async #addPods(node: string, count: number): Promise<readonly LabPod[]> {
    const pods = Array.from({ length: count }, () => this.#manifests.addPod(node));
    await this.#manifests.write();
    await Promise.all(pods.map((pod) => this.#host.start(pod)));
    for (const pod of pods) this.#manifests.setReady(pod.name, true);
    await this.#manifests.write();
    return pods;
  }

  async #setReady(node: string, ready: boolean): Promise<void> {
    for (const pod of this.pods.filter((candidate) => candidate.node === node))
      this.#manifests.setReady(pod.name, ready);
    await this.#manifests.write();
  }

  /** A hidden folder beside the manifests: its files must not be read as part of the platform spec. */
  #away(): string {
    return join(dirname(this.#folder), `.${basename(this.#folder)}-away`);
  }
}
