import { expect, it } from 'vitest';
import { oddReasons } from '../../test/support/reasons.ts';
import { preflightChecks, preflightReasons } from './reasons.ts';

it('has only reasons that are used, each with a sentence', () => {
  expect(oddReasons(import.meta.dirname, preflightReasons)).toEqual([]);
});

it('describes every check with a sentence', () => {
  expect(
    Object.entries(preflightChecks).filter(([name, text]) => !/^[a-z-]+$/.test(name) || !text.endsWith('.')),
  ).toEqual([]);
});
