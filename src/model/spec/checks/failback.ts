import { type Path, valueAt } from '../document.ts';
import type { TrafficPolicy } from '../kinds.ts';
import { type Objects, problemAt, type SpecProblem, valid } from '../objects.ts';
import { schemaOf, schemasAt } from '../schema.ts';

type Mode = NonNullable<TrafficPolicy['spec']['failback']>['mode'];

const fields = ['holdMinutes', 'stepShare', 'stepMinutes'] as const;

/** What each mode of failback goes by. */
const used: Readonly<Record<Mode, readonly (typeof fields)[number][]>> = {
  immediate: [],
  heldDown: ['holdMinutes'],
  gradual: fields,
  byHand: [],
};

/**
 * Fields that do nothing in the mode of failback that is written beside them. One that has its default value may have been filled in by an API
 * server, and is not named.
 */
export function unusedFailback(objects: Objects): readonly SpecProblem[] {
  return valid(objects.TrafficPolicy.all).flatMap(({ at, value }) => {
    const mode = value.spec.failback?.mode;
    if (mode === undefined) return [];
    return fields.flatMap((field) => {
      const path: Path = ['spec', 'failback', field];
      const written = valueAt(at.document.value, path);
      const [schema] = schemasAt(schemaOf('TrafficPolicy'), path);
      if (used[mode].includes(field) || written === undefined || written === schema?.default) return [];
      const others = Object.entries(used).flatMap(([name, some]) => (some.includes(field) ? [name] : []));
      const fix = `remove it, or write mode: ${others.join(' or ')}`;
      return [problemAt(at, path, { reason: 'NoEffect', message: `the mode ${mode} does not use it`, fix })];
    });
  });
}
