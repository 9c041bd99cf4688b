import { expect, it } from 'vitest';
import { fingerprintOf } from '../../kube/plausible.ts';
import { Brakes } from './brakes.ts';
import type { Brake } from './plan.ts';

const ban: Brake = { reason: 'ExportBanWaits', cause: 'IPPool default', lost: 12, all: 20 };
const edit: Brake = { reason: 'SiteEditWaits', cause: 'Site paris pods', lost: 9, all: 9 };
/** The wall clock is a day ahead of the other one. */
const at = (monotonicMs: number) => ({ monotonicMs, wallMs: monotonicMs + 86_400_000 });
const written = (said: string, monotonicMs: number) => ({ said, by: 'anna', writtenMs: at(monotonicMs).wallMs });
const waiting = (reason: string) => (reason === 'ExportBanWaits' ? ['10.10.1.0/26', '10.10.2.0/26'] : []);

it('says what waits, since when and until when, and by which word it ends', () => {
  const brakes = new Brakes(600_000);
  brakes.meet([ban], 1000);
  const [doubt] = brakes.doubting(at(61_000), waiting, '/state/accept-network-paris').doubts;
  expect(doubt).toEqual({
    reason: 'ExportBanWaits',
    message: 'an edit of IPPool default takes 12 of 20 prefixes that servers announce; they stay announced',
    objects: ['10.10.1.0/26', '10.10.2.0/26'],
    count: 2,
    sinceMs: at(1000).wallMs,
    untilMs: at(601_000).wallMs,
    waitsMs: 600_000,
    undo: 'take back the edit of IPPool default',
    fingerprint: fingerprintOf(['IPPool default']),
    acceptFile: '/state/accept-network-paris',
  });
});

it('ends exactly the brake that a person accepted, until its cause is gone', () => {
  const brakes = new Brakes(600_000);
  brakes.meet([ban, edit], 0);
  expect(brakes.accept(written(fingerprintOf([ban.cause]), 5000), at(6000))).toBe(ban.cause);
  expect([...brakes.over(6000)]).toEqual([ban.cause]);
  brakes.meet([ban, edit], 7000);
  expect([...brakes.over(7000)]).toEqual([ban.cause]);
  expect(brakes.nextAtMs).toBe(600_000);
  expect(brakes.doubting(at(7000), waiting, undefined)).toMatchObject({
    doubts: [{ reason: 'SiteEditWaits' }],
    accepted: [{ fingerprint: fingerprintOf([ban.cause]), atMs: at(6000).wallMs, by: 'anna' }],
  });
  brakes.meet([edit], 8000);
  brakes.meet([ban, edit], 9000);
  expect([...brakes.over(9000)]).toEqual([]);
});

it('ends by no age while the platform is frozen, and what is over stays over', () => {
  const brakes = new Brakes(600_000);
  brakes.meet([ban], 0);
  brakes.meet([ban, edit], 700_000);
  expect([...brakes.over(700_000)]).toEqual([ban.cause]);
  brakes.setFrozen(true);
  expect([...brakes.over(2_000_000)]).toEqual([ban.cause]);
  expect(brakes.doubting(at(2_000_000), waiting, undefined).doubts).toMatchObject([{ reason: 'SiteEditWaits' }]);
  expect(brakes.doubting(at(2_000_000), waiting, undefined).doubts[0]).not.toHaveProperty('untilMs');
  brakes.meet([ban, edit], 2_000_000);
  brakes.setFrozen(false);
  expect([...brakes.over(2_000_001)]).toEqual([ban.cause, edit.cause]);
});

it.each([
  ['another fingerprint', 'ffffffffffff', 5000],
  ['what was written two minutes before the edit', fingerprintOf([ban.cause]), -120_000],
])('is not ended by %s', (_, said, writtenMs) => {
  const brakes = new Brakes(600_000);
  brakes.meet([ban], 0);
  expect(brakes.accept(written(said, writtenMs), at(6000))).toBeUndefined();
  expect(brakes.over(6000).size).toBe(0);
});
