import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/support/fake-clock.ts';
import { ApiError, type KubeRequest } from '../../../../kube/api/client.ts';
import { drainedAnnotation } from '../cluster-objects.ts';
import type { DrainContext } from './context.ts';
import { drainWorker, returnWorker } from './worker.ts';

interface Played {
  unschedulable: boolean;
  annotation: string | undefined;
  /** Names of pods; `bare…` has no controller. */
  pods: string[];
  readonly evicted: string[];
  /** What happens when the node is closed. */
  onClose: () => void;
}

/** An API that has one Node and evicts at once. */
function world(change: Partial<Played> = {}) {
  const played: Played = {
    unschedulable: false,
    annotation: undefined,
    pods: ['web-1'],
    evicted: [],
    onClose: () => undefined,
    ...change,
  };
  const pod = (name: string) => ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      ...(name.startsWith('bare') ? {} : { ownerReferences: [{ kind: 'ReplicaSet', name: 'web', controller: true }] }),
    },
    spec: { nodeName: 'w0' },
  });
  const request = async ({ method = 'GET', path, body }: KubeRequest): Promise<unknown> => {
    const eviction = /pods\/(.*)\/eviction$/.exec(path)?.[1];
    if (eviction !== undefined) {
      played.pods = played.pods.filter((name) => name !== eviction);
      played.evicted.push(eviction);
    }
    if (path === '/api/v1/pods') return { items: played.pods.map(pod) };
    if (path.includes('/replicasets/')) return { spec: { replicas: 2 }, status: { readyReplicas: played.pods.length } };
    if (path.includes('/drains/')) throw new ApiError(404, 'NotFound', 'no Drains');
    if (path !== '/api/v1/nodes/w0') return {};
    if (method === 'PATCH') {
      const { metadata, spec } = body as {
        metadata: { annotations: Record<string, string> };
        spec?: { unschedulable: boolean | null };
      };
      played.annotation = metadata.annotations[drainedAnnotation];
      if (spec !== undefined) played.unschedulable = spec.unschedulable === true;
      if (played.unschedulable) played.onClose();
    }
    const annotations = played.annotation === undefined ? {} : { [drainedAnnotation]: played.annotation };
    return { metadata: { resourceVersion: '1', annotations }, spec: { unschedulable: played.unschedulable } };
  };
  const context = (checksum: string) =>
    ({
      api: { request },
      run: { command: 'apply', checksum },
      signal: new AbortController().signal,
      say: () => undefined,
      clock: new FakeClock(),
      patienceMs: 0,
      everyMs: 1,
    }) as unknown as DrainContext;
  return {
    played,
    drain: (checksum: string) => drainWorker('w0', context(checksum)),
    giveBack: (checksum: string) => returnWorker('w0', context(checksum)),
    written: () => JSON.parse(played.annotation ?? '{}'),
  };
}
/** The first look evicts, and its second one finds nothing. */
const twice = async (drain: () => Promise<unknown>) => {
  await drain();
  await drain();
};

describe('a worker that a run left drained', () => {
  it('is taken over by the next run, which counts what ran before and opens it', async () => {
    const { played, drain, giveBack, written } = world();
    await twice(() => drain('run-1'));
    expect(played).toMatchObject({ unschedulable: true, pods: [] });
    await drain('run-2');
    expect(written()).toMatchObject({ run: 'run-2', cordoned: true, ready: { 'ReplicaSet/shop/web': 1 } });
    await giveBack('run-2');
    expect(played.unschedulable).toBe(false);
  });

  it('is opened by a run that gives it back without a drain of its own', async () => {
    const { played, drain, giveBack } = world();
    await twice(() => drain('run-1'));
    await giveBack('run-2');
    expect(played.unschedulable).toBe(false);
  });

  it('stays closed where somebody else had closed it, and what ran before counts', async () => {
    const { played, drain, giveBack, written } = world({ unschedulable: true });
    await twice(() => drain('run-1'));
    await drain('run-2');
    expect(written()).toMatchObject({ run: 'run-2', cordoned: false, ready: { 'ReplicaSet/shop/web': 1 } });
    await giveBack('run-2');
    expect(played.unschedulable).toBe(true);
  });

  it('counts anew where it was given back, by a run or by a person', async () => {
    const { played, drain, giveBack, written } = world({ pods: ['web-1', 'web-2'] });
    await twice(() => drain('run-1'));
    played.unschedulable = false;
    played.pods = ['web-3'];
    await twice(() => drain('run-2'));
    expect(written()).toMatchObject({ cordoned: true, ready: { 'ReplicaSet/shop/web': 1 } });
    await giveBack('run-2');
    played.unschedulable = true;
    await drain('run-3');
    expect(written()).toMatchObject({ run: 'run-3', cordoned: false, ready: {} });
  });
});

it('does not evict a pod without a controller that came before the node was closed', async () => {
  const { played, drain } = world();
  played.onClose = () => played.pods.push('bare');
  expect(await drain('run-1')).toEqual([
    { reason: 'PodUnmanaged', message: 'shop/bare has no controller that would make it again' },
  ]);
  expect(played.evicted).toEqual([]);
});
