import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runFiles } from '../../../src/model/contract.ts';
import { calico } from '../../support/network/calico.ts';
import { basics, me, World } from './world.ts';

const a = '10.10.1.0/26';
const b = '10.10.3.0/26';
let world: World;
beforeEach(async () => {
  world = await World.start();
  await world.put('basics.yaml', basics);
  await world.put('a.yaml', calico.owned(a, me, { 5: me }));
  await world.put('b.yaml', calico.owned(b, me));
  world.startAgent();
  await world.waitRouter(a, b);
  await world.waitBlackholes(a, b);
  await world.until('the last-good state is on disk', async () => (await snapshot()).includes(b));
});
afterEach(() => world.stop());

const snapshotPath = (): string => join(world.directory, runFiles.networkSnapshot);
const snapshot = (): Promise<string> => readFile(snapshotPath(), 'utf8').catch(() => '');
const endAll = async (): Promise<void> => {
  await world.endAgent('SIGKILL');
  await world.killExabgp();
};
const withdrawals = async (seen: () => Promise<readonly string[]>): Promise<readonly string[]> =>
  (await seen()).filter((line) => line.startsWith('tor - '));

it('agent and ExaBGP that start anew while the source is away announce the last-good state, and say so', async () => {
  await endAll();
  await world.loseManifests();
  await world.startExabgp();
  world.startAgent();
  await world.until('announced from the last-good state', async () => {
    const { source, announced, notices } = await world.status();
    return (
      source.servingSnapshot &&
      [a, b].every((block) => announced.some(({ prefix }) => prefix === block)) &&
      notices?.some(({ reason }) => reason === 'ServingSnapshot') === true
    );
  });
  // The end-of-RIB has been sent, so that the router keeps what it has now: it deletes stale routes with it.
  await world.waitRouter(a, b);
  expect(await world.blackholes()).toEqual([a, b]);
  await world.restoreManifests();
  await world.until('the cluster is read', async () => {
    const { source } = await world.status();
    return source.phase === 'live' && !source.servingSnapshot;
  });
  expect(await world.inRouter()).toEqual([a, b]);
});

it('takes nothing away by an old state: what ExaBGP holds beside it stays', async () => {
  await world.endAgent('SIGTERM');
  const old = await snapshot();
  world.startAgent();
  await world.put('c.yaml', calico.owned('10.10.7.0/26', me));
  await world.waitRouter(a, b, '10.10.7.0/26');
  await world.endAgent('SIGKILL');
  await writeFile(snapshotPath(), old);
  const seen = await world.watchRoutes();
  await world.loseManifests();
  world.startAgent();
  await world.until('serving', async () => (await world.status()).source.servingSnapshot);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await withdrawals(seen)).toEqual([]);
  expect(await world.blackholes()).toEqual([a, b, '10.10.7.0/26']);
});

it('a start is no amnesty: blocks that vanished while the agent was away are held until a person accepts it', async () => {
  await world.endAgent('SIGKILL');
  const seen = await world.watchRoutes();
  await rm(join(world.manifests, 'a.yaml'));
  await rm(join(world.manifests, 'b.yaml'));
  world.startAgent();
  await world.until('doubt', async () => (await world.status()).source.reason === 'SourceImplausible');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await withdrawals(seen)).toEqual([]);
  expect(await world.inRouter()).toEqual([a, b]);
  const { message = '' } = (await world.status()).source;
  const fingerprint = /write (\w{12}) into/.exec(message)?.[1] ?? '';
  await writeFile(join(world.manifests, '.tideline-accept'), fingerprint);
  await world.waitRouter();
});

it('without any last-good state, an emptied cluster and a start hold what ExaBGP and the kernel have', async () => {
  await world.endAgent('SIGKILL');
  await rm(snapshotPath());
  const seen = await world.watchRoutes();
  await rm(join(world.manifests, 'a.yaml'));
  await rm(join(world.manifests, 'b.yaml'));
  world.startAgent();
  await world.until('held', async () => (await world.status()).reason === 'BlocksMissing');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await withdrawals(seen)).toEqual([]);
  await world.put('b.yaml', calico.owned(b, me));
  await world.waitRouter(b);
});

it('without any last-good state and any source, what runs out is counted down', async () => {
  await endAll();
  await rm(snapshotPath());
  await world.loseManifests();
  await world.startExabgp();
  world.startAgent();
  const left = async (): Promise<number> => {
    const { refusals } = await world.status();
    const found = refusals.find(({ reason }) => reason === 'RoutesRunOut');
    return Number(/FRR in (\d+) s/.exec(found?.message ?? '')?.[1]);
  };
  await world.until('a countdown', async () => (await left()) > 0);
  const [first, begin] = [await left(), performance.now()];
  expect(first).toBeLessThanOrEqual(360);
  await world.until('it counts', async () => (await left()) <= first - 3, 30_000);
  const [counted, passed] = [first - (await left()), (performance.now() - begin) / 1000];
  expect(Math.abs(counted - passed)).toBeLessThan(2);
});
