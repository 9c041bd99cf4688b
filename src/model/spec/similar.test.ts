import { expect, test } from 'vitest';
import { mostSimilar } from './similar.ts';

test.each([
  ['pariss', ['paris', 'newyork'], 'paris'],
  ['parsi', ['paris', 'newyork'], 'paris'],
  ['Paris', ['paris', 'newyork'], 'paris'],
  ['newyrok', ['paris', 'newyork'], 'newyork'],
  ['blade-1', ['blade-2', 'blade-11'], 'blade-2'],
  ['cloud', ['paris', 'newyork'], undefined],
  ['', ['paris'], undefined],
  ['a', [], undefined],
])('the most similar to %j of %j is %j', (text, candidates, expected) => {
  expect(mostSimilar(text, candidates)).toBe(expected);
});
