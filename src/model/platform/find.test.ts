import { expect, test } from 'vitest';
import { twoSites } from '../../../test/support/platform.ts';
import { InputError } from '../problem.ts';
import { findObject } from './find.ts';

const platform = twoSites();

test('finds an object of every kind by its name', () => {
  expect(findObject(platform, 'Site', 'north')).toBe(platform.sites.get('north'));
  expect(findObject(platform, 'Cluster', 'cloud').spec.sites).toEqual(['south']);
  expect(findObject(platform, 'EdgePool', 'edge')).toBe(platform.edgePools.get('edge'));
  expect(findObject(platform, 'TrafficPolicy', 'video')).toBe(platform.policies.get('video'));
});

const missing = (ask: () => unknown): InputError => {
  try {
    ask();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('it was found');
};

test.each([
  [
    'with the names there are',
    () => findObject(platform, 'Site', 'nix'),
    `there is no Site "nix" (UnknownName)
    expected: north or south
    fix: correct the name, or declare the Site`,
  ],
  [
    'with the option and the place, and the name that was meant',
    () => findObject(platform, 'Cluster', 'cluod', { option: '--cluster', place: 'examples/hybrid' }),
    `--cluster: there is no Cluster "cluod" in examples/hybrid (UnknownName)
    expected: cloud or two-sites
    fix: did you mean "cloud"?`,
  ],
  [
    'with nothing to choose from',
    () => findObject(platform, 'Drain', 'd'),
    `there is no Drain "d" (UnknownName)
    expected: a Drain, but none is declared
    fix: correct the name, or declare the Drain`,
  ],
])('a missing object is reported %s', (_, ask, text) => {
  const error = missing(ask);
  expect(error.message).toBe(text);
  expect(error.problems).toEqual([
    expect.objectContaining({ reason: 'UnknownName', fix: expect.any(String), expected: expect.any(String) }),
  ]);
});
