import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import { isKindName } from '../model/spec/kinds.ts';
import { readObject } from '../model/spec/read.ts';
import { type ByKey, problemText } from './admit.ts';
import { keyOf, type Verdict } from './spec-api.ts';

interface Readable {
  readonly documents: readonly SpecDocument[];
  readonly verdicts: readonly Verdict[];
}

/**
 * The documents of a folder, each that has a field which this release does not know in the version that was in force, if there was one:
 * during a rollout the spec may be newer than the agent. Every other fault of a folder is left to whoever builds the platform, because a person who
 * edits several objects in one folder means them together.
 */
export function readableFolder(folder: readonly SpecDocument[], inForce: ByKey): Readable {
  const verdicts: Verdict[] = [];
  const documents = folder.map((document) => {
    const held = heldOf(document, inForce);
    if (held === undefined) return document;
    verdicts.push(held.verdict);
    return { ...document, value: held.value };
  });
  return { documents, verdicts };
}

function heldOf(
  document: SpecDocument,
  inForce: ByKey,
): { readonly value: unknown; readonly verdict: Verdict } | undefined {
  const last = inForce.get(keyOf(document) ?? '');
  const kind = valueAt(document.value, ['kind']);
  if (last === undefined || !isKindName(kind)) return undefined;
  const { problems } = readObject(document);
  const [problem] = problems;
  if (problem === undefined || problems.some(({ reason }) => reason !== 'UnknownField')) return undefined;
  const name = String(valueAt(document.value, ['metadata', 'name']));
  const verdict = { place: document.file, kind, name, state: 'held', reason: 'ObjectUnreadable' } as const;
  return { value: last.value, verdict: { ...verdict, message: problemText(problem) } };
}
