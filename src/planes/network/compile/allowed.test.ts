import { describe, expect, it } from 'vitest';
import { calico } from '../../../../test/support/network/calico.ts';
import { base, compile, lyon, me, paris, siteOf, summary } from '../../../../test/support/network/compiled.ts';
import type { Manifest } from '../../../../test/support/source/conformance.ts';

const a = '10.10.1.0/26';
const kept = new Set([a]);
const mine = calico.owned(a, me);
const v4 = ['10.1.0.0/24'];
/** Paris without the prefix of `a`. */
const typo = siteOf('paris', ['10.11.0.0/16'], v4);
const waits = { cause: 'Site paris pods' };
const blocks = (net: string, count: number): readonly Manifest[] =>
  Array.from({ length: count }, (_, index) => calico.owned(`${net}.${index}.64/26`, 'other')).flat();

describe('a block that its Site holds no longer', () => {
  it('is refused when it was never announced, and waits when it was and its site would lose most blocks', () => {
    expect(summary([...base, ...mine], { sites: [typo] })).toMatchObject({
      pods: [],
      refusals: [`${a} PrefixOutsideSite`],
    });
    for (const before of [{ kept }, { installed: compiledCovers() }]) {
      const plan = compile([...base, ...mine, ...blocks('10.10', 11)], { sites: [typo], ...before });
      expect(plan).toMatchObject({
        routes: [{ class: 'server' }, { prefix: { text: a } }],
        covers: new Map([[a, [expect.objectContaining({ text: a })]]]),
        refusals: [],
        notices: [{ subject: a, reason: 'SiteEditWaits', message: expect.stringContaining('12 of the 12 blocks') }],
        beyond: [{ text: a }],
        brakes: [{ ...waits, lost: 12, all: 12 }],
        disproved: new Set(),
      });
    }
  });

  it('goes when the wait is over, and is then no longer let past the limits', () => {
    const plan = compile([...base, ...mine], { sites: [typo], kept, brakesOver: new Set([waits.cause]) });
    expect(plan).toMatchObject({
      routes: [{ class: 'server' }],
      refusals: [{ subject: a }],
      beyond: [],
      brakes: [waits],
    });
  });

  it('goes at once when the site keeps at least half of its blocks', () => {
    const pools = [...base, calico.pool('10.11.0.0/16')];
    const objects = [...pools, ...mine, ...blocks('10.11', 1)];
    expect(summary(objects, { sites: [typo], kept })).toMatchObject({ pods: [], refusals: [`${a} PrefixOutsideSite`] });
  });

  it('is counted among the blocks of its own site alone, those of exported pools', () => {
    const pools = [...base, calico.pool('10.30.0.0/16'), calico.pool('10.11.0.0/16', { disableBGPExport: true })];
    const objects = [...pools, ...mine, ...blocks('10.30', 20), ...blocks('10.11', 20)];
    const plan = compile(objects, { sites: [typo, lyon], kept });
    expect(plan).toMatchObject({ brakes: [{ ...waits, lost: 1, all: 1 }], beyond: [{ text: a }] });
  });

  it('waits when the prefix was moved to another site, whose workers have blocks too', () => {
    const wide = siteOf('lyon', ['10.30.0.0/16', '10.10.0.0/16'], ['10.3.0.0/24']);
    const objects = [...base, calico.pool('10.30.0.0/16'), ...mine, ...blocks('10.10', 3), ...blocks('10.30', 20)];
    expect(compile(objects, { sites: [typo, wide], kept })).toMatchObject({ brakes: [{ ...waits, lost: 4, all: 4 }] });
  });

  it('waits as a podCIDR and as an address that was borrowed as well', () => {
    const node = calico.node(me, '10.1.0.11', { podCIDRs: ['10.10.7.0/24'] });
    const before = { sites: [typo], kept: new Set(['10.10.7.0/24', '10.10.2.4/32']) };
    expect(summary([node], { ...before, podsFrom: 'podCIDRs' })).toMatchObject({ pods: ['10.10.7.0/24'] });
    const borrowed = calico.owned('10.10.2.0/26', 'other', { 4: me });
    expect(summary([...base, ...borrowed], before)).toMatchObject({
      pods: ['10.10.2.4/32'],
      notices: ['10.10.2.4/32 SiteEditWaits'],
    });
  });
});

describe('an address of the server that its Site holds no longer', () => {
  const six = '2001:db8:10::40/122';
  const objects = [
    calico.node(me, '10.1.0.11 2001:db8::11'),
    calico.pool('2001:db8:10::/48'),
    ...calico.owned(six, me),
  ];
  const before = {
    sites: [
      siteOf(
        'paris',
        paris.spec.prefixes.pods.map(({ text }) => text),
        v4,
      ),
    ],
    kept: new Set([six]),
    keptServers: new Set(['10.1.0.11/32', '2001:db8::11/128']),
  };

  it('stays the next hop of its family for as long as such an edit waits', () => {
    expect(compile(objects, before)).toMatchObject({
      routes: [{}, { prefix: { text: '2001:db8::11/128' } }, { nextHop: { text: '2001:db8::11' } }],
      refusals: [],
      notices: [{ subject: '2001:db8::11', reason: 'SiteEditWaits' }],
      beyond: [{ text: '2001:db8::11/128' }],
      brakes: [{ cause: 'Site paris servers' }],
    });
    expect(compile(objects, { ...before, drained: 'at once' })).toMatchObject({ routes: [{}, {}], beyond: [{}] });
  });

  it('goes afterwards, and was never announced before it was allowed', () => {
    for (const gone of [{ brakesOver: new Set(['Site paris servers']) }, { keptServers: new Set<string>() }])
      expect(summary(objects, { ...before, ...gone })).toMatchObject({
        pods: [],
        refusals: ['2001:db8::11 PrefixOutsideSite', `${six} NoNextHop`],
      });
  });
});

function compiledCovers() {
  const plan = compile([...base, ...mine]);
  return plan.action === 'announce' ? [...plan.covers.values()].flat() : [];
}
