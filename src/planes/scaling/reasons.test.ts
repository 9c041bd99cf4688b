import { expect, it } from 'vitest';
import { oddReasons } from '../../../test/support/reasons.ts';
import { scalingReasons } from './reasons.ts';

it('has only reasons that are used, each with a sentence', () => {
  expect(oddReasons(import.meta.dirname, scalingReasons)).toEqual([]);
});
