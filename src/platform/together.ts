import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../model/problem.ts';
import { type Built, buildPlatform } from '../model/spec/build.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import { readObject } from '../model/spec/read.ts';
import { problemText, specOf } from './admit.ts';
import { byPlace } from './load.ts';
import type { Why } from './spec-api.ts';

/** An object that APIs add to the folder. */
export interface Addition {
  readonly document: SpecDocument;
  /** The version to go back to when the document does not go together with the rest. */
  readonly last?: SpecDocument;
}

/** What APIs of one rank add, by key. */
export type Stage = Map<string, Addition>;

interface Together {
  readonly built: Built;
  /** The objects that do not go together with the rest, and why. */
  readonly dropped: ReadonlyMap<string, Why>;
}

type Problems = readonly SpecProblem[];

/**
 * Builds the platform of the folder and of what APIs add, stage by stage. An addition that does not go together with the rest is put back
 * to the version that was in force, or taken out of its stage. A later stage never harms an earlier one: what is wrong with it and
 * without it is not its fault, and what is wrong with it alone is, whatever object the problem names. Throws an InputError when the folder
 * is at fault.
 */
export function buildTogether(base: readonly SpecDocument[], stages: readonly Stage[], nowMs: number): Together {
  const dropped = new Map<string, Why>();
  const upTo = (count: number): Built => {
    const added = stages.slice(0, count).flatMap((stage) => [...stage.values()].map(({ document }) => document));
    return buildPlatform([...base, ...added], nowMs);
  };
  for (;;) {
    const built = upTo(stages.length);
    if (built.problems.length === 0) return { built, dropped };
    const [first, ...later] = stages;
    let before: Problems = upTo(1).problems;
    for (const [index, stage] of later.entries()) before = settle(stage, before, () => upTo(index + 2), dropped);
    if (before.length === 0) continue;
    const guilty = guiltyOf(before, first ?? new Map());
    if (guilty.size === 0) throw new InputError(before.toSorted(byPlace));
    putBack(first ?? new Map(), guilty, dropped);
  }
}

/** Takes out of a stage what does not go together with the stages before, and gives the problems that are left, which are theirs. */
function settle(stage: Stage, before: Problems, build: () => Built, dropped: Map<string, Why>): Problems {
  const known = new Set(before.map(identityOf));
  for (;;) {
    const { problems } = build();
    const fresh = problems.filter((problem) => !known.has(identityOf(problem)));
    if (fresh.length === 0) return problems;
    putBack(stage, guiltyOf(fresh, stage), dropped);
  }
}

function identityOf({ object, path, reason, message }: SpecProblem): string {
  return [object, path, reason, message].join('\n');
}

/** Puts each of these back to its last version where it has another, or else takes it out. */
function putBack(stage: Stage, guilty: ReadonlyMap<string, SpecProblem>, dropped: Map<string, Why>): void {
  for (const [key, problem] of guilty) {
    const { document, last } = stage.get(key) ?? {};
    dropped.set(key, { reason: 'ObjectInvalid', message: problemText(problem) });
    if (document !== undefined && last !== undefined && !isSame(last, document))
      stage.set(key, { document: last, last });
    else stage.delete(key);
  }
}

/**
 * The additions that problems name. Where they name none, it is an addition that another object ran into: every one that is not a Drain, with
 * which nothing else collides, or else every one.
 */
function guiltyOf(problems: Problems, stage: Stage): ReadonlyMap<string, SpecProblem> {
  const named = new Map<string, SpecProblem>();
  for (const problem of problems)
    if (problem.object !== undefined && stage.has(problem.object)) named.set(problem.object, problem);
  const [first] = problems;
  if (named.size > 0 || first === undefined) return named;
  const others = [...stage.keys()].filter((key) => !key.startsWith('Drain/'));
  return new Map((others.length > 0 ? others : [...stage.keys()]).map((key) => [key, first] as const));
}

/** Whether two documents say the same of an object: notation, defaults and labels do not count. */
export function isSame(a: SpecDocument, b: SpecDocument): boolean {
  return a === b || isDeepStrictEqual(meaningOf(a), meaningOf(b));
}

function meaningOf(document: SpecDocument): unknown {
  const { value } = readObject(document);
  return value === undefined ? specOf(document) : valueAt(value, ['spec']);
}
