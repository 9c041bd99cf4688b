import { expect, test } from 'vitest';
import { parseAddress, parsePrefix } from '../../../model/address.ts';
import { isAnnounced } from './vip-status.ts';

const prefix = parsePrefix('192.0.2.10/32');
const vip = parseAddress('192.0.2.10');
const nextHop = parseAddress('10.1.0.21');

test.each([
  ['a session of its family is up', [['10.1.0.1', true]], true],
  ['its session is down', [['10.1.0.1', false]], false],
  [
    'only a session of the other family is up',
    [
      ['10.1.0.1', false],
      ['2001:db8:1::1', true],
    ],
    false,
  ],
] as const)('a VIP is announced or not: %s', (_what, sessions, wanted) => {
  if (prefix === undefined || vip === undefined || nextHop === undefined) throw new Error('unreachable');
  const neighbors = sessions.map(([address, up]) => ({ address, asn: 65_010, up }));
  const announced = [{ prefix, nextHop, class: 'vip' as const, because: 'test' }];
  expect(isAnnounced({ relay: 'synced', neighbors, announced, refusals: [] }, vip)).toBe(wanted);
});
