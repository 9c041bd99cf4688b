import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideVip } from './decide.ts';

describe('decideVip', () => {
  test('in any order of failures, with any number of blades, a VIP never loses its last announcer', () => {
    // Every blade raises its flag (unfit) before it asks; asking and withdrawing of different blades interleave freely.
    const step = fc.record({
      blade: fc.nat(3),
      action: fc.constantFrom('fail' as const, 'ask' as const, 'decide' as const, 'recover' as const),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 }),
        fc.array(step, { maxLength: 80, size: 'max' }),
        (minAnnouncers, steps) => {
          const blades = Array.from({ length: 4 }, () => ({
            fit: true,
            announced: true,
            fitPeers: undefined as number | undefined,
          }));
          for (const { blade: index, action } of steps) {
            const blade = blades[index]!;
            if (action === 'fail')
              Object.assign(blade, { fit: false, fitPeers: blade.fit ? undefined : blade.fitPeers });
            if (action === 'recover') Object.assign(blade, { fit: true, announced: true, fitPeers: undefined });
            if (action === 'ask' && !blade.fit)
              blade.fitPeers = blades.filter((peer) => peer !== blade && peer.fit && peer.announced).length;
            if (action === 'decide' && blade.fitPeers !== undefined) {
              const view = {
                takenOver: true,
                fit: blade.fit,
                capable: false,
                held: blade.announced,
                fitPeers: blade.fitPeers,
                tooFewMs: 0,
              };
              blade.announced = decideVip(view, minAnnouncers, 5000).announce;
            }
            expect(blades.filter(({ announced }) => announced).length).toBeGreaterThanOrEqual(minAnnouncers);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a blade that has withdrawn takes back only what it can serve, well before the lease of the others ends', () => {
    const view = { takenOver: true, fit: false, held: false, fitPeers: 0 };
    expect(decideVip({ ...view, capable: true, tooFewMs: 2000 }, 1, 5000).announce).toBe(false);
    expect(decideVip({ ...view, capable: true, tooFewMs: 2500 }, 1, 5000)).toEqual({
      announce: true,
      reason: 'LastAnnouncer',
    });
    expect(decideVip({ ...view, capable: false, tooFewMs: 60_000 }, 1, 5000).announce).toBe(false);
  });
});
