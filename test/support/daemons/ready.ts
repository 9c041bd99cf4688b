import { readFile } from 'node:fs/promises';
import type { Daemon } from '../../../lab/daemons/process.ts';
import { stillMissing } from '../../../lab/missing.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

/**
 * Polls `check` until it resolves with true; rejects with the end of the daemon's log after `timeoutMs`, or as soon as the
 * daemon has ended.
 */
export async function waitReady(daemon: Daemon, check: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const failure = async (why: string): Promise<Error> => {
    const log = await readFile(daemon.logFile, 'utf8').catch(() => '');
    return new Error(`the daemon of ${daemon.logFile} ${why}: ${log.slice(-2000)}`);
  };
  const missing = async (): Promise<string | undefined> => {
    if (await check().catch(() => false)) return undefined;
    if (!daemon.running) throw await failure('ended');
    return `is not ready after ${timeoutMs} ms`;
  };
  const why = await stillMissing(missing, { clock: systemClock, timeoutMs, everyMs: 25 });
  if (why !== undefined) throw await failure(why);
}
