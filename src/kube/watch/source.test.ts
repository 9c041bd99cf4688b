import { access, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeKubeServer } from '../../../test/support/fake-kube-server.ts';
import { silentLog } from '../../runtime/log.ts';
import type { AnyObject } from '../kinds.ts';
import type { ClusterChange, ClusterSource, ClusterState, SourceStatus } from '../source.ts';
import { stateOf } from '../state.ts';
import { createKubernetesSource } from './source.ts';

let folder = '';
const running: ClusterSource[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'source-'));
});
afterEach(async () => {
  for (const source of running.splice(0)) await source.stop();
  await rm(folder, { recursive: true, force: true });
});

function begin(
  names: readonly string[],
  lastGood?: ClusterState,
  cluster = 'one',
  kind: 'Service' | 'EndpointSlice' = 'Service',
  startMs?: number,
) {
  const clock = new FakeClock(startMs);
  const server = new FakeKubeServer();
  server.names = names;
  server.cluster = cluster;
  const acceptFile = join(folder, 'accept');
  const source = createKubernetesSource({
    client: server,
    kinds: [kind],
    clock,
    random: () => 0.5,
    log: silentLog,
    acceptFile,
    ...(lastGood === undefined ? {} : { lastGood: Promise.resolve(lastGood) }),
  });
  running.push(source);
  const heard: { changes: ClusterChange[]; statuses: SourceStatus[] } = { changes: [], statuses: [] };
  source.start({
    onChange: (change) => void heard.changes.push(change),
    onStatus: (status) => void heard.statuses.push(status),
  });
  const held = (): number | undefined => heard.changes.at(-1)?.state.objects.Service.size;
  /** Advances the clock in small steps, and waits between them, because reading the accept file takes real time. */
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1000);
      await sleep(5);
    }
  };
  return { clock, server, source, acceptFile, heard, held, pass };
}

it('asks ever more seldom about a loss that only a person can explain', async () => {
  const { server, source, held, pass } = begin(['a', 'b', 'c', 'd', 'e']);
  await pass(2);
  expect(source.status().phase).toBe('live');
  server.gap();
  await pass(30);
  expect(source.status()).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
  const soon = server.lists;
  expect(soon).toBeGreaterThanOrEqual(4);
  await pass(600);
  expect(server.lists - soon).toBeLessThan(20);
  expect(held()).toBe(5);
}, 60_000);

it('takes the word of a person for one loss, not for the next one that looks the same', async () => {
  const { server, source, acceptFile, held, pass } = begin(['a', 'b', 'c']);
  await pass(2);
  const lose = async (): Promise<string> => {
    server.gap();
    await pass(5);
    const status = source.status();
    expect(status).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
    return /write (\w+) into/.exec(status.phase === 'stale' ? status.message : '')?.[1] ?? '';
  };
  await writeFile(acceptFile, `${await lose()}\n`);
  await expect.poll(() => pass(1).then(held), { timeout: 20_000 }).toBe(0);
  expect(source.status().phase).toBe('live');
  await expect
    .poll(
      () =>
        access(acceptFile).then(
          () => 'there',
          () => 'gone',
        ),
      { timeout: 20_000 },
    )
    .toBe('gone');
  server.gap('a', 'b', 'c');
  await pass(3);
  expect(held()).toBe(3);
  await lose();
  await pass(10);
  expect(held()).toBe(3);
}, 60_000);

it('leaves nothing behind when the listener stops it while it hears of a change', async () => {
  const clock = new FakeClock();
  const server = new FakeKubeServer();
  server.names = ['a'];
  const source = createKubernetesSource({
    client: server,
    kinds: ['Service'],
    clock,
    random: () => 0.5,
    log: silentLog,
  });
  let stopped: Promise<void> | undefined;
  let after = 0;
  source.start({
    onChange() {
      stopped = source.stop();
    },
    onStatus() {
      if (stopped !== undefined) after += 1;
    },
  });
  await clock.advance(1000);
  await stopped;
  expect(stopped).toBeDefined();
  expect(after).toBe(0);
  expect(clock.pending).toBe(0);
});

/** The last-good state of an agent that followed these Services of the cluster `one`. */
const stateWith = (names: readonly string[], cluster: string | undefined = 'one', version = '1'): ClusterState => {
  const services = names.map((name): [string, AnyObject] => [
    `video/${name}`,
    { kind: 'Service', metadata: { name, namespace: 'video', uid: name }, spec: { type: 'ClusterIP' } },
  ]);
  const origin = { ...(cluster === undefined ? {} : { cluster }), versions: { Service: version } };
  return { ...stateOf(0, new Map([['Service', new Map(services)]])), origin };
};
const names = (state: ClusterState | undefined): string =>
  [...(state?.objects.Service.keys() ?? [])].map((key) => key.slice('video/'.length)).join('');

it('judges its first list against the last-good state, and takes an edit for an edit', async () => {
  const { source, heard, pass } = begin(['a', 'b', 'c', 'x'], stateWith(['a', 'b', 'c', 'd']));
  await pass(2);
  expect(source.status().phase).toBe('live');
  expect(names(heard.changes[0]?.state)).toBe('abcx');
  expect(heard.changes).toHaveLength(1);
});

it.each([
  ['of the same cluster', stateWith(['a', 'b', 'c', 'd']), 'a'],
  ['of another cluster that nothing tells apart', stateWith(['a', 'b', 'c', 'd'], undefined), 'x'],
])('holds what its first list lacks, %s', async (_, lastGood, there) => {
  const { source, heard, pass } = begin([there], lastGood);
  await pass(2);
  expect(source.status()).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
  expect(heard.changes).toHaveLength(1);
  expect(names(heard.changes[0]?.state).split('').toSorted().join('')).toBe(there === 'a' ? 'abcd' : 'abcdx');
  await pass(30);
  // The second list of the same cluster is evidence; that of another one is not.
  expect(source.status().phase).toBe(there === 'a' ? 'live' : 'stale');
});

it('takes no older version of the storage for evidence, also when it comes back while nobody looks', async () => {
  const { source, held, pass } = begin(['a'], stateWith(['a', 'b', 'c', 'd'], 'one', '17'));
  await pass(60);
  expect(source.status()).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
  expect(held()).toBe(4);
});

it('says over restarts since when it doubts, and keeps that in its state as soon as the doubt begins', async () => {
  const first = begin(['a', 'b', 'c', 'd', 'e']);
  await first.pass(2);
  first.server.gap();
  await first.pass(20);
  const doubted = first.source.status();
  expect(doubted).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
  const state = first.heard.changes.at(-1)?.state;
  await first.source.stop();
  const sinceMs = doubted.phase === 'stale' ? doubted.sinceMs : 0;
  expect(state?.origin?.doubtSinceMs).toBe(sinceMs);
  const again = begin([], state, 'one', 'Service', sinceMs + 3_600_000);
  await again.pass(10);
  expect(again.source.status()).toMatchObject({ phase: 'stale', reason: 'SourceImplausible', sinceMs });
  again.server.gap('a', 'b', 'c', 'd', 'e');
  await expect.poll(() => again.pass(1).then(() => again.source.status().phase), { timeout: 20_000 }).toBe('live');
  expect(again.heard.changes.at(-1)?.state.origin).not.toHaveProperty('doubtSinceMs');
}, 60_000);

it('takes no older version for evidence after restarts either, though it has kept a state meanwhile', async () => {
  let state: ClusterState = stateWith(['a', 'b', 'c', 'd'], 'one', '17');
  for (let start = 0; start < 3; start += 1) {
    const { source, heard, server, held, pass } = begin(['a'], state);
    await pass(3);
    // Whatever changes while in doubt makes the agent keep a new state.
    server.gap('a', `x${start}`);
    await pass(60);
    expect(source.status()).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
    expect(held()).toBeGreaterThanOrEqual(5);
    state = heard.changes.at(-1)?.state ?? state;
    await source.stop();
  }
  expect(names(state)).toMatch(/^abcd/);
}, 60_000);

it('refuses another cluster as soon as it answers, says how to accept it, and goes on when the old one is back', async () => {
  const { server, source, held, pass, acceptFile, heard } = begin(['a', 'b']);
  await pass(2);
  expect(source.status().phase).toBe('live');
  server.cluster = 'two';
  server.names = ['x', 'y', 'z'];
  await pass(45);
  expect(source.status()).toMatchObject({
    phase: 'stale',
    reason: 'SourceOfOtherCluster',
    message: expect.stringContaining(`write two into ${acceptFile} to accept it`),
  });
  expect(held()).toBe(2);
  server.cluster = 'one';
  server.names = ['a', 'b', 'c'];
  await pass(60);
  expect(source.status().phase).toBe('live');
  expect(held()).toBe(3);
  server.cluster = 'two';
  server.names = ['x'];
  await pass(45);
  await writeFile(acceptFile, 'two');
  await expect.poll(() => pass(1).then(() => names(heard.changes.at(-1)?.state)), { timeout: 20_000 }).toBe('x');
  await pass(1);
  expect(source.status().phase).toBe('live');
}, 60_000);

it('accepts no other cluster by what was written more than a minute before that cluster was refused', async () => {
  const { clock, server, source, pass, acceptFile, heard } = begin(['a', 'b']);
  await pass(2);
  const writtenAgo = async (seconds: number): Promise<void> => {
    const at = clock.now() / 1000 - seconds;
    await writeFile(acceptFile, 'two');
    await utimes(acceptFile, at, at);
  };
  server.cluster = 'two';
  server.names = ['x'];
  await expect.poll(() => pass(1).then(() => source.status()), { timeout: 20_000 }).toMatchObject({ phase: 'stale' });
  expect(source.status()).toMatchObject({ reason: 'SourceOfOtherCluster' });
  const held = (): string => names(heard.changes.at(-1)?.state);
  await writtenAgo(90);
  await pass(20);
  expect(held()).toBe('ab');
  await writtenAgo(0);
  await expect.poll(() => pass(1).then(held), { timeout: 20_000 }).toBe('x');
}, 60_000);

it('takes no object of the former cluster for one of the accepted cluster that cannot be read', async () => {
  const { server, source, pass, acceptFile, heard } = begin(['a', 'b']);
  await pass(2);
  server.cluster = 'two';
  server.names = ['a', 'x'];
  server.broken = ['a'];
  await pass(45);
  expect(source.status()).toMatchObject({ reason: 'SourceOfOtherCluster' });
  await writeFile(acceptFile, 'two');
  const held = (): string => names(heard.changes.at(-1)?.state);
  await expect.poll(() => pass(1).then(held), { timeout: 20_000 }).toContain('x');
  expect(held()).toBe('x');
}, 60_000);

it('refuses another cluster at the start', async () => {
  const { source, heard, pass } = begin(['x'], stateWith(['a', 'b']), 'two');
  await pass(30);
  expect(source.status()).toMatchObject({ phase: 'syncing', reason: 'SourceOfOtherCluster' });
  expect(heard.changes).toEqual([]);
});

it('goes on without the right to know the cluster as long as none is known, and not afterwards', async () => {
  const { source, server, pass } = begin(['a'], undefined, 'forbidden');
  await pass(2);
  expect(source.status().phase).toBe('live');
  server.cluster = 'one';
  await pass(45);
  server.cluster = 'forbidden';
  server.gap('a', 'b');
  await pass(20);
  expect(source.status()).toMatchObject({ phase: 'stale', reason: 'SourceForbidden' });
}, 60_000);

/** A slice with a ready endpoint. */
const slice = (name: string, service: string, address: string): AnyObject => ({
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'video', labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address] }],
  ports: [{ name: '', port: 80, protocol: 'TCP' }],
});

it.each([
  ['gives way to one that came since, of the same cluster', 'one', '12', false],
  ['stays where the cluster has no identity: what came may be of another one', 'forbidden', '12', true],
  ['stays where the list that brings another one is older than what was read before', 'one', '9', true],
])('a slice in doubt %s', async (_, cluster, version, stays) => {
  const [kept, ...lost] = [
    slice('a-1', 'a', '10.0.0.1'),
    slice('b-1', 'b', '10.0.0.2'),
    slice('c-1', 'c', '10.0.0.3'),
    slice('c-2', 'c', '10.0.0.4'),
  ] as const;
  const known = new Map([kept, ...lost].map((one): [string, AnyObject] => [`video/${one.metadata.name}`, one]));
  const origin = { ...(cluster === 'one' ? { cluster } : {}), versions: { EndpointSlice: '10' } };
  const lastGood = { ...stateOf(0, new Map([['EndpointSlice', known]])), origin };
  const { server, source, heard, pass } = begin([], lastGood, cluster, 'EndpointSlice');
  const held = (): readonly string[] =>
    [...(heard.changes.at(-1)?.state.objects.EndpointSlice.keys() ?? [])].toSorted();
  server.version = '11';
  server.slices = [kept];
  await pass(2);
  expect(source.status()).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
  expect(held()).toEqual(['video/a-1', 'video/b-1', 'video/c-1', 'video/c-2']);
  server.version = version;
  server.slices = [kept, slice('b-2', 'b', '10.0.0.9')];
  server.gap();
  await expect.poll(() => pass(1).then(held), { timeout: 20_000 }).toContain('video/b-2');
  await pass(2);
  expect(held().includes('video/b-1')).toBe(stays);
  expect(held()).toContain('video/c-1');
});

it('keeps of one namespace what has room, leaves others theirs, and reads again once there is room', async () => {
  const { server, heard, pass } = begin([]);
  const megabyte = 1 << 20;
  for (let at = 0; at < 50; at += 1) server.lengths.set(`large${at}`, megabyte);
  server.names = [...server.lengths.keys(), 'other'];
  await pass(1);
  const kept = () => [...(heard.changes.at(-1)?.state.objects.Service.keys() ?? [])];
  expect(kept()).toHaveLength(48);
  expect(kept()).toContain('other/other');
  server.tell('MODIFIED', 'other');
  server.tell('ADDED', 'other2');
  await pass(1);
  expect(kept()).toContain('other/other2');
  const { lists } = server;
  server.tell('DELETED', 'large0');
  server.tell('DELETED', 'large1');
  await pass(30);
  expect(kept()).toHaveLength(47);
  expect(server.lists).toBe(lists);
  await pass(40);
  expect(kept()).toHaveLength(49);
});
