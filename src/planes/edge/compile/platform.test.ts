import { describe, expect, test } from 'vitest';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { bladePlatform } from './platform.ts';

describe('bladePlatform', () => {
  test.each([
    ['nobody', 'paris-blade-1', /no EdgePool "nobody" .*UnknownName/],
    [
      'paris-edge',
      'paris-blade-9',
      /^EdgePool\/paris-edge: there is no blade "paris-blade-9" \(UnknownName\)\n.*expected: paris-blade-1 or paris-blade-2/,
    ],
  ])('refuses pool %s with blade %s', (pool, blade, says) => {
    expect(() => bladePlatform(platformForTests(), pool, blade)).toThrow(says);
  });
});
