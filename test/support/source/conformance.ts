import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Kind } from '../../../src/kube/kinds.ts';
import { keyOf } from '../../../src/kube/objects/metadata.ts';
import type { ClusterSource } from '../../../src/kube/source.ts';
import { type Recorder, record } from './recorder.ts';

/** A raw Kubernetes object as a person would write it. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
};

/**
 * One input of a source, which a test controls. Operations resolve when the input has changed, not when the source has seen
 * it.
 */
export interface SourceInput {
  readonly source: ClusterSource;
  apply(...objects: readonly Manifest[]): Promise<void>;
  remove(...objects: readonly Manifest[]): Promise<void>;
  /** Takes the whole input away, as a failure would. */
  lose(): Promise<void>;
  /** Brings the input back as it was. */
  restore(): Promise<void>;
  /** An object that the input can hold in a good and in a bad form. */
  readonly loose: { readonly kind: Kind; readonly good: Manifest; readonly bad: Manifest };
  /** Stops the source if it runs, and cleans up. */
  end(): Promise<void>;
}

export function service(name: string, port = 80): Manifest {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'video' }, spec: { ports: [{ port }] } };
}

export function node(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name } };
}

function deployment(name: string): Manifest {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name, image: name }] } };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'video' }, spec };
}

/** Tests the contract that every ClusterSource keeps, whatever it reads from. */
export function describeClusterSource(name: string, create: () => Promise<SourceInput>): void {
  describe(`${name} is a ClusterSource`, () => {
    let input: SourceInput;
    beforeEach(async () => {
      input = await create();
    });
    afterEach(() => input.end());

    const startWith = async (...objects: readonly Manifest[]): Promise<Recorder> => {
      await input.apply(...objects);
      const seen = record(input.source);
      await seen.live();
      return seen;
    };

    it('has no effect before start, and its first change is the whole input', async () => {
      await input.apply(node('a'), service('web'));
      expect(input.source.status()).toEqual({ phase: 'syncing' });
      const seen = record(input.source);
      await seen.live();
      expect(seen.changes).toHaveLength(1);
      expect(seen.changes[0]?.changed).toEqual(
        new Map([
          ['Node', new Set(['a'])],
          ['Service', new Set(['video/web'])],
        ]),
      );
      expect(input.source.status()).toMatchObject({ phase: 'live' });
    });

    it('is not live on an empty input, and is as soon as there is something', async () => {
      const seen = record(input.source);
      await seen.until('a reason', () => seen.status?.phase === 'syncing' && seen.status.reason !== undefined);
      expect(seen.changes).toEqual([]);
      await input.apply(node('a'));
      await seen.live();
      expect(seen.keys('Node')).toEqual(['a']);
    });

    it('tells exactly what was added, modified and removed, and shares the rest', async () => {
      const seen = await startWith(node('a'), service('web'), service('api'));
      const first = seen.state;
      await input.apply(service('web', 8080), service('new'));
      await seen.until('the edit', () => seen.get('Service', 'video/new') !== undefined);
      await seen.until('the edit', () => seen.get('Service', 'video/web')?.spec?.ports?.[0]?.port === 8080);
      await input.remove(service('api'));
      await seen.until('the removal', () => seen.get('Service', 'video/api') === undefined);
      const told = new Set(seen.changes.slice(1).flatMap(({ changed }) => [...(changed.get('Service') ?? [])]));
      expect(told).toEqual(new Set(['video/web', 'video/new', 'video/api']));
      expect(seen.state?.objects.Node).toBe(first?.objects.Node);
      expect(first?.objects.Service.size).toBe(2);
      expect(seen.keys('Service')).toEqual(['video/new', 'video/web']);
    });

    it('numbers its snapshots in steps of one', async () => {
      const seen = await startWith(node('a'));
      for (const name of ['b', 'c', 'd']) {
        await input.apply(node(name));
        await seen.until(name, () => seen.keys('Node').includes(name));
      }
      const first = seen.changes[0]?.state.revision ?? 0;
      expect(seen.changes.map(({ state }) => state.revision - first)).toEqual(seen.changes.map((_, index) => index));
    });

    it('takes the loss of its input for a status, never for a change', async () => {
      const seen = await startWith(node('a'), node('b'), service('web'));
      const before = seen.state;
      await input.lose();
      await seen.until('stale', () => seen.status?.phase === 'stale');
      expect(seen.state).toBe(before);
      await input.restore();
      await seen.live();
      expect(seen.state?.objects).toEqual(before?.objects);
      await input.apply(node('c'));
      await seen.until('the change after it', () => seen.keys('Node').join() === 'a,b,c');
    });

    it('refuses a bad object alone, and keeps its last good version', async () => {
      const { kind, good, bad } = input.loose;
      const seen = await startWith(good, service('api'));
      const before = seen.get(kind, keyOf(good.metadata));
      await input.apply(bad, service('api', 81), service('new'));
      await seen.until('the good ones', () => seen.get('Service', 'video/api')?.spec?.ports?.[0]?.port === 81);
      await seen.until('the good ones', () => seen.get('Service', 'video/new') !== undefined);
      expect(before).toBeDefined();
      expect(seen.get(kind, keyOf(good.metadata))).toEqual(before);
      expect(input.source.status()).toMatchObject({ phase: 'live' });
    });

    it('keeps only the fields of the model, and ignores kinds it does not read', async () => {
      const seen = await startWith(
        { ...node('a'), spec: { podCIDRs: ['10.10.1.0/26'], providerID: 'x' }, extra: 1 },
        deployment('web'),
      );
      expect(seen.get('Node', 'a')?.spec).toEqual({ podCIDRs: ['10.10.1.0/26'] });
      expect(seen.get('Node', 'a')).not.toHaveProperty('extra');
    });

    it('says nothing after stop', async () => {
      const seen = await startWith(node('a'));
      await input.source.stop();
      const told = seen.changes.length + seen.statuses.length;
      await input.apply(node('b'));
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(seen.changes.length + seen.statuses.length).toBe(told);
    });
  });
}
