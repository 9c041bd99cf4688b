import { expect, it } from 'vitest';
import { NeighborState } from './session.ts';

it('takes what ExaBGP says of a session, unless an event came after the question', () => {
  const neighbor = new NeighborState({ address: '10.1.0.1', asn: 65010, family: 4, localAsn: 65011 });
  neighbor.sessionSeen(true, neighbor.events, 1000);
  expect(neighbor.up).toBe(true);
  const asked = neighbor.events;
  neighbor.sessionChanged(false, 'hold timer expired', 2000);
  neighbor.sessionSeen(true, asked, 3000);
  expect([neighbor.up, neighbor.reason, neighbor.changedAtMs]).toEqual([false, 'hold timer expired', 2000]);
});
