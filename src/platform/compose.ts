import type { SpecDocument } from '../model/spec/document.ts';
import type { Platform } from '../model/spec/platform.ts';
import { withoutUndefined } from '../model/values.ts';
import { admitAll, type ByKey, byKey, byKindAndName, type Candidate, type Claims, verdictOn } from './admit.ts';
import { readableFolder } from './held.ts';
import { type ApiObject, keyOf, type Verdict } from './spec-api.ts';
import { type Addition, buildTogether, isSame, type Stage } from './together.ts';

/** The documents that are in force, by `Kind/name`. */
export type InForce = ByKey;

export interface Composed {
  readonly platform: Platform;
  readonly inForce: InForce;
  /** One for each object of each API that concerns the agent, and for each of the folder that is held. */
  readonly verdicts: readonly Verdict[];
}

/** What the folder and the APIs say; what the folder says is trusted. */
export interface Sources extends Claims {
  readonly nowMs: number;
}

/**
 * The platform that the folder and the APIs give together. Equal copies of an object are one. Of copies that differ the one on which
 * the places agreed last stays in force, and it is said which places differ. An object of an API that is bad, or that says more than
 * this API may, changes nothing but its verdict. So does an object of the folder with a field that is not known. Throws an InputError when the
 * folder itself is not valid.
 */
export function composePlatform({ nowMs, ...given }: Sources): Composed {
  const { documents: folder, verdicts: held } = readableFolder(given.folder, given.inForce);
  const claims = { ...given, folder };
  const { candidates, refused } = admitAll(claims);
  const verdicts = new Map<ApiObject, Verdict>(refused);
  const stages = new Map<number, Stage>([[0, new Map()]]);
  const replaced = new Map<string, SpecDocument>();
  const inFolder = byKey(folder);
  for (const [key, copies] of Map.groupBy(candidates, (candidate) => candidate.key)) {
    const { document, last, verdict } = choose(inFolder.get(key), copies);
    for (const copy of copies) verdicts.set(copy.object, verdict(copy));
    if (inFolder.has(key)) replaced.set(key, document);
    else stageOf(stages, copies).set(key, { document, ...withoutUndefined({ last }) });
  }
  const base = folder.map((document) => replaced.get(keyOf(document) ?? '') ?? document);
  const inOrder = [...stages].toSorted(([a], [b]) => a - b).map(([, stage]) => stage);
  const { built, dropped } = buildTogether(base, inOrder, nowMs);
  const added = inOrder.flatMap((stage) => [...stage]);
  const keys = new Set(added.map(([key]) => key));
  for (const candidate of candidates) {
    const why = dropped.get(candidate.key);
    if (why === undefined) continue;
    verdicts.set(candidate.object, verdictOn(candidate, keys.has(candidate.key) ? 'held' : 'refused', why));
  }
  return {
    platform: built.platform,
    inForce: byKey([...base, ...added.map(([, { document }]) => document)]),
    verdicts: [
      ...held,
      ...claims.apis.flatMap(({ objects }) =>
        objects.toSorted(byKindAndName).flatMap((object) => verdicts.get(object) ?? []),
      ),
    ],
  };
}

/** The stage of the most trusted of these copies. */
function stageOf(stages: Map<number, Stage>, copies: readonly Candidate[]): Stage {
  const rank = Math.min(...copies.map((copy) => copy.rank));
  const stage = stages.get(rank) ?? new Map();
  stages.set(rank, stage);
  return stage;
}

interface Choice extends Addition {
  readonly verdict: (copy: Candidate) => Verdict;
}

/** Which version of an object counts, and what is to be said of each copy in an API. */
function choose(inFolder: SpecDocument | undefined, copies: readonly Candidate[]): Choice {
  const all = [...(inFolder === undefined ? [] : [inFolder]), ...copies.map(({ document }) => document)];
  const [first] = all as [SpecDocument, ...SpecDocument[]];
  // All may have said the same once only if each may say it.
  const last = copies.every((copy) => copy.last !== undefined) ? copies[0]?.last : undefined;
  const other = all.find((document) => !isSame(first, document));
  const document = other === undefined ? first : (last ?? first);
  const verdict = (copy: Candidate): Verdict => {
    if (copy.held !== undefined) return verdictOn(copy, 'held', copy.held);
    if (other === undefined) return verdictOn(copy, 'accepted', { reason: 'InForce', message: 'it is in force' });
    const kept = last === undefined ? `that of ${first.file}` : 'the one on which they agreed last';
    const places = [...new Set([first.file, other.file, copy.document.file])].join(' and ');
    return verdictOn(copy, isSame(copy.document, document) ? 'accepted' : 'held', {
      reason: 'CopiesDiffer',
      message: `the copies in ${places} differ; in force is ${kept}`,
    });
  };
  return { document, ...withoutUndefined({ last }), verdict };
}
