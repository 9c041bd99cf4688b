import { expect, it } from 'vitest';
import { Lease } from './lease.ts';

it('is not revived by an agent that starts after it ran out, though no start was given time before', () => {
  const lease = new Lease({ seconds: 2, keeper: false }, 0);
  expect(lease.expired(1999)).toBe(false);
  lease.giveTimeToStart(2000);
  expect([lease.expired(2000), lease.remainingMs(2000)]).toEqual([true, 0]);
  lease.renew(3000);
  lease.giveTimeToStart(4999);
  expect(lease.remainingMs(4999)).toBe(4000);
});
