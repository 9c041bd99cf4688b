import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { Kind } from '../../../src/kube/kinds.ts';
import type { ObjectKey } from '../../../src/kube/objects/metadata.ts';
import { type BulkRequest, bulk } from '../clusters/bulk.ts';
import { countAnnotation } from './writer.ts';

export interface CrowdSize {
  readonly slices: number;
  readonly addressesPerSlice: number;
  readonly ingresses: number;
}

/** The promised size: 50,000 addresses and 5,000 Ingresses. */
export const fullCrowd: CrowdSize = { slices: 500, addressesPerSlice: 100, ingresses: 5000 };

const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/video/endpointslices';
const ingressesPath = '/apis/networking.k8s.io/v1/namespaces/video/ingresses';

/** Fills a cluster with objects up to the size that we promise to support, and changes them at a steady rate. */
export class Crowd {
  readonly #plane: ControlPlane;
  readonly #size: CrowdSize;
  readonly #label: string;
  /** When each change was requested (performance.now), by its count. */
  readonly sentMs = new Map<number, number>();
  /** The count that each object must have in the end, or `gone`. */
  readonly last = new Map<`${Kind} ${ObjectKey}`, number | 'gone'>();
  #count = 0;
  #extra = 0;
  #removed = 0;

  constructor(plane: ControlPlane, size: CrowdSize, label: string) {
    this.#plane = plane;
    this.#size = size;
    this.#label = label;
  }

  async populate(): Promise<void> {
    await bulk(this.#plane, this.#everything());
  }

  /** Requests `perSecond` changes a second for `seconds`, or as many as the apiserver takes. Resolves with the rate reached. */
  async change(perSecond: number, seconds: number): Promise<number> {
    const began = performance.now();
    const done = await bulk(this.#plane, this.#changes(perSecond, seconds), 8);
    return done / ((performance.now() - began) / 1000);
  }

  async *#changes(perSecond: number, seconds: number): AsyncGenerator<BulkRequest> {
    const began = performance.now();
    for (let index = 0; performance.now() - began < seconds * 1000; index += 1) {
      const restMs = began + (index * 1000) / perSecond - performance.now();
      if (restMs > 1) await sleep(restMs);
      yield this.#next(index);
    }
  }

  #next(index: number): BulkRequest {
    this.#count += 1;
    this.sentMs.set(this.#count, performance.now());
    const annotations = { [countAnnotation]: `${this.#count}` };
    // Of a hundred changes two make an Ingress, and another two remove one of the first Ingresses. No object has two requests
    // in flight.
    if (index % 50 === 10) {
      const name = `extra-${this.#extra++}`;
      this.last.set(`Ingress video/${name}`, this.#count);
      return { method: 'POST', path: ingressesPath, body: this.#ingress(name, annotations) };
    }
    if (index % 50 === 35 && this.#removed < Math.floor(this.#size.ingresses / 10)) {
      const name = `i${this.#removed++}`;
      this.last.set(`Ingress video/${name}`, 'gone');
      return { method: 'DELETE', path: `${ingressesPath}/${name}` };
    }
    const body = { metadata: { annotations } };
    if (index % 3 === 0) {
      // The first tenth of the Ingresses is reserved for deletions.
      const kept = this.#size.ingresses - Math.ceil(this.#size.ingresses / 10);
      const name = `i${this.#size.ingresses - 1 - (index % kept)}`;
      this.last.set(`Ingress video/${name}`, this.#count);
      return { method: 'PATCH', path: `${ingressesPath}/${name}`, body };
    }
    const name = `s${index % this.#size.slices}`;
    this.last.set(`EndpointSlice video/${name}`, this.#count);
    return { method: 'PATCH', path: `${slicesPath}/${name}`, body };
  }

  *#everything(): Generator<BulkRequest> {
    for (let index = 0; index < this.#size.slices; index += 1)
      yield { method: 'POST', path: slicesPath, body: this.#slice(index) };
    for (let index = 0; index < this.#size.ingresses; index += 1)
      yield { method: 'POST', path: ingressesPath, body: this.#ingress(`i${index}`, {}) };
  }

  #slice(index: number): object {
    const endpoints = Array.from({ length: this.#size.addressesPerSlice }, (_, at) => {
      const pod = index * this.#size.addressesPerSlice + at;
      return {
        addresses: [`10.${Math.floor(pod / 65_000) + 1}.${Math.floor(pod / 250) % 256}.${1 + (pod % 250)}`],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `worker-${pod % 100}`,
        targetRef: { kind: 'Pod', namespace: 'video', name: `app-${index}-${at}` },
      };
    });
    return {
      metadata: {
        name: `s${index}`,
        labels: { 'tideline-test': this.#label, 'kubernetes.io/service-name': `app-${index}` },
      },
      addressType: 'IPv4',
      endpoints,
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    };
  }

  #ingress(name: string, annotations: object): object {
    const service = { name: `app-${name}`, port: { number: 80 } };
    return {
      metadata: { name, labels: { 'tideline-test': this.#label }, annotations },
      spec: {
        ingressClassName: 'edge',
        rules: [
          { host: `${name}.example.com`, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] } },
        ],
      },
    };
  }
}
