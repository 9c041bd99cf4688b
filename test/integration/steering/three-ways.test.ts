import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Agreement, anyCase, expectThreeWays } from '../../support/steering/three-ways.ts';

/** `make policies` runs as many as one has time for. */
const runs = 60;

it('any policy, any failure: the policy, the records read back and the name server give the same answers', async () => {
  const agreed: Agreement[] = [];
  await fc.assert(
    fc.asyncProperty(anyCase, async (one) => {
      agreed.push(await expectThreeWays(one));
    }),
    { numRuns: runs },
  );
  expect(agreed.reduce((sum, { answers }) => sum + answers, 0)).toBeGreaterThan(100 * runs);
  expect(agreed.filter(({ outcome }) => outcome === 'exact').length).toBeGreaterThan(runs / 10);
}, 300_000);
