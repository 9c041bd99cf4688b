import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { ApiError, type KubeClient } from '../../../src/kube/api/client.ts';
import { connect } from '../../../src/kube/api/connect.ts';
import { collectionPath } from '../../../src/kube/api/resources.ts';
import type { Kind } from '../../../src/kube/kinds.ts';
import { knownKind } from '../../../src/kube/kinds.ts';
import type { ClusterSource } from '../../../src/kube/source.ts';
import {
  createKubernetesSource,
  type KubernetesSourceOptions,
  type SourceTiming,
} from '../../../src/kube/watch/source.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { createRegistry, type Registry } from '../../../src/runtime/metrics.ts';
import type { Manifest, SourceInput } from './conformance.ts';
import { Gate } from './gate.ts';

/** Times that are short where those of production are long. */
export const eager: Partial<SourceTiming> = {
  staleAfterMs: 300,
  steadyMs: 100,
  backoffFirstMs: 40,
  backoffCeilingMs: 300,
  missingMs: 300,
  lookAgainMs: 300,
  confirmMs: 1000,
};

let inputs = 0;

/**
 * A part of a real cluster: the objects with one label, which a source reads through a gate. One control plane can hold several,
 * one after the other, because the end of each deletes its objects.
 */
export class TestCluster implements SourceInput {
  readonly label: string;
  readonly gate: Gate;
  readonly kubeconfig: string;
  readonly folder: string;
  readonly acceptFile: string;
  readonly source: ClusterSource;
  readonly registry: Registry;
  readonly #admin: KubeClient;
  readonly #client: KubeClient;
  readonly #made = new Map<string, string>();
  readonly loose = {
    kind: 'BlockAffinity',
    good: { ...looseAffinity, spec: { cidr: '10.10.1.0/26' } },
    bad: { ...looseAffinity, spec: { cidr: 10 } },
  } as const;

  private constructor(parts: {
    readonly label: string;
    readonly gate: Gate;
    readonly kubeconfig: string;
    readonly folder: string;
    readonly admin: KubeClient;
    readonly client: KubeClient;
    readonly options: Partial<KubernetesSourceOptions>;
  }) {
    this.label = parts.label;
    this.gate = parts.gate;
    this.kubeconfig = parts.kubeconfig;
    this.folder = parts.folder;
    this.acceptFile = join(parts.folder, 'accept');
    this.#admin = parts.admin;
    this.#client = parts.client;
    this.registry = createRegistry('test');
    const kinds: readonly Kind[] = parts.options.kinds ?? ['Node', 'Service', 'BlockAffinity'];
    const selector = { labels: `tideline-test=${parts.label}` };
    this.source = createKubernetesSource({
      client: parts.client,
      selectors: Object.fromEntries(kinds.map((kind) => [kind, selector])),
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      registry: this.registry,
      acceptFile: this.acceptFile,
      ...parts.options,
      kinds,
      timing: { ...eager, ...parts.options.timing },
    });
  }

  static async create(plane: ControlPlane, options: Partial<KubernetesSourceOptions> = {}): Promise<TestCluster> {
    inputs += 1;
    const gate = await Gate.open(plane.url);
    const kubeconfig = await plane.kubeconfigFor(
      { user: `agent-${inputs}`, groups: ['system:masters'] },
      { server: gate.url },
    );
    const folder = await mkdtemp(join(tmpdir(), 'tideline-cluster-'));
    const admin = await connect({ kubeconfig: plane.kubeconfig });
    const client = options.client ?? (await connect({ kubeconfig }));
    return new TestCluster({ label: `input-${inputs}`, gate, kubeconfig, folder, admin, client, options });
  }

  /** Creates or replaces objects as the administrator, not through the gate. Unknown fields are ignored, as for old clients. */
  async apply(...objects: readonly Manifest[]): Promise<void> {
    for (const object of objects) {
      const path = pathOf(object);
      const labels = { ...object.metadata.labels, 'tideline-test': this.label };
      const body = { ...object, metadata: { ...object.metadata, labels } };
      const old = await this.#read(`${path}/${object.metadata.name}`);
      this.#made.set(`${path}/${object.metadata.name}`, object.kind);
      const query = { fieldValidation: 'Ignore' };
      if (old === undefined) await this.#admin.request({ method: 'POST', path, query, body });
      else {
        const merged = { ...old, ...body, metadata: { ...old.metadata, ...body.metadata } };
        const spec =
          object.kind === 'Service' ? { ...(old['spec'] as object), ...(object['spec'] as object) } : undefined;
        const whole = spec === undefined ? merged : { ...merged, spec };
        await this.#admin.request({ method: 'PUT', path: `${path}/${object.metadata.name}`, query, body: whole });
      }
    }
  }

  async remove(...objects: readonly Manifest[]): Promise<void> {
    for (const object of objects) await this.#delete(`${pathOf(object)}/${object.metadata.name}`);
  }

  lose(): Promise<void> {
    return this.gate.cut();
  }

  restore(): Promise<void> {
    return this.gate.restore();
  }

  /** The sum of a metric's samples with these labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const found = (await this.registry.getMetricsAsJSON()).find((metric) => metric.name === name);
    const samples = (found?.values ?? []) as readonly { value: number; labels: Readonly<Record<string, unknown>> }[];
    return samples
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  async end(): Promise<void> {
    await this.source.stop();
    await this.#client.close();
    await this.gate.cut();
    for (const path of this.#made.keys()) await this.#delete(path);
    await this.#admin.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #read(path: string): Promise<Manifest | undefined> {
    try {
      return await this.#admin.request<Manifest>({ path });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #delete(path: string): Promise<void> {
    this.#made.delete(path);
    try {
      await this.#admin.request({ method: 'DELETE', path, query: { gracePeriodSeconds: 0 } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
}

const looseAffinity = {
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'BlockAffinity',
  metadata: { name: 'loose' },
} as const;

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const known = knownKind(apiVersion, kind);
  const collection =
    known === undefined ? `/apis/${apiVersion}/${kind.toLowerCase()}s` : collectionPath(known, apiVersion);
  if (metadata.namespace === undefined) return collection;
  return collection.replace(/\/([a-z]+)$/, `/namespaces/${metadata.namespace}/$1`);
}

/** A CustomResourceDefinition that accepts any content, so that faulty objects of another writer can exist. */
export function looseDefinition(group: string, version: string, kind: string, plural: string): Manifest {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}
