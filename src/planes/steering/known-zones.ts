import { z } from 'zod';
import { messageOf } from '../../model/values.ts';
import { readBounded } from '../../runtime/bounded-file.ts';
import { replaceFile } from '../../runtime/kept-file.ts';
import type { Log } from '../../runtime/log.ts';
import type { ZoneAtProvider } from './compile/intent.ts';
import type { ProviderName } from './dialects/dialect.ts';
import { dialects } from './dialects/table.ts';

/** The zones that agents on this machine have planned, so that one that starts after their policies vanished looks after them all the same. */
export interface KnownZones {
  /** As they were kept when the agent started. */
  readonly zones: readonly ZoneAtProvider[];
  /** Keeps these from now on. Never rejects: a zone that is not kept is missed only after the next start. */
  keep(zones: readonly ZoneAtProvider[]): Promise<void>;
}

const mostBytes = 1_048_576;
const isProvider = (name: string): name is ProviderName => Object.hasOwn(dialects, name);
const form = z.array(z.object({ provider: z.string().refine(isProvider), zone: z.string().min(1).max(255) }));

/** Reads what is kept in this file; one that is missing or damaged keeps nothing, and the latter is said in the log. */
export async function knownZonesIn(path: string, log: Log): Promise<KnownZones> {
  let kept = '';
  return {
    zones: await readZones(path, log),
    keep: async (zones) => {
      const text = JSON.stringify(zones.map(({ provider, zone }) => ({ provider, zone })));
      if (text === kept) return;
      try {
        await replaceFile(path, text);
        kept = text;
      } catch (error) {
        log.warn({ path, detail: messageOf(error) }, 'the zones that were planned cannot be kept');
      }
    },
  };
}

async function readZones(path: string, log: Log): Promise<readonly ZoneAtProvider[]> {
  try {
    return form.parse(JSON.parse((await readBounded(path, mostBytes)).toString('utf8')));
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing) log.warn({ path, detail: messageOf(error) }, 'the zones that were planned cannot be read');
    return [];
  }
}
