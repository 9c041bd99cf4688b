import { execFile } from 'node:child_process';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { Kind } from '../../../src/kube/kinds.ts';
import type { ClusterState } from '../../../src/kube/source.ts';
import { binaries } from '../../support/clusters/binaries.ts';
import { startTestControlPlane } from '../../support/clusters/control-plane.ts';
import { TestCluster } from '../../support/source/cluster.ts';
import { type Manifest, service } from '../../support/source/conformance.ts';
import { prepare } from '../../support/source/prepare.ts';
import { type Recorder, record } from '../../support/source/recorder.ts';

const run = promisify(execFile);
const many = (from: number, count: number): readonly Manifest[] =>
  Array.from({ length: count }, (_, index) => service(`s${from + index}`));

let plane: ControlPlane;
const clusters: TestCluster[] = [];
beforeEach(async () => {
  plane = await startTestControlPlane();
  await prepare(plane);
});
afterEach(async () => {
  for (const cluster of clusters.splice(0)) {
    await cluster.source.stop();
    await rm(cluster.folder, { recursive: true, force: true });
  }
  await plane.stop();
});

const follow = async (
  lastGood?: ClusterState,
  kind: Kind = 'Service',
): Promise<{ readonly cluster: TestCluster; readonly seen: Recorder }> => {
  const options = {
    kinds: [kind],
    ...(lastGood === undefined ? {} : { lastGood: Promise.resolve(lastGood) }),
  };
  const cluster = await TestCluster.create(plane, options);
  clusters.push(cluster);
  return { cluster, seen: record(cluster.source) };
};
const services = (seen: Recorder): number => seen.keys('Service').length;
const data = (): string => join(plane.folder, 'etcd');

/** Does something to etcd's data while nothing runs on it. */
async function whileStopped(act: () => Promise<unknown>): Promise<void> {
  await plane.end('kube-apiserver');
  await plane.end('etcd');
  await act();
  await plane.start('etcd');
  await plane.start('kube-apiserver');
}

/** How a person accepts what the status names. */
const toAccept = ({ status }: Recorder): string =>
  /write (\S+) into/.exec(status !== undefined && 'message' in status ? (status.message ?? '') : '')?.[1] ?? '';

describe('an older backup of etcd', () => {
  const backup = (): string => join(plane.folder, 'backup');
  const takeBackup = (): Promise<void> => whileStopped(() => cp(data(), backup(), { recursive: true }));
  const restoreFiles = (): Promise<void> =>
    whileStopped(async () => {
      await rm(data(), { recursive: true });
      await cp(backup(), data(), { recursive: true });
    });

  it('put back as it was: the watch does not wait for a version that will not come, and what comes next is followed', async () => {
    const { cluster, seen } = await follow();
    await cluster.apply(...many(0, 8));
    await seen.live();
    await seen.until('all', () => services(seen) === 8);
    await takeBackup();
    await cluster.apply(...many(8, 2));
    await seen.until('two more', () => services(seen) === 10);
    await restoreFiles();
    await seen.until('what the backup lacks is gone', () => services(seen) === 8, 60_000);
    expect(await cluster.metric('tideline_kube_relists_total', { cause: 'rewound' })).toBeGreaterThan(0);
    await seen.live();
    await cluster.apply(...many(20, 1));
    await seen.until('the next change', () => seen.keys('Service').includes('video/s20'), 10_000);
  });

  it('that lacks most objects proves no deletion, however often it is listed', async () => {
    const { cluster, seen } = await follow();
    await cluster.apply(...many(0, 3));
    await seen.live();
    await takeBackup();
    await cluster.apply(...many(3, 7));
    await seen.until('all', () => services(seen) === 10);
    await restoreFiles();
    await seen.stale('SourceImplausible', 60_000);
    // The evidence that ends other doubts, a second list of the same cluster, takes 1 s here.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(services(seen)).toBe(10);
    await cluster.apply(...many(20, 1));
    await seen.until('an addition goes on', () => seen.keys('Service').includes('video/s20'), 10_000);
    await writeFile(cluster.acceptFile, toAccept(seen));
    await seen.live();
    expect(services(seen)).toBe(4);
  });

  it('gives the addresses of a Service no company of dead ones once its slice has changed', async () => {
    const slice = (of: string, name: string, address: string): Manifest => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: 'video', labels: { 'kubernetes.io/service-name': of } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    });
    const { cluster, seen } = await follow(undefined, 'EndpointSlice');
    const held = (): string => seen.keys('EndpointSlice').toSorted().join().replaceAll('video/', '');
    await cluster.apply(slice('web', 'web-1', '10.0.0.1'));
    await seen.live();
    await takeBackup();
    const later = [
      slice('web', 'web-2', '10.0.0.2'),
      slice('api', 'api-1', '10.0.0.3'),
      slice('api', 'api-2', '10.0.0.4'),
    ];
    await cluster.apply(slice('web', 'web-1', '10.0.0.5'), ...later);
    await seen.until('all', () => held() === 'api-1,api-2,web-1,web-2');
    await restoreFiles();
    // The first list brings back the older addresses of web-1, which is a change, but shows nothing of what lives.
    await seen.stale('SourceImplausible', 60_000);
    expect(held()).toBe('api-1,api-2,web-1,web-2');
    await cluster.apply(slice('web', 'web-1', '10.0.0.6'));
    await seen.until('only what lives of web', () => held() === 'api-1,api-2,web-1', 10_000);
    expect(seen.status?.phase).toBe('stale');
  });

  it('restored as the documents say is noticed by the server itself: the watch expires, and everything is listed', async () => {
    const { cluster, seen } = await follow();
    await cluster.apply(...many(0, 8));
    await seen.live();
    await takeBackup();
    await cluster.apply(...many(8, 2));
    await seen.until('two more', () => services(seen) === 10);
    await whileStopped(async () => {
      await rm(data(), { recursive: true });
      const peers = `https://${new URL(plane.url).hostname}:2380`;
      const restore = `snapshot restore ${join(backup(), 'member/snap/db')} --skip-hash-check --data-dir ${data()}`;
      const bump = '--bump-revision 1000000000 --mark-compacted';
      const member = `--name only --initial-cluster only=${peers} --initial-advertise-peer-urls ${peers}`;
      await run(join(await binaries(), 'etcdutl'), `${restore} ${bump} ${member}`.split(' '));
    });
    await seen.until('what the backup lacks is gone', () => services(seen) === 8, 60_000);
    expect(await cluster.metric('tideline_kube_relists_total', { cause: 'expired' })).toBeGreaterThan(0);
    await cluster.apply(...many(20, 1));
    await seen.until('the next change', () => seen.keys('Service').includes('video/s20'), 10_000);
  });
});

describe('an emptied etcd, which is another cluster', () => {
  const empty = async (): Promise<void> => {
    await whileStopped(() => rm(data(), { recursive: true }));
    await prepare(plane);
  };

  it('gives nothing to an agent that runs, until a person accepts it', async () => {
    const { cluster, seen } = await follow();
    await cluster.apply(...many(0, 5));
    await seen.live();
    await seen.until('all', () => services(seen) === 5);
    await empty();
    await seen.stale('SourceOfOtherCluster', 60_000);
    await cluster.apply(...many(9, 2));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(seen.keys('Service')).toEqual(many(0, 5).map(({ metadata }) => `video/${metadata.name}`));
    const { uid } = (
      await plane.read<{ readonly metadata: { readonly uid: string } }>('/api/v1/namespaces/kube-system')
    ).metadata;
    expect(toAccept(seen)).toBe(uid);
    await writeFile(cluster.acceptFile, `${uid}\n`);
    await seen.until('the other cluster', () => seen.keys('Service').join() === 'video/s10,video/s9');
    await seen.live();
  });

  it('gives nothing to an agent that starts with a last-good state, until a person accepts it', async () => {
    const first = await follow();
    await first.cluster.apply(...many(0, 5));
    await first.seen.live();
    await first.seen.until('all', () => services(first.seen) === 5);
    await first.cluster.source.stop();
    await empty();
    const { cluster, seen } = await follow(first.seen.state);
    await cluster.apply(...many(9, 1));
    await seen.until(
      'a refusal',
      () => seen.status?.phase === 'syncing' && seen.status.reason === 'SourceOfOtherCluster',
    );
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(seen.changes).toEqual([]);
    await writeFile(cluster.acceptFile, toAccept(seen));
    await seen.live();
    expect(seen.keys('Service')).toEqual(['video/s9']);
  });
});

it('the first list of a start is judged against what is in force, as any later one', async () => {
  const first = await follow();
  await first.cluster.apply(...many(0, 6));
  await first.seen.live();
  await first.seen.until('all', () => services(first.seen) === 6);
  await first.cluster.source.stop();
  await first.cluster.remove(...many(0, 6));
  const { cluster, seen } = await follow(first.seen.state);
  await cluster.apply(service('s9'));
  await seen.stale('SourceImplausible');
  await seen.until('what is missing and what is new', () => services(seen) === 7);
  await writeFile(cluster.acceptFile, toAccept(seen));
  await seen.live();
  expect(seen.keys('Service')).toEqual(['video/s9']);
});
