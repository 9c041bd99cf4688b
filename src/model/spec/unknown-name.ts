import { type Fault, listText } from './objects.ts';
import { didYouMean } from './similar.ts';

/** The fault of a name that no object of its kind has, wherever a person wrote it. `known` are the names that exist. */
export function unknownName(kind: string, name: string, known: readonly string[]): Fault {
  return {
    reason: 'UnknownName',
    message: `there is no ${kind} "${name}"`,
    expected: known.length === 0 ? `a ${kind}, but none is declared` : listText(known.toSorted()),
    fix: didYouMean(name, known, `correct the name, or declare the ${kind}`),
  };
}
