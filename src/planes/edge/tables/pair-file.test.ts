import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { silentLog } from '../../../runtime/log.ts';
import { createCertificateReader } from './certificate.ts';
import { pairFile } from './pair-file.ts';
import { CertificatePairs } from './pairs.ts';

test('a file of last good certificates that is lost or damaged while the agent runs is there again within a minute', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-pairs-'));
  const path = join(folder, 'edge-certificates.json');
  const clock = new FakeClock(0);
  const pairs = new CertificatePairs({
    file: pairFile(path, silentLog),
    readCertificate: createCertificateReader(),
    clock,
    log: silentLog,
    recompile: () => {},
  });
  const kept = async (): Promise<readonly string[]> => [...(await pairFile(path, silentLog).read()).keys()];
  /** Advances a minute and some seconds, and waits in between, because files take real time. */
  const pass = async (): Promise<void> => {
    for (let second = 0; second < 65; second += 1) {
      await clock.advance(1000);
      await new Promise((done) => setTimeout(done, 1));
    }
  };
  try {
    await pairs.load(undefined, poolForTests());
    await pass();
    await expect(stat(path), 'where nothing is kept there is no file').rejects.toThrow('ENOENT');
    const certificate = { id: 'a', chain: 'chain', key: 'key' };
    const facts = { notBeforeMs: 0, notAfterMs: 1, names: [] };
    pairs.compiled({
      heldPairs: new Map([['first/video/tls', { certificate, facts }]]),
      brokenClaims: new Set(['first/video/tls']),
      refusedIds: new Set(),
      nextTurnMs: Infinity,
    });
    await expect.poll(kept).toEqual(['first/video/tls']);
    const { ino } = await stat(path);
    await pass();
    expect((await stat(path)).ino).toBe(ino);
    for (const lose of [() => rm(path), () => writeFile(path, ''), () => writeFile(path, '[]')]) {
      await lose();
      expect(await kept()).toEqual([]);
      await pass();
      await expect.poll(kept).toEqual(['first/video/tls']);
    }
    // A folder that takes no file for a while is tried again.
    await rm(folder, { recursive: true });
    await pass();
    await mkdir(folder);
    await pass();
    await expect.poll(kept).toEqual(['first/video/tls']);
  } finally {
    await pairs.stop();
    await rm(folder, { recursive: true, force: true });
  }
  expect(clock.pending).toBe(0);
}, 20_000);
