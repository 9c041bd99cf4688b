import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { withControlPlane } from '../../support/clusters/control-plane.ts';
import { promised } from '../../support/promised.ts';
import { type Direction, dropPackets, passPackets } from '../../support/source/drops.ts';
import { prepare } from '../../support/source/prepare.ts';
import { production, Trial } from '../../support/source/trial.ts';

describe('a network that swallows packets', () => {
  const plane = withControlPlane();
  let trial: Trial;
  beforeAll(async () => {
    await prepare(plane());
  });
  afterEach(() => trial.end());

  const swallow = async (direction: Direction, lasts: () => Promise<void>): Promise<void> => {
    await dropPackets(trial.cluster.gate.port, direction);
    try {
      await lasts();
    } finally {
      await passPackets();
    }
  };

  it.each<Direction>(['both ways', 'to the server', 'from the server'])(
    'is found by the watchdog: %s',
    async (direction) => {
      trial = await Trial.begin(plane(), { timing: { idleMs: 2000, requestMs: 2000 } });
      await trial.endure(
        () =>
          swallow(direction, async () => {
            await trial.judge.stale('SourceUnreachable', 60_000);
            await sleep(3000);
          }),
        // In this direction the server goes on sending until its window is full, because nobody acknowledges its data.
        { stale: ['SourceUnreachable'], lateMs: direction === 'to the server' ? 30_000 : 10_000 },
      );
    },
  );

  it('is found by the kernel before the watchdog of production would look', async () => {
    trial = await Trial.begin(plane(), { timing: production });
    const began = Date.now();
    await trial.endure(() => swallow('both ways', () => trial.judge.stale('SourceUnreachable', 90_000)), {
      stale: ['SourceUnreachable'],
      withinMs: 90_000,
    });
    // The kernel waits for 15 s of silence and sends ten probes a second apart, and the source waits five more seconds.
    const stale = trial.judge.told.find(({ status }) => status.phase === 'stale');
    expect((stale?.atMs ?? Infinity) - began).toBeLessThan(promised(15_000 + 10_000 + 5000));
  });
});
