import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { eventually } from '../eventually.ts';
import type { LyingProxy } from './lying-proxy.ts';
import { countAnnotation } from './writer.ts';

/** The first count. It is above all counts and resourceVersions that the objects had before, because these never go back. */
const firstCount = 1_000_000;
const mark = '"@count@"';
const version = '"@version@"';

/** The frames of one collection: for each object that the apiserver lists, the watch event that reports a change of it. */
interface Frames {
  readonly collection: string;
  readonly frames: readonly string[];
  readonly names: readonly string[];
}

/**
 * Reports changes of real objects at a rate that the apiserver of a small machine cannot reach: it answers watches at the proxy
 * with frames made from the objects that the apiserver lists. Lists go through to the apiserver.
 */
export class Replay {
  readonly #collections: readonly Frames[];
  readonly #watches = new Map<string, ServerResponse>();
  /** When each count was sent (performance.now). */
  readonly sentMs = new Map<number, number>();
  /** The last count of each object, by collection and key. */
  readonly last = new Map<string, number>();

  private constructor(collections: readonly Frames[]) {
    this.#collections = collections;
  }

  static async of(plane: ControlPlane, proxy: LyingProxy, collections: readonly string[]): Promise<Replay> {
    const replay = new Replay(await Promise.all(collections.map((collection) => recordFrames(plane, collection))));
    proxy.lie = ({ kind, url, response }) => {
      const collection = collections.find((candidate) => url.startsWith(candidate));
      if (kind !== 'watch' || collection === undefined) return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      replay.#watches.set(collection, response);
      return true;
    };
    return replay;
  }

  /** Sends one change after the other, for each collection in turn. Resolves with the rate reached. */
  async play(perSecond: number, seconds: number): Promise<number> {
    // A change that is sent before its collection is watched would be lost: each object comes again only after all others.
    const listening = (): boolean => this.#watches.size >= this.#collections.length;
    await eventually('every collection is watched', listening, { timeoutMs: 120_000, everyMs: 10 });
    const began = performance.now();
    const total = perSecond * seconds;
    for (let turn = 1; turn <= total; turn += 1) {
      const restMs = began + (turn * 1000) / perSecond - performance.now();
      if (restMs > 1) await sleep(restMs);
      const count = firstCount + turn;
      const { collection, frames, names } = this.#collections[count % this.#collections.length] ?? nothing;
      const index = Math.floor(count / this.#collections.length) % frames.length;
      const frame = (frames[index] ?? '').replace(mark, `"${count}"`).replace(version, `"${count}"`);
      this.sentMs.set(count, performance.now());
      this.last.set(`${collection} ${names[index]}`, count);
      this.#watches.get(collection)?.write(frame);
    }
    return total / ((performance.now() - began) / 1000);
  }
}

const nothing: Frames = { collection: '', frames: [], names: [] };

async function recordFrames(plane: ControlPlane, collection: string): Promise<Frames> {
  const { items } = JSON.parse(await plane.kubectl(['get', '--raw', collection])) as {
    readonly items: readonly { readonly metadata: Readonly<Record<string, unknown>> }[];
  };
  const frames = items.map((item) => {
    const annotations = { ...(item.metadata['annotations'] as object), [countAnnotation]: '@count@' };
    const metadata = { ...item.metadata, annotations, resourceVersion: '@version@' };
    return `${JSON.stringify({ type: 'MODIFIED', object: { ...item, metadata } })}\n`;
  });
  return {
    collection,
    frames,
    names: items.map(({ metadata }) => `${String(metadata['namespace'])}/${String(metadata['name'])}`),
  };
}
