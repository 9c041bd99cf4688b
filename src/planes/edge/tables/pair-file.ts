import { z } from 'zod';
import type { KubeReason } from '../../../kube/reasons.ts';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { FileMark, replaceFile } from '../../../runtime/kept-file.ts';
import type { Log } from '../../../runtime/log.ts';
import type { PairFile } from './pairs.ts';

const Kept = z.array(
  z.object({
    key: z.string(),
    certificate: z.object({ id: z.string(), chain: z.string(), key: z.string() }),
    facts: z.object({ notBeforeMs: z.number(), notAfterMs: z.number(), names: z.array(z.string()) }),
  }),
);

/** A pair has at most 64 KiB; nobody has thousands that are broken at once. */
const fileBytes = 256 << 20;

/**
 * The last good pairs of broken Secrets in this file, which only its owner may read. A write is atomic; what a write that was
 * cut off leaves behind is replaced by the next one.
 */
export function pairFile(file: string, log: Log): PairFile {
  const mark = new FileMark(file);
  return {
    async read() {
      try {
        const kept = Kept.parse(JSON.parse((await readBounded(file, fileBytes)).toString('utf8')));
        await mark.take();
        return new Map(kept.map(({ key, ...pair }) => [key, pair]));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
        const reason: KubeReason = 'SnapshotUnreadable';
        log.warn({ reason, file, problem: messageOf(error) }, 'the last good certificates cannot be read');
        return new Map();
      }
    },
    async write(kept) {
      mark.forget();
      await replaceFile(file, JSON.stringify([...kept].map(([key, pair]) => ({ key, ...pair }))));
      await mark.take();
    },
    isThere: () => mark.stands(),
  };
}
