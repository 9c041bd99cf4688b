import { expect, test } from 'vitest';
import { parseAddress, parsePrefix } from '../model/address.ts';
import { outageLines } from './faults.ts';
import type { Route } from './route.ts';
import type { SpeakerStatus } from './speaker.ts';

const session = (address: string, up: boolean) => ({ address, asn: 65_010, up });

function route(prefixText: string, nextHopText: string): Route {
  const [prefix, nextHop] = [parsePrefix(prefixText), parseAddress(nextHopText)];
  if (prefix === undefined || nextHop === undefined) throw new Error('unreachable');
  return { prefix, nextHop, class: 'vip', because: 'test' };
}

const four = route('192.0.2.10/32', '10.1.0.21');
const six = route('2001:db8:a::10/128', '2001:db8:1::21');

test.each<[string, SpeakerStatus['neighbors'], readonly Route[], number]>([
  ['one session of two of a family', [session('10.1.0.1', true), session('10.1.0.2', false)], [four], 0],
  ['no session', [session('10.1.0.1', false)], [], 1],
  ['only a session of the other family', [session('10.1.0.1', false), session('2001:db8:1::1', true)], [four], 1],
  ['a session of each family that has routes', [session('10.1.0.1', true), session('2001:db8:1::1', false)], [four], 0],
  ['two families, one without a session', [session('10.1.0.1', true), session('2001:db8:1::1', false)], [four, six], 1],
])('health counts the sessions that carry our routes: %s', (_what, neighbors, announced, lines) => {
  const status: SpeakerStatus = { relay: 'synced', neighbors, announced, refusals: [] };
  expect(outageLines(status)).toHaveLength(lines);
});
