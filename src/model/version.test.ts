import { expect, test } from 'vitest';
import { compareVersions } from './version.ts';

test('versions are ordered by their numbers and not by their texts', () => {
  const versions = ['1.36.10', '1.36.9', '1.9.0', '2.0.0', '1.36.9'];
  expect(versions.toSorted(compareVersions)).toEqual(['1.9.0', '1.36.9', '1.36.9', '1.36.10', '2.0.0']);
});
