import { apiVersion } from '../model/contract.ts';
import { freezeInForce, freezeLine } from '../model/platform/freezes.ts';
import { InputError } from '../model/problem.ts';
import type { Freeze } from '../model/spec/kinds.ts';
import { isOfKind, putting, readValid, removing, type SpecEdit } from './spec-edit.ts';

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
export interface FreezeEdit extends SpecEdit {
  readonly replaced: Freeze | undefined;
}

/**
 * The edit that puts a Freeze into the first folder of `paths`, in a file of its own. Throws an InputError when the spec is not valid, and
 * (`FreezeOfAnother`) where it would end sooner than the one of another person whose place it takes.
 */
export async function freezing(paths: readonly string[], freeze: NewFreeze, nowMs: number): Promise<FreezeEdit> {
  const spec = await readValid(paths, nowMs);
  const replaced = replacedOf(spec.platform.freezes.get(name), nowMs);
  if (replaced !== undefined && freeze.force !== true && replaced.spec.by !== freeze.by && isShorter(freeze, replaced))
    throw new InputError({
      reason: 'FreezeOfAnother',
      message: `the Freeze of ${replaced.spec.by}, whose place it would take, lasts longer: ${freezeLine(replaced)}`,
      fix: 'freeze for as long or longer (without --for it has no end), ask that person, or shorten it all the same with --force',
    });
  const edit = await putting(paths, spec, { kind: 'Freeze', name, text: textOf(freeze, nowMs) }, nowMs);
  return { ...edit, replaced };
}

/** A Freeze that has ended is nobody's. */
function replacedOf(old: Freeze | undefined, nowMs: number): Freeze | undefined {
  return old === undefined ? undefined : freezeInForce({ freezes: new Map([[name, old]]) }, nowMs);
}

function isShorter({ until }: NewFreeze, { spec }: Freeze): boolean {
  return until !== undefined && (spec.until === undefined || Date.parse(until) < Date.parse(spec.until));
}

/** The edit that removes every Freeze; it is empty when none is in force. */
export async function thawing(paths: readonly string[], nowMs: number): Promise<SpecEdit> {
  const spec = await readValid(paths, nowMs);
  const isFrozen = freezeInForce(spec.platform, nowMs) !== undefined;
  const gone = isFrozen ? spec.documents.filter((document) => isOfKind(document, 'Freeze')) : [];
  return removing(spec, gone, nowMs);
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
