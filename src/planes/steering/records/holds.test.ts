import { expect, test } from 'vitest';
import type { Hold } from '../../../answers/hold.ts';
import { holdChanges, readHolds } from './holds.ts';

const zone = 'video.example';
const hold: Hold = { cluster: 'paris', sinceMs: 1000, by: 'anna', healthySeconds: 5, back: {} };

test.each<[Hold['back']]>([
  [{}],
  [{ upTo: 'FR', next: { code: 'US', parts: 12 } }],
  [{ upTo: 'US-CA', next: { code: 'US-NY', parts: 3 } }],
  [{ upTo: '' }],
])('what is held is read back as it was written: %j', (back) => {
  const holds = new Map([['video', [{ ...hold, back }]]]);
  const { create } = holdChanges(zone, holds, []);
  expect(readHolds(zone, create)).toEqual(holds);
  expect(holdChanges(zone, holds, create)).toEqual({ create: [], delete: [] });
});
