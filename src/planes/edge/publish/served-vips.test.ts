import { describe, expect, it } from 'vitest';
import { ServedVips } from './served-vips.ts';

describe('ServedVips', () => {
  const vips = ['192.0.2.10', '192.0.2.11'];
  const all = new Set(vips);
  const one = new Set(['192.0.2.10']);

  it('returns nothing while no VIP is known to be announced, however long that lasts', () => {
    const served = new ServedVips();
    expect(served.update(vips, new Set(), 0)).toBeUndefined();
    expect(served.update(vips, all, 1000)).toEqual(vips);
    expect(served.update(vips, new Set(), 3_600_000)).toBeUndefined();
  });

  it('lets a VIP go that nobody announces for a minute while another is announced, and takes it back at once', () => {
    const served = new ServedVips();
    expect(served.update(vips, all, 0)).toEqual(vips);
    expect(served.update(vips, one, 59_000)).toEqual(vips);
    expect(served.update(vips, one, 60_000)).toEqual(['192.0.2.10']);
    expect(served.update(vips, all, 61_000)).toEqual(vips);
  });

  it('waits a minute for a VIP that it has not seen, so that a new leader does not drop it', () => {
    const served = new ServedVips();
    expect(served.update(vips, one, 5000)).toEqual(vips);
    expect(served.update(vips, one, 65_000)).toEqual(['192.0.2.10']);
  });
});
