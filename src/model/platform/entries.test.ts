import { expect, test } from 'vitest';
import { twoSites } from '../../../test/support/platform.ts';
import { entryAddresses } from './entries.ts';

test.each([
  ['the public VIPs of the pool', 'two-sites', ['192.0.2.10']],
  ['the anycast addresses', 'cloud', ['203.0.113.10']],
  ['nothing', 'nowhere', []],
])('DNS answers with %s', (_, cluster, addresses) => {
  expect(entryAddresses(twoSites(), cluster)).toEqual(addresses.map((text) => ({ family: 4, text })));
});
