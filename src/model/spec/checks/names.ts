import type { KindName } from '../kinds.ts';
import { type Objects, problemAt, type SpecProblem, whereIs } from '../objects.ts';

/** Two objects of a kind never share a name. */
export function checkNames(objects: Objects): readonly SpecProblem[] {
  return (Object.keys(objects) as KindName[]).flatMap((kind) => {
    const { all, byName } = objects[kind];
    return all.flatMap((at) => {
      const first = byName.get(at.name);
      if (first === undefined || first === at) return [];
      return problemAt(at, ['metadata', 'name'], {
        reason: 'DuplicateName',
        message: `the name is already taken by ${whereIs(first, ['metadata', 'name'])}`,
        fix: 'rename or remove one',
      });
    });
  });
}
