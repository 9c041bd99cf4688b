import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { KubeConfig, KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import type { Kind } from '../../../src/kube/kinds.ts';
import { objectsOfKind } from '../../../src/kube/state.ts';

/**
 * `follower.ts ours|informer KUBECONFIG`: follows EndpointSlices and Ingresses in a process of its own, by our source or by the
 * informer of @kubernetes/client-node. It prints a line of JSON when everything is listed, and on SIGTERM a second one with the
 * time at which it saw each change.
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

type Follow = (kubeconfig: string) => Promise<number>;

/** Each follower imports only its own modules, before it is measured, so that its memory has nothing of the other. */
async function ours(): Promise<Follow> {
  const { connect } = await import('../../../src/kube/api/connect.ts');
  const { createKubernetesSource } = await import('../../../src/kube/watch/source.ts');
  const { systemClock } = await import('../../../src/runtime/clock.ts');
  const { silentLog } = await import('../../../src/runtime/log.ts');
  return async (kubeconfig) => {
    const client = await connect({ kubeconfig });
    const random = Math.random;
    const source = createKubernetesSource({ client, kinds, clock: systemClock, random, log: silentLog });
    return await new Promise((resolve) => {
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
  };
}

async function informer(): Promise<Follow> {
  const { KubeConfig, makeInformer } = await import('@kubernetes/client-node');
  return async (kubeconfig) => {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const counts = await Promise.all(
      informerPaths.map(async (path) => {
        const made = makeInformer(config, path, () => get(config, path));
        await made.start();
        made.on('add', note);
        made.on('update', note);
        return made.list().length;
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
}

/** Reads a whole list at once, as the examples of the library do, but without its generated classes, which cost more. */
async function get(config: KubeConfig, path: string): Promise<KubernetesListObject<KubernetesObject>> {
  const options: { headers?: Record<string, string> } = {};
  await config.applyToHTTPSOptions(options);
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
const follow = await (who === 'ours' ? ours() : informer());
const idleMiB = memory('VmRSS');
const beganMs = performance.now();
const before = processor();
const objects = await follow(kubeconfig);
printLine({
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

function printLine(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function processor(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function memory(field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}
