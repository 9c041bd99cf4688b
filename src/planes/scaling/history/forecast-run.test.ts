import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stepMs } from '../forecast/history.ts';
import { forecastInThread } from './forecast-run.ts';
import { appendStep } from './store.ts';

it('forecasts in a thread, by a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-forecast-'));
  try {
    const nowMs = Date.UTC(2026, 10, 28, 12);
    const question = { nowMs, atMs: nowMs + 900_000, quantile: 0.975, fallbackMargin: 0.2 };
    const job = { folder: join(folder, 'demand'), question };
    expect(await forecastInThread(job)).toEqual({ damaged: 0 });
    for (let at = 11; at >= 0; at--)
      await appendStep(job.folder, { atMs: nowMs - at * stepMs, requestsPerSecond: { FR: 900 } });
    const { forecast } = await forecastInThread(job);
    expect(forecast?.places).toMatchObject([{ place: 'FR', requestsPerSecond: 900, isShort: true }]);
    await expect(forecastInThread({ ...job, folder: '/dev/null' })).rejects.toThrow(/ENOTDIR/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
