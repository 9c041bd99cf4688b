import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/support/fake-clock.ts';
import { oddReasons } from '../../../../../test/support/reasons.ts';
import { drainReasons } from '../drain/reasons.ts';
import { gatesOf } from './gates.ts';

const page = readFileSync('docs/operations/fleet.md', 'utf8');

it('has a sentence for every reason of a drain, and names each somewhere', () => {
  expect(oddReasons('src/planes/fleet/run/drain', drainReasons)).toEqual([]);
});

const gates = Object.keys(
  gatesOf({ documents: new Map(), pools: [], api: () => Promise.reject(), clock: new FakeClock() }),
);

it.each([...gates, ...Object.keys(drainReasons)])('says in the documentation of %s what to do', (name) => {
  expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\| .+ \\| .+ \\|$`, 'm'));
});
