import { expect, test } from 'vitest';
import { pool } from '../../../test/support/platform.ts';
import { isKeeper } from './keepers.ts';

test.each([
  [1, ['a']],
  [2, ['a', 'b']],
  [3, ['a', 'b', 'c']],
])('with minAnnouncers %i the keepers are %j, in whatever order the blades are listed', (minAnnouncers, keepers) => {
  for (const listed of [
    ['a', 'b', 'c'],
    ['c', 'a', 'b'],
    ['b', 'c', 'a'],
  ]) {
    const blades = listed.map((name, index) => ({ name, address: `10.1.0.${index}` }));
    const vips = [{ address: '192.0.2.10' }];
    const edge = pool('edge', { cluster: 'paris', minAnnouncers, blades, vips });
    expect(['a', 'b', 'c', 'stranger'].filter((name) => isKeeper(edge, name))).toEqual(keepers);
  }
});
