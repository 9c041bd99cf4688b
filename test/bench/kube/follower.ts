import { readFileSync } from 'node:fs';
import { KubeConfig, type KubernetesListObject, type KubernetesObject, makeInformer } from '@kubernetes/client-node';
import { connect } from '../../../src/kube/kubernetes/connect.ts';
import { createKubernetesSource } from '../../../src/kube/kubernetes/source.ts';
import { objectsOfKind } from '../../../src/kube/state.ts';
import type { Kind } from '../../../src/model/kubernetes.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';

/**
 * `follower.ts ours|informer KUBECONFIG`: follows EndpointSlices and Ingresses in a process of its own, by our source or by the
 * informer of @kubernetes/client-node. Says one line of JSON when everything is listed, and on SIGTERM a second one with when
 * each change was seen.
 */
export interface Listed {
  readonly objects: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly idleMiB: number;
  readonly listedMiB: number;
}

export interface Followed {
  /** The count of a change and the wall time when it was seen. */
  readonly seen: readonly (readonly [number, number])[];
  readonly processorSeconds: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
}

const countAnnotation = 'tideline-test/count';
const kinds: readonly Kind[] = ['EndpointSlice', 'Ingress'];
const informerPaths = ['/apis/discovery.k8s.io/v1/endpointslices', '/apis/networking.k8s.io/v1/ingresses'] as const;

const seen: [number, number][] = [];
const note = (
  object: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } } | undefined,
): void => {
  const count = object?.metadata?.annotations?.[countAnnotation];
  if (count !== undefined) seen.push([Number(count), Date.now()]);
};

async function ours(kubeconfig: string): Promise<number> {
  const source = createKubernetesSource({
    client: await connect({ kubeconfig }),
    kinds,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  return new Promise((resolve) => {
    let first = true;
    source.start({
      onStatus: () => undefined,
      onChange({ state, changed }) {
        if (first) resolve(kinds.reduce((sum, kind) => sum + objectsOfKind(state, kind).size, 0));
        else for (const [kind, keys] of changed) for (const key of keys) note(objectsOfKind(state, kind).get(key));
        first = false;
      },
    });
  });
}

async function informer(kubeconfig: string): Promise<number> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const counts = await Promise.all(
    informerPaths.map(async (path) => {
      const list = async (): Promise<KubernetesListObject<KubernetesObject>> => await get(config, path);
      const made = makeInformer(config, path, list);
      await made.start();
      made.on('add', note);
      made.on('update', note);
      return made.list().length;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The whole list at once, as the examples of the library do; without its generated classes, which cost more. */
async function get(config: KubeConfig, path: string): Promise<KubernetesListObject<KubernetesObject>> {
  const options: { headers?: Record<string, string> } = {};
  await config.applyToHTTPSOptions(options);
  const { request } = await import('node:https');
  return await new Promise((resolve, reject) => {
    const asked = request(`${config.getCurrentCluster()?.server}${path}`, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')) as KubernetesListObject<KubernetesObject>),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

const [, , who, kubeconfig = ''] = process.argv;
const idleMiB = memory('VmRSS');
const beganMs = performance.now();
const before = processor();
const objects = await (who === 'ours' ? ours(kubeconfig) : informer(kubeconfig));
say({
  objects,
  seconds: (performance.now() - beganMs) / 1000,
  processorSeconds: processor() - before,
  idleMiB,
  listedMiB: memory('VmRSS'),
} satisfies Listed);
const listed = processor();
process.on('SIGTERM', () => {
  const followed: Followed = {
    seen,
    processorSeconds: processor() - listed,
    residentMiB: memory('VmRSS'),
    peakMiB: memory('VmHWM'),
  };
  process.stdout.write(`${JSON.stringify(followed)}\n`, () => process.exit(0));
});

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function processor(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function memory(field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}
