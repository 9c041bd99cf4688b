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
    expect(() => bladePlatform(platformForTests(), { pool, blade })).toThrow(says);
  });

  test('refuses a pool of another cluster than the one that the agent reads', () => {
    const names = { pool: 'paris-edge', blade: 'paris-blade-1' };
    expect(bladePlatform(platformForTests(), { ...names, cluster: 'paris' }).pool.metadata.name).toBe('paris-edge');
    expect(() => bladePlatform(platformForTests(), { ...names, cluster: 'rome' })).toThrow(/PoolOfOtherCluster/);
  });
});
