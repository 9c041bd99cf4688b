import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calico } from '../../../../test/support/network/calico.ts';
import { base, me, summary } from '../../../../test/support/network/compiled.ts';
import { addressAt, contains, hostPrefix, overlaps, type Prefix, parsePrefix } from '../../../model/address.ts';
import { without } from './holes.ts';

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};
const hostAt = (block: Prefix, index: number): Prefix => {
  const address = addressAt(block, index);
  if (address === undefined) throw new Error(`${index}`);
  return hostPrefix(address);
};

describe('without', () => {
  it.each(['10.10.1.64/26', '2001:db8:10::40/122'])('covers %s exactly, but for the holes', (text) => {
    const block = prefix(text);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(63)), (indices) => {
        const holes = indices.map((index) => hostAt(block, index));
        const cover = without(block, holes);
        for (let index = 0; index < 64; index += 1) {
          const holders = cover.filter((one) => contains(one, hostAt(block, index)));
          expect(holders).toHaveLength(indices.includes(index) ? 0 : 1);
        }
        // The fewest: no two of them make up one prefix, which would then be a piece itself.
        expect(cover.length).toBeLessThanOrEqual(Math.max(1, indices.length * 6));
      }),
    );
  });

  it('needs six prefixes for one hole in a block of 64, and none for nothing', () => {
    const block = prefix('10.10.1.0/26');
    expect(without(block, [prefix('10.10.1.5/32')]).map(({ text }) => text)).toEqual([
      '10.10.1.0/30',
      '10.10.1.4/32',
      '10.10.1.6/31',
      '10.10.1.8/29',
      '10.10.1.16/28',
      '10.10.1.32/27',
    ]);
    expect(without(block, [prefix('10.10.1.0/26')])).toEqual([]);
    expect(without(block, [prefix('10.10.2.0/26')])).toEqual([block]);
  });
});

describe('the blackholes of a block', () => {
  const cidr = '10.10.1.0/26';
  const covered = (...objects: Parameters<typeof summary>[0][number][]) => {
    const { blackholes = [], pods } = summary([...base, ...objects]) as { blackholes?: string[]; pods?: string[] };
    expect(pods).toContain(cidr);
    return (host: string) => blackholes.some((text) => overlaps(prefix(text), prefix(host)));
  };

  it('leave out addresses that pods of other nodes borrowed, and no others', () => {
    const isCovered = covered(...calico.owned(cidr, me, { 3: 'other', 4: me, 63: 'third' }));
    expect(['10.10.1.3/32', '10.10.1.63/32'].map(isCovered)).toEqual([false, false]);
    expect(['10.10.1.0/32', '10.10.1.4/32', '10.10.1.62/32'].map(isCovered)).toEqual([true, true, true]);
  });

  it('do not leave out an address that is only kept from reuse', () => {
    const released = { secondary: { node: 'other' }, releasedAt: '2026-11-01T00:00:00Z' };
    const isCovered = covered(
      calico.affinity(cidr, me),
      calico.block(cidr, `host:${me}`, {}, { allocations: [0], attributes: [released] }),
    );
    expect(isCovered('10.10.1.0/32')).toBe(true);
  });

  it('leave out a smaller block of another node', () => {
    const inner = calico.owned('10.10.1.16/28', 'other');
    const isCovered = covered(...calico.owned(cidr, me), ...inner);
    expect(['10.10.1.15/32', '10.10.1.16/32', '10.10.1.31/32', '10.10.1.32/32'].map(isCovered)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
