import { expect, it } from 'vitest';
import { DownReasons } from './down-reasons.ts';

const [shut, wrongAs, limit] = [
  'notification received (6,2)',
  'notification received (2,2)',
  'notification sent (6,1)',
];
const closed = 'closing connection: Broken TCP connection';

it.each([
  [[], undefined],
  [[shut], shut],
  [[shut, shut], shut],
  [[closed, closed], closed],
  [[shut, closed], `${shut}; last attempt: ${closed}`],
  [[shut, closed, shut], shut],
  [[shut, wrongAs], `${shut}; last attempt: ${wrongAs}`],
  [[shut, wrongAs, closed], `${shut}; since then: ${wrongAs}; last attempt: ${closed}`],
  [[shut, wrongAs, closed, closed, wrongAs], `${shut}; last attempt: ${wrongAs}`],
  [[shut, wrongAs, closed, limit], `${shut}; last attempt: ${limit}`],
  [[shut, wrongAs, limit, closed], `${shut}; since then: ${limit}; last attempt: ${closed}`],
  [[shut, wrongAs, shut], `${shut}; since then: ${wrongAs}`],
  [[closed, wrongAs], `${closed}; last attempt: ${wrongAs}`],
])(
  'of %j it says what ended the session, what the router said since, and what ended the last attempt',
  (added, text) => {
    const reasons = new DownReasons();
    for (const reason of added) reasons.add(reason);
    expect(reasons.text).toBe(text);
  },
);
