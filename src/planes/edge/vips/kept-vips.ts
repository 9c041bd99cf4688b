import { z } from 'zod';
import type { KubeReason } from '../../../kube/reasons.ts';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import type { Log } from '../../../runtime/log.ts';

const Kept = z.object({
  pool: z.string(),
  atMs: z.number(),
  vips: z.array(
    z.object({
      address: z.string(),
      scope: z.enum(['public', 'private']),
      sinceMs: z.number().optional(),
      leftMs: z.number().optional(),
    }),
  ),
});

/** The VIPs that were in force on a blade at a time; all times are in milliseconds since the epoch. */
export interface KeptVips {
  readonly pool: string;
  readonly atMs: number;
  readonly vips: readonly {
    readonly address: string;
    readonly scope: 'public' | 'private';
    /** Since when the pool has it; absent where it had it when the agent started. */
    readonly sinceMs?: number | undefined;
    /** Since when the pool lacks it. */
    readonly leftMs?: number | undefined;
  }[];
}

/** Where the VIPs in force outlive the agent. */
export interface VipFile {
  /** Undefined when there is none that can be read. Never rejects. */
  read(): Promise<KeptVips | undefined>;
  write(kept: KeptVips): Promise<void>;
}

const fileBytes = 1 << 20;

/** The VIPs in force in this file. */
export function vipFile(file: string, log: Log): VipFile {
  return {
    async read() {
      try {
        return Kept.parse(JSON.parse((await readBounded(file, fileBytes)).toString('utf8')));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        const reason: KubeReason = 'SnapshotUnreadable';
        log.warn({ reason, file, problem: messageOf(error) }, 'the VIPs that were in force cannot be read');
        return undefined;
      }
    },
    write: (kept) => replaceFile(file, JSON.stringify(kept)),
  };
}
