import { createHash } from 'node:crypto';
import { apiVersion } from '../model/contract.ts';
import { findObject } from '../model/platform/find.ts';
import { InputError } from '../model/problem.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { unknownName } from '../model/spec/unknown-name.ts';
import { isOfKind, putting, readValid, removing, type SpecEdit } from './spec-edit.ts';

export type DrainTarget = Drain['spec']['target'];

export interface NewDrain {
  readonly target: DrainTarget;
  readonly reason: string;
  /** Of a worker: also while pods on it are Ready. */
  readonly force?: true;
  /** RFC 3339. */
  readonly expires: string;
}

/**
 * The edit that puts a Drain into the first folder of `paths`, in a file of its own. One that this function wrote before for the same
 * target is replaced. Throws an InputError when the spec is not valid, before or after.
 */
export async function draining(paths: readonly string[], drain: NewDrain, nowMs: number): Promise<SpecEdit> {
  const spec = await readValid(paths, nowMs);
  checkTarget(drain.target, spec.platform);
  const name = nameOf(drain.target);
  return putting(paths, spec, { kind: 'Drain', name, text: textOf(name, drain) }, nowMs);
}

/** The edit that removes every Drain of a target; it is empty when there is none. */
export async function undraining(paths: readonly string[], target: DrainTarget, nowMs: number): Promise<SpecEdit> {
  const spec = await readValid(paths, nowMs);
  const gone = spec.documents.filter((document) => isOfKind(document, 'Drain') && isOn(document, target));
  return removing(spec, gone, nowMs);
}

/** A Worker is a Node of a cluster, of which the spec knows nothing. */
export function checkTarget({ kind, name }: DrainTarget, platform: Platform): void {
  if (kind === 'Site' || kind === 'Cluster') findObject(platform, kind, name);
  const blades = [...platform.edgePools.values()].flatMap(({ spec }) => spec.blades.map((blade) => blade.name));
  if (kind === 'Blade' && !blades.includes(name)) throw new InputError(unknownName('blade', name, blades));
}

export function isOn({ value }: SpecDocument, { kind, name }: DrainTarget): boolean {
  return valueAt(value, ['spec', 'target', 'kind']) === kind && valueAt(value, ['spec', 'target', 'name']) === name;
}

/** The longest name that an object of the spec may have. */
const longest = 63;

/**
 * The name of the Drain of a target: `blade-paris-blade-1`. Where that is too long or has dots it is cut, and a hash tells it from the
 * names that begin in the same way: the Drain of one worker must not take the place of another's.
 */
export function nameOf({ kind, name }: DrainTarget): string {
  const whole = `${kind.toLowerCase()}-${name}`;
  if (whole.length <= longest && !name.includes('.')) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${whole.replaceAll('.', '-').slice(0, longest - hash.length - 1)}-${hash}`;
}

function textOf(name: string, { target, reason, force, expires }: NewDrain): string {
  return [
    `apiVersion: ${apiVersion}`,
    'kind: Drain',
    `metadata: { name: ${JSON.stringify(name)} }`,
    'spec:',
    `  target: { kind: ${target.kind}, name: ${JSON.stringify(target.name)} }`,
    ...(force === undefined ? [] : [`  force: ${force}`]),
    `  reason: ${JSON.stringify(reason)}`,
    `  expires: ${JSON.stringify(expires)}`,
    '',
  ].join('\n');
}
