import { expect, it } from 'vitest';
import { oddReasons } from '../../../../../test/support/reasons.ts';
import { procedureReasons } from './reasons.ts';

it('has only reasons that are used, each with a sentence', () => {
  expect(oddReasons(import.meta.dirname, procedureReasons)).toEqual([]);
});
