import { expect, it } from 'vitest';
import { parseRoutes } from './blackholes.ts';

it('reads blackholes of both families as iproute2 prints them, and nothing else', () => {
  const four =
    '[{"type":"blackhole","dst":"10.10.1.0/26","metric":65535,"flags":[]},{"type":"blackhole","dst":"10.10.9.9","flags":[]}]';
  const six = '[{"type":"blackhole","dst":"2001:db8:1::/122","dev":"lo","metric":65535,"flags":[],"pref":"medium"}]';
  expect(parseRoutes(four).map(({ text }) => text)).toEqual(['10.10.1.0/26', '10.10.9.9/32']);
  expect(parseRoutes(six).map(({ text }) => text)).toEqual(['2001:db8:1::/122']);
  expect(parseRoutes('[{"dst":"10.10.2.0/26","dev":"eth0"},{"type":"blackhole","dst":"default"}]')).toEqual([]);
  expect(parseRoutes('')).toEqual([]);
  expect(parseRoutes('[ ]\n')).toEqual([]);
});
