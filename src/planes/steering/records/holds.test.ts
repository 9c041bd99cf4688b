import { expect, test } from 'vitest';
import type { Hold } from '../../../answers/hold.ts';
import type { Return } from '../../../answers/returns.ts';
import { holdChanges, readHolds, readReturns } from './holds.ts';

const zone = 'video.example';
const hold: Hold = { cluster: 'paris', sinceMs: 1000, by: 'anna', healthySeconds: 5, back: {} };
const returning: Return = { overlay: 'evening', sinceMs: 2000, by: 'agent@test', back: {} };

test.each<[Hold['back']]>([
  [{}],
  [{ upTo: 'FR', next: { code: 'US', parts: 12 } }],
  [{ upTo: 'US-CA', next: { code: 'US-NY', parts: 3 } }],
  [{ upTo: '' }],
])('what is held, and who is led back, is read as it was written: %j', (back) => {
  const holds = new Map([['video', [{ ...hold, back }]]]);
  const returns = new Map([['video', [{ ...returning, back }]]]);
  const { create } = holdChanges(zone, { holds, returns }, []);
  expect([readHolds(zone, create), readReturns(zone, create)]).toEqual([holds, returns]);
  expect(holdChanges(zone, { holds, returns }, create)).toEqual({ create: [], delete: [] });
});
