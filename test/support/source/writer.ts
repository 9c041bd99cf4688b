import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { collectionPath } from '../../../src/kube/api/resources.ts';
import { type Kind, kindFacts } from '../../../src/kube/kinds.ts';
import type { ObjectKey } from '../../../src/kube/objects/metadata.ts';
import { RawClient } from '../clusters/raw.ts';
import { eventually } from '../eventually.ts';

/** Kinds that the writer writes, so that a source of exactly these is always kept busy. */
export const writtenKinds = ['Service', 'EndpointSlice', 'Ingress'] as const satisfies readonly Kind[];
export type WrittenKind = (typeof writtenKinds)[number];

export const countAnnotation = 'tideline-test/count';

const slotsPerKind = 12;

/** The state that an object must have in the end: its count, or gone. */
export type Last = number | 'gone';

/**
 * Writes a known sequence to an apiserver, not through the gate or proxy of the source. Every write carries a count that only
 * grows; objects are changed, deleted and made again. A write whose answer is lost is repeated until the server confirms it,
 * so the final state is known.
 */
export class Writer {
  readonly #plane: ControlPlane;
  readonly #label: string;
  readonly #namespace: string;
  readonly #pauseMs: number;
  readonly #last = new Map<string, Last>();
  readonly #deleted = new Set<string>();
  #client: RawClient;
  #running: Promise<void> | undefined;
  #stopping = false;
  #count = 0;

  constructor(
    plane: ControlPlane,
    options: { readonly label: string; readonly namespace?: string; readonly pauseMs?: number },
  ) {
    this.#plane = plane;
    this.#label = options.label;
    this.#namespace = options.namespace ?? 'video';
    this.#pauseMs = options.pauseMs ?? 15;
    this.#client = new RawClient(plane.kubeconfig);
  }

  /** The number of writes that are done. */
  get count(): number {
    return this.#count;
  }

  /** The final states of the objects of a kind, by key. */
  last(kind: Kind): ReadonlyMap<ObjectKey, Last> {
    const prefix = `${kind} `;
    return new Map(
      [...this.#last].filter(([id]) => id.startsWith(prefix)).map(([id, last]) => [id.slice(prefix.length), last]),
    );
  }

  /** Whether a deletion of this object was ever requested. */
  everDeleted(kind: Kind, key: ObjectKey): boolean {
    return this.#deleted.has(`${kind} ${key}`);
  }

  start(): void {
    this.#stopping = false;
    this.#running ??= this.#run();
  }

  /** Resolves when the write in progress is known to be done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    this.#running = undefined;
  }

  /** Resolves when `more` further writes are done; rejects when that takes more than two minutes. */
  async writes(more: number): Promise<void> {
    const goal = this.#count + more;
    const what = `the writer comes from ${goal - more} to ${goal}`;
    await eventually(what, () => this.#count >= goal, { timeoutMs: 120_000, everyMs: 20 });
  }

  /** Deletes all objects that it made, and closes its connection. */
  async end(): Promise<void> {
    await this.stop();
    for (const kind of writtenKinds) {
      for (const [key, last] of this.last(kind)) {
        if (last !== 'gone') await this.#delete(kind, key.slice(key.indexOf('/') + 1));
      }
    }
    await this.#client.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#write(this.#count + 1);
      this.#count += 1;
      await sleep(this.#pauseMs);
    }
  }

  async #write(count: number): Promise<void> {
    const kind = writtenKinds[count % writtenKinds.length] ?? 'Service';
    const name = `w${Math.floor(count / writtenKinds.length) % slotsPerKind}-${this.#label}`;
    const id = `${kind} ${this.#namespace}/${name}`;
    const before = this.#last.get(id) ?? 'gone';
    if (before !== 'gone' && count % 7 === 0) {
      this.#deleted.add(id);
      await this.#delete(kind, name);
      this.#last.set(id, 'gone');
      return;
    }
    const body = this.#bodyOf(kind, name, count);
    const collection = this.#collection(kind);
    const patch = async (): Promise<number> =>
      await this.#send('PATCH', `${collection}/${name}`, body, 'application/merge-patch+json');
    await this.#repeatUntilAccepted(async () => {
      const status = before === 'gone' ? await this.#send('POST', collection, body) : await patch();
      // The object was made by an attempt whose answer was lost.
      return status === 409 ? await patch() : status;
    });
    this.#last.set(id, count);
  }

  async #delete(kind: WrittenKind, name: string): Promise<void> {
    await this.#repeatUntilAccepted(async () => {
      const status = await this.#send('DELETE', `${this.#collection(kind)}/${name}?gracePeriodSeconds=0`);
      return status === 404 ? 200 : status;
    });
  }

  /** Repeats a request until the server has accepted it. */
  async #repeatUntilAccepted(attempt: () => Promise<number>): Promise<void> {
    for (;;) {
      const status = await attempt().catch(async () => {
        await this.#client.close();
        // The kubeconfig of the control plane may have changed.
        this.#client = new RawClient(this.#plane.kubeconfig);
        return 0;
      });
      if (status >= 200 && status < 300) return;
      if (status >= 400 && status < 500 && ![401, 403, 408, 409, 410, 429].includes(status))
        throw new Error(`the writer was answered ${status}`);
      await sleep(100);
    }
  }

  async #send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, contentType?: string): Promise<number> {
    return (await this.#client.send(method, path, body, contentType)).status;
  }

  #collection(kind: WrittenKind): string {
    return collectionPath(kind, kindFacts[kind].apiVersions[0]).replace(
      /\/([a-z]+)$/,
      `/namespaces/${this.#namespace}/$1`,
    );
  }

  #bodyOf(kind: WrittenKind, name: string, count: number): object {
    const head = {
      apiVersion: kindFacts[kind].apiVersions[0],
      kind,
      metadata: {
        name,
        namespace: this.#namespace,
        labels: { 'tideline-test': this.#label },
        annotations: { [countAnnotation]: `${count}` },
      },
    };
    const port = 1 + (count % 60_000);
    if (kind === 'Service') return { ...head, spec: { clusterIP: 'None', ports: [{ port }] } };
    if (kind === 'Ingress')
      return { ...head, spec: { defaultBackend: { service: { name: 'web', port: { number: port } } } } };
    const addresses = [`10.9.${Math.floor(count / 250) % 250}.${1 + (count % 250)}`];
    return { ...head, addressType: 'IPv4', endpoints: [{ addresses }], ports: [{ port }] };
  }
}
