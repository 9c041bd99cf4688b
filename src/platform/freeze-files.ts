import { apiVersion } from '../model/contract.ts';
import { freezeInForce, freezeLine } from '../model/platform/freezes.ts';
import { InputError } from '../model/problem.ts';
import { buildPlatform } from '../model/spec/build.ts';
import type { Freeze } from '../model/spec/kinds.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import type { Platform } from '../model/spec/platform.ts';
import { readPaths } from './files.ts';
import { byPlace } from './load.ts';
import { type FileEdit, isOfKind, placing, removals } from './spec-edit.ts';

export interface NewFreeze {
  readonly reason: string;
  /** Who asks for it. */
  readonly by: string;
  /** RFC 3339; absent where it lasts until it is removed. */
  readonly until?: string;
  /** Take the place of the Freeze of another person also where that one lasts longer. */
  readonly force?: true;
}

/** The name of the Freeze that the command writes: there is one, and a second one takes its place. */
const name = 'platform';

/** An edit that puts a Freeze, and the one in force whose place it takes. */
interface FreezeEdit {
  readonly edits: readonly FileEdit[];
  /** Those that stand then, each valid by itself. */
  readonly freezes: Platform['freezes'];
  readonly replaced: Freeze | undefined;
  /** What is wrong with the rest of the spec, sorted by file and line. */
  readonly problems: readonly SpecProblem[];
}

/** These say that no spec was read where one was named: a Freeze there would reach nobody. */
const elsewhere: ReadonlySet<string> = new Set(['FileMissing', 'FolderEmpty']);

/**
 * The edit that puts a Freeze into the first folder of `paths`, in a file of its own. Errors elsewhere in the spec do not keep
 * it from being written: who presses the red button has no time to mend them. Throws an InputError when no spec was read, and
 * (`FreezeOfAnother`) where it would end sooner than the one of another person whose place it takes.
 */
export async function freezing(paths: readonly string[], freeze: NewFreeze, nowMs: number): Promise<FreezeEdit> {
  const { documents, problems: unread } = await readPaths(paths);
  const before = buildPlatform(documents, nowMs);
  if (
    unread.some(({ reason }) => elsewhere.has(reason)) ||
    (unread.length + before.problems.length > 0 && isEmpty(before.platform))
  )
    throw new InputError([...unread, ...before.problems].sort(byPlace));
  const replaced = replacedOf(before.platform.freezes.get(name), nowMs);
  if (replaced !== undefined && freeze.force !== true && replaced.spec.by !== freeze.by && isShorter(freeze, replaced))
    throw new InputError({
      reason: 'FreezeOfAnother',
      message: `the Freeze of ${replaced.spec.by}, whose place it would take, lasts longer: ${freezeLine(replaced)}`,
      fix: 'freeze for as long or longer (without --for it has no end), ask that person, or shorten it all the same with --force',
    });
  const placed = await placing(paths, documents, { kind: 'Freeze', name, text: textOf(freeze, nowMs) });
  const { platform, problems } = buildPlatform(placed.documents, nowMs);
  const { file } = placed.edit;
  const own = [...placed.problems, ...problems].filter((problem) => problem.file === file);
  if (own.length > 0) throw new InputError(own);
  const rest = [...unread.filter((problem) => problem.file !== file), ...problems].sort(byPlace);
  return { edits: [placed.edit], freezes: platform.freezes, replaced, problems: rest };
}

/** The Freeze in force in these files, also where the rest of the spec has errors. */
export async function freezeOf(paths: readonly string[], nowMs: number): Promise<Freeze | undefined> {
  const { documents } = await readPaths(paths);
  const freezes = documents.filter((document) => isOfKind(document, 'Freeze'));
  return freezeInForce(buildPlatform(freezes, nowMs).platform, nowMs);
}

function isEmpty({ sites, clusters, edgePools, policies }: Platform): boolean {
  return sites.size + clusters.size + edgePools.size + policies.size === 0;
}

/** A Freeze that has ended is nobody's. */
function replacedOf(old: Freeze | undefined, nowMs: number): Freeze | undefined {
  return old === undefined ? undefined : freezeInForce({ freezes: new Map([[name, old]]) }, nowMs);
}

function isShorter({ until }: NewFreeze, { spec }: Freeze): boolean {
  return until !== undefined && (spec.until === undefined || Date.parse(until) < Date.parse(spec.until));
}

/** An edit that removes every Freeze; `edits` is empty when none is in force. */
interface ThawEdit {
  readonly edits: readonly FileEdit[];
  /** What could be read of the spec as it stands. */
  readonly before: Platform;
  /** Those that stand afterwards. */
  readonly freezes: Platform['freezes'];
  /** What is wrong with the rest of the spec, sorted by file and line. */
  readonly problems: readonly SpecProblem[];
}

/**
 * The edit that removes every Freeze, also one that is broken itself. Errors elsewhere in the spec do not keep it from being removed. Throws an
 * InputError with them when no Freeze was found: one may stand in what cannot be read.
 */
export async function thawing(paths: readonly string[], nowMs: number): Promise<ThawEdit> {
  const { documents, problems: unread } = await readPaths(paths);
  const { platform: before, problems: invalid } = buildPlatform(documents, nowMs);
  const standing = documents.filter((document) => isOfKind(document, 'Freeze'));
  const isFrozen = freezeInForce(before, nowMs) !== undefined || standing.length > before.freezes.size;
  const gone = isFrozen ? standing : [];
  if (gone.length === 0 && unread.length + invalid.length > 0)
    throw new InputError([...unread, ...invalid].sort(byPlace));
  const left = buildPlatform(
    documents.filter((document) => !gone.includes(document)),
    nowMs,
  );
  const problems = gone.length === 0 ? [] : [...unread, ...left.problems].sort(byPlace);
  return { edits: await removals(documents, gone), before, freezes: left.platform.freezes, problems };
}

function textOf({ reason, by, until }: NewFreeze, nowMs: number): string {
  return [
    `apiVersion: ${apiVersion}`,
    'kind: Freeze',
    `metadata: { name: ${name} }`,
    'spec:',
    `  reason: ${JSON.stringify(reason)}`,
    `  by: ${JSON.stringify(by)}`,
    `  since: ${JSON.stringify(`${new Date(nowMs).toISOString().slice(0, 19)}Z`)}`,
    ...(until === undefined ? [] : [`  until: ${JSON.stringify(until)}`]),
    '',
  ].join('\n');
}
