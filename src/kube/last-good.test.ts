import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { sleep } from '../runtime/clock.ts';
import { silentLog } from '../runtime/log.ts';
import type { AnyObject } from './kinds.ts';
import { SnapshotWriter, snapshotFile } from './last-good.ts';
import { readSnapshot } from './snapshot.ts';
import type { ClusterState } from './source.ts';
import { emptyState, stateOf } from './state.ts';

const state = (revision: number): ClusterState => ({ ...emptyState, revision });

/** A disk that needs `takesMs` for each write. */
function rig(takesMs: number) {
  const clock = new FakeClock(0);
  const written: { readonly revision: number; readonly endedMs: number }[] = [];
  let busy = false;
  const file = {
    read: () => Promise.resolve(undefined),
    async write({ revision }: ClusterState): Promise<void> {
      if (busy) throw new Error('two writes at a time');
      busy = true;
      await sleep(clock, takesMs);
      busy = false;
      written.push({ revision, endedMs: clock.monotonic() });
    },
  };
  return { clock, written, writer: new SnapshotWriter({ file, clock, log: silentLog, delayMs: 1000 }) };
}

describe('the snapshot of a cluster', () => {
  test('is written a second after it changed, with what is newest then', async () => {
    const { clock, written, writer } = rig(10);
    writer.save(state(1));
    await clock.advance(500);
    writer.save(state(2));
    await clock.advance(520);
    expect(written).toEqual([{ revision: 2, endedMs: 1010 }]);
    await clock.advance(60_000);
    expect(written).toHaveLength(1);
  });

  test.each([
    [200, 1000 + 200 + 20 * 200 + 200],
    [3000, 1000 + 3000 + 10_000 + 3000],
  ])(
    'that changes all the time and takes %d ms to write is written again only after a rest, and is the newest',
    async (takesMs, secondEndsMs) => {
      const { clock, written, writer } = rig(takesMs);
      for (let revision = 0; revision < 400; revision += 1) {
        writer.save(state(revision));
        await clock.advance(100);
      }
      expect(written[0]?.endedMs).toBe(1000 + takesMs);
      expect(written[1]?.endedMs).toBe(secondEndsMs);
      expect(written[1]?.revision).toBe((secondEndsMs - takesMs) / 100 - 1);
    },
  );

  test('that could not be written is tried again though nothing changes, and not after the end', async () => {
    const clock = new FakeClock(0);
    let full = true;
    const tried: number[] = [];
    const file = {
      read: () => Promise.resolve(undefined),
      async write({ revision }: ClusterState): Promise<void> {
        tried.push(revision);
        if (full) throw new Error('ENOSPC');
      },
    };
    const writer = new SnapshotWriter({ file, clock, log: silentLog, delayMs: 1000 });
    writer.save(state(1));
    await clock.advance(25_000);
    expect(tried).toEqual([1, 1, 1]);
    full = false;
    await clock.advance(60_000);
    expect(tried).toEqual([1, 1, 1, 1]);
    full = true;
    writer.save(state(2));
    await writer.flush();
    await clock.advance(60_000);
    expect(tried).toEqual([1, 1, 1, 1, 2]);
  });

  test('is written again within a minute when it was deleted, emptied or replaced, though nothing changes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'last-good-'));
    const path = join(folder, 'snapshot.json');
    const clock = new FakeClock(0);
    const service: AnyObject = {
      kind: 'Service',
      metadata: { name: 'web', namespace: 'video' },
      spec: { type: 'ClusterIP' },
    };
    const held = stateOf(1, new Map([['Service', new Map([['video/web', service]])]]));
    const writer = new SnapshotWriter({ file: snapshotFile(path, silentLog), clock, log: silentLog, delayMs: 1000 });
    const readable = async (): Promise<boolean> => (await readSnapshot(path)).ok;
    /** Advances a minute and some seconds, and waits in between, because files take real time. */
    const pass = async (): Promise<void> => {
      for (let second = 0; second < 65; second += 1) {
        await clock.advance(1000);
        await new Promise((done) => setTimeout(done, 2));
      }
    };
    try {
      writer.save(held);
      await clock.advance(1500);
      await expect.poll(readable).toBe(true);
      await pass();
      const before = (await stat(path)).ino;
      await pass();
      expect((await stat(path)).ino).toBe(before);
      for (const lose of [() => rm(path), () => writeFile(path, ''), () => writeFile(path, '{}')]) {
        await lose();
        expect(await readable()).toBe(false);
        await pass();
        await expect.poll(readable).toBe(true);
      }
      await writer.flush();
      expect(clock.pending).toBe(0);
      // What an agent has read from disk is kept as well, and grows no younger by it.
      await utimes(path, 1000, 1000);
      const file = snapshotFile(path, silentLog);
      const next = new SnapshotWriter({ file, clock, log: silentLog, delayMs: 1000 });
      next.keep((await file.read()) ?? held);
      await rm(path);
      await pass();
      await expect.poll(readable).toBe(true);
      expect((await stat(path)).mtimeMs).toBe(1_000_000);
      await next.flush();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 20_000);

  test('is written at once when the agent ends', async () => {
    const { clock, written, writer } = rig(200);
    writer.save(state(1));
    await clock.advance(1300);
    writer.save(state(2));
    const flushed = writer.flush();
    await clock.advance(200);
    await flushed;
    expect(written.map(({ revision }) => revision)).toEqual([1, 2]);
    await clock.advance(60_000);
    expect(written).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});
