import { expect, it } from 'vitest';
import { oddReasons } from '../../../../test/support/reasons.ts';
import { authorityReasons, pemReasons, signReasons, signRefusals } from './reasons.ts';

it('has only reasons that are used, each with a sentence', () => {
  const all = { ...signReasons, ...signRefusals, ...authorityReasons, ...pemReasons };
  expect(oddReasons(import.meta.dirname, all)).toEqual([]);
});
