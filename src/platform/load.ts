import { withOverlays } from '../model/platform/overlays.ts';
import { InputError } from '../model/problem.ts';
import { buildPlatform } from '../model/spec/build.ts';
import type { SpecDocument } from '../model/spec/document.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import type { Platform } from '../model/spec/platform.ts';
import { compareText } from '../model/values.ts';
import { readPaths } from './files.ts';

/** Either a platform without a fault, or every fault of every file, sorted by file and line. Warnings come with both. */
export type LoadResult =
  | { readonly platform: Platform; readonly warnings: readonly SpecProblem[] }
  | { readonly problems: readonly SpecProblem[]; readonly warnings: readonly SpecProblem[] };

/**
 * Reads and validates the spec in `paths` (files or folders, see `readPaths`). Never rejects because of what is in a
 * file. `nowMs` (milliseconds since the epoch) decides which drains have expired.
 */
export async function loadPlatform(paths: readonly string[], nowMs: number = Date.now()): Promise<LoadResult> {
  const { documents, problems: unread } = await readPaths(paths);
  const { platform, problems, warnings } = buildPlatform(documents, nowMs);
  const all = [...unread, ...problems].sort(byPlace);
  return all.length === 0 ? { platform, warnings } : { problems: all, warnings };
}

/**
 * The platform for commands that cannot go on without one, its policies as overlays make them now; throws an InputError with every problem.
 */
export async function loadPlatformOrThrow(paths: readonly string[]): Promise<Platform> {
  const nowMs = Date.now();
  return withOverlays(await readPlatform(paths, nowMs), nowMs);
}

/** The platform as it is written; throws an InputError with every problem. */
export async function readPlatform(paths: readonly string[], nowMs: number): Promise<Platform> {
  const result = await loadPlatform(paths, nowMs);
  if ('problems' in result) throw new InputError(result.problems);
  return result.platform;
}

/**
 * Reads the documents in `paths`, for whoever validates them together with others. Throws an InputError with every problem when one
 * cannot be read.
 */
export async function readDocumentsOrThrow(paths: readonly string[], nowMs: number): Promise<readonly SpecDocument[]> {
  const { documents, problems: unread } = await readPaths(paths);
  if (unread.length > 0) throw new InputError([...unread, ...buildPlatform(documents, nowMs).problems].sort(byPlace));
  return documents;
}

export function byPlace(a: SpecProblem, b: SpecProblem): number {
  return compareText(a.file ?? '', b.file ?? '') || (a.line ?? 0) - (b.line ?? 0);
}
