import { expect, it } from 'vitest';
import { Last } from './last.ts';

it('computes anew when a cause is another one, and only then', () => {
  const last = new Last<number>();
  let computed = 0;
  const ask = (...causes: readonly unknown[]) => last.get(causes, () => (computed += 1));
  const state = {};
  expect([ask(state, 1), ask(state, 1), ask({}, 1), ask({}, 1), ask(state, 1), ask(state, 2), ask(state, 2)]).toEqual([
    1, 1, 2, 3, 4, 5, 5,
  ]);
  expect([ask(state), ask(state, undefined), ask(state)]).toEqual([6, 7, 8]);
});
