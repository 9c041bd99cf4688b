import type { Platform } from '../../model/spec/platform.ts';
import type { SpecWriter } from '../../platform-api/write.ts';
import { readCluster } from '../cluster-read.ts';
import type { Rim } from './write.ts';

const patienceMs = 5000;

/** Writes into the APIs of the clusters, each time over a connection of its own. */
export function objectWriter(platform: Platform): Rim['writeObject'] {
  return async ({ cluster, name, spec }) => {
    const undo = await withWriter(platform, cluster, (writer) =>
      spec === undefined ? writer.remove(name) : writer.put(name, spec),
    );
    return () => withWriter(platform, cluster, undo);
  };
}

async function withWriter<T>(platform: Platform, cluster: string, work: (writer: SpecWriter) => Promise<T>) {
  const { SpecWriter: Writer } = await import('../../platform-api/write.ts');
  const done = await readCluster(platform, cluster, {
    folder: noApi,
    api: async (client) => ({
      value: await work(new Writer({ kind: 'Drain', client, cluster, timeoutMs: patienceMs })),
    }),
  });
  return done === undefined ? noApi() : done.value;
}

/** Who writes has read the same API a moment ago. */
async function noApi(): Promise<never> {
  throw new Error('the spec names no API of this cluster any more');
}
