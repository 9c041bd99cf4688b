import { ApiError, type KubeClient, type KubeRequest, type KubeStream } from '../../src/kube/api/client.ts';
import type { AnyObject } from '../../src/kube/kinds.ts';

/** A server with Services by name, each with a uid, and EndpointSlices without one. A real server is used in test/clusters. */
export class FakeKubeServer implements KubeClient {
  server = 'https://here';
  names: readonly string[] = [];
  slices: readonly AnyObject[] = [];
  /** Those of `names` that cannot be read. */
  broken: readonly string[] = [];
  /** The uid of kube-system; `forbidden` when it may not be read, `absent` when there is none. */
  cluster = 'one';
  version = '1';
  /** The length of an annotation by the name of the Service. */
  readonly lengths = new Map<string, number>();
  lists = 0;
  #watches: ((line: string) => void)[] = [];

  async request<T>({ path, query }: KubeRequest): Promise<T> {
    if (path.endsWith('/kube-system')) {
      if (this.cluster === 'forbidden') throw new ApiError(403, 'Forbidden', 'namespaces "kube-system" is forbidden');
      if (this.cluster === 'absent') throw new ApiError(404, 'NotFound', 'namespaces "kube-system" not found');
      return { metadata: { uid: this.cluster } } as T;
    }
    if (query?.['limit'] !== 1) this.lists += 1;
    const metadata = { resourceVersion: this.version };
    if (path.endsWith('/endpointslices')) return { metadata, items: this.slices.map(withVersion) } as T;
    return { metadata, items: this.names.map((name) => this.#service(name)) } as T;
  }

  #service(name: string) {
    const annotations = { long: 'x'.repeat(this.lengths.get(name) ?? 0) };
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name,
        namespace: name.startsWith('other') ? 'other' : 'video',
        uid: name,
        resourceVersion: this.version,
        ...(annotations.long === '' ? {} : { annotations }),
      },
      spec: { type: this.broken.includes(name) ? 7 : 'ClusterIP' },
    };
  }

  /** Changes one Service, of which watches tell. */
  tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string): void {
    this.version = String(Number(this.version) + 1);
    this.names = this.names.filter((one) => one !== name || type !== 'DELETED');
    if (type === 'ADDED') this.names = [...this.names, name];
    for (const say of this.#watches) say(JSON.stringify({ type, object: this.#service(name) }));
  }

  /** Hands over no item by itself: all are in the answer. */
  list(request: KubeRequest): Promise<unknown> {
    return this.request(request);
  }

  async stream({ signal }: KubeRequest): Promise<KubeStream> {
    const lines: string[] = [];
    let wake = Promise.withResolvers<void>();
    let over = false;
    const end = (): void => {
      over = true;
      wake.resolve();
    };
    signal?.addEventListener('abort', end);
    this.#watches.push((line) => {
      lines.push(line);
      wake.resolve();
    });
    async function* read(): AsyncGenerator<string, void, undefined> {
      while (!over || lines.length > 0) {
        await wake.promise;
        wake = Promise.withResolvers();
        yield* lines.splice(0);
      }
    }
    return { lines: read(), close: end };
  }

  async close(): Promise<void> {}

  /** Replaces the Services, in a gap that no watch reports. */
  gap(...names: readonly string[]): void {
    this.names = names;
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
    for (const say of this.#watches.splice(0)) say(JSON.stringify({ type: 'ERROR', object: status }));
  }
}

const withVersion = (slice: AnyObject): object => ({
  apiVersion: 'discovery.k8s.io/v1',
  ...slice,
  metadata: { ...slice.metadata, resourceVersion: '1' },
});
