import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policySpecWithStates } from '../../../../test/support/steering/arbitrary.ts';
import { FailbackWorld, withFailback } from '../../../../test/support/steering/failback.ts';
import { holding } from '../../../../test/support/steering/holding.ts';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { worldMap } from '../../../geo/world/world.ts';
import { countries } from '../../../model/geo/countries.ts';
import { stateOf } from '../../../model/geo/states.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../../../platform/load.ts';
import { printColoured } from '../../../runtime/print.ts';
import { clustersDown } from '../clusters-down.ts';
import { paintsFor } from './paint.ts';
import { mapSvg } from './svg.ts';
import { mapLines, titleOf } from './text.ts';
import { type Group, legendOf, presentOf, wantedView, zoneView } from './view.ts';

const map = await worldMap();
const platform = await loadPlatformOrThrow(['examples/hybrid']);
const host = 'www.video.example';
const nowMs = Date.parse('2026-11-01T00:00:00Z');
const clusters = [...platform.clusters.keys()].sort();
const labelsOf = (groups: readonly Group[]) => groups.map(legendOf);

describe('the view of a policy', () => {
  it('groups the countries by their answers', () => {
    expect(labelsOf(wantedView(platform, host, { down: [], nowMs }).groups)).toEqual([
      'cloud: 185 of 246 countries',
      'newyork: 55 of 246 countries',
      'paris: 5 of 246 countries (BE, ES, FR, IT, SN)',
      'newyork 30%, paris 70%: 1 of 246 countries (GB)',
    ]);
  });

  it('moves them where they go when clusters are down', () => {
    expect(labelsOf(wantedView(platform, host, { down: ['newyork', 'paris'], nowMs }).groups)).toEqual([
      'cloud: 246 of 246 countries',
    ]);
  });

  it('says under the map whom the policy keeps from which clusters', () => {
    const video = platform.policies.get('video') as TrafficPolicy;
    const never = [{ clusters: ['cloud'], countries: ['FR'], continents: [], unknownLocation: true }];
    const policies = new Map([['video', { ...video, spec: { ...video.spec, never } }]]);
    const view = wantedView({ ...platform, policies }, host, { down: ['paris'], nowMs });
    const line = 'never cloud, in failover neither: FR, users of unknown location';
    expect(view.groups.find((group) => group.countries.includes('FR'))?.label).toBe('newyork');
    expect(view.groups.find((group) => group.countries.includes('ES'))?.label).toBe('cloud');
    expect(mapLines(map, view, new Map(), { columns: 80, colour: false }).at(-1)).toEqual([{ text: line }]);
    expect(mapSvg(map, view, new Map())).toContain(`>${line}</text>`);
  });

  it('names states that are answered otherwise than their country, because none is drawn', () => {
    const rules = [
      { countries: ['US-CA', 'US-NY'], continents: [], clusters: [{ name: 'newyork', weight: 1 }], failover: [] },
      { countries: ['US-TX'], continents: [], clusters: [{ name: 'cloud', weight: 1 }], failover: [] },
    ];
    const [policy] = [...platform.policies.values()];
    const spec = { ...policy?.spec, rules, default: { clusters: [{ name: 'cloud', weight: 1 }], failover: [] } };
    const other = { ...platform, policies: new Map([['video', { ...policy, spec }]]) } as Platform;
    expect(wantedView(other, host, { down: [], nowMs }).groups.map(legendOf)).toEqual([
      'cloud: 246 of 246 countries',
      'newyork: 0 of 246 countries, and US-CA, US-NY, not drawn',
    ]);
  });

  it('names networks, because none is drawn', () => {
    const rule = { countries: [], continents: [], networks: ['198.51.100.0/24'], failover: [] };
    const rules = [{ ...rule, clusters: [{ name: 'newyork', weight: 1 }] }];
    const [policy] = [...platform.policies.values()];
    const spec = { ...policy?.spec, rules, default: { clusters: [{ name: 'cloud', weight: 1 }], failover: [] } };
    const other = { ...platform, policies: new Map([['video', { ...policy, spec }]]) } as Platform;
    expect(wantedView(other, host, { down: [], nowMs }).groups.map(legendOf)).toEqual([
      'cloud: 246 of 246 countries',
      'newyork: 0 of 246 countries, and 198.51.100.0/24, not drawn',
    ]);
  });

  it('has every country once, whatever the policy', () => {
    const [policy] = [...platform.policies.values()];
    fc.assert(
      fc.property(policySpecWithStates, (answers) => {
        const changed = { ...policy, spec: { ...policy?.spec, ...answers } } as typeof policy;
        const other = { ...platform, policies: new Map([['video', changed]]) } as Platform;
        const shown = wantedView(other, host, { down: ['paris'], nowMs }).groups.flatMap((group) => group.countries);
        expect(shown.filter((code) => stateOf(code) === undefined).toSorted()).toEqual(
          countries.map(({ code }) => code),
        );
        expect(new Set(shown).size).toBe(shown.length);
      }),
      { numRuns: 30 },
    );
  });
});

describe('while a zone holds back a cluster that was down', () => {
  const held = withFailback(platform, { mode: 'byHand', holdMinutes: 30, stepShare: 0.1, stepMinutes: 10 });

  it('what the zone has is drawn with the hold, which stands below', async () => {
    const world = new FailbackWorld(platform);
    await world.look();
    world.platform = held;
    await world.look();
    world.down.add('paris');
    await world.look();
    world.down.clear();
    const plan = await world.look();
    for (const show of ['zone', 'changes'] as const) {
      const view = zoneView(plan, host, { show, type: 'A', down: [] });
      expect(view.notes).toEqual([
        expect.stringMatching(
          /^policy video holds back paris since 2026-11-27T12:00:00Z, because it was down .* steering failback/,
        ),
      ]);
      expect(mapSvg(map, view, new Map())).toContain('holds back paris');
    }
    const { groups } = zoneView(plan, host, { show: 'zone', type: 'A', down: [] });
    expect(groups.find((group) => group.countries.includes('FR'))?.label).toBe('cloud');
  });

  it('what the policy wants is drawn without it, and says so', () => {
    const { notes } = wantedView(held, host, { down: [], nowMs });
    expect(notes).toEqual([expect.stringMatching(/held back \(spec.failback byHand\) .* --show zone/)]);
    expect(wantedView(platform, host, { down: [], nowMs }).notes).toEqual([]);
  });
});

describe('in the present health', () => {
  const told = { '192.0.2.10': false, '198.51.100.10': true };
  const seen = async () =>
    planZone(platform, holding(platform, { ...told, '203.0.113.10': true }), 'video.example', nowMs, { health: 'all' });

  it('draws who answers now, and says which family and which world that is', async () => {
    const plan = await seen();
    const now = presentOf(plan.health, 'video');
    const view = zoneView(plan, host, { show: 'zone', type: 'A', down: [], now });
    expect(view.groups.find((group) => group.countries.includes('FR'))?.label).toBe('cloud');
    expect(titleOf(view)).toBe(`${host}, as the zone of route53 has it (IPv4), in the present health (paris is down)`);
    const healthy = zoneView(plan, host, { show: 'zone', type: 'A', down: [] });
    expect(healthy.groups.find((group) => group.countries.includes('FR'))?.label).toBe('paris');
    expect(titleOf(healthy)).toMatch(/\(IPv4\), while all is healthy$/);
    const wanted = wantedView(platform, host, { down: [], nowMs, now });
    expect(wanted.groups.find((group) => group.countries.includes('FR'))?.label).toBe('cloud');
    expect(titleOf(wanted)).toMatch(/\(IPv4 and IPv6\), in the present health \(paris is down\)$/);
  });

  it('says what is not known, and of which clusters some addresses are down', () => {
    const one = (cluster: string, address: string, healthy?: boolean) => ({
      policy: 'video',
      cluster,
      address,
      ...(healthy === undefined ? {} : { healthy }),
    });
    const health = [one('paris', '192.0.2.10', true), one('paris', '2001:db8::1', false), one('cloud', '203.0.113.10')];
    const now = presentOf(health, 'video');
    const view = wantedView(platform, host, { down: [], nowMs, now });
    expect(titleOf(view)).toMatch(/\(nothing is known to be down; not known: cloud\)$/);
    expect(view.notes.at(-1)).toMatch(/^of paris some addresses are down, which no colour shows/);
  });
});

describe('what is down', () => {
  it('is a cluster when all of its sites are', () => {
    const [, paris] = [...platform.clusters].find(([name]) => name === 'paris') ?? [];
    const both = { ...paris, spec: { ...paris?.spec, sites: ['paris', 'newyork'] } } as typeof paris;
    const spread = { ...platform, clusters: new Map([...platform.clusters, ['both', both]]) } as Platform;
    const downWith = (...sites: string[]) =>
      clustersDown(
        spread,
        sites.map((name) => ({ kind: 'Site', name })),
      );
    expect(downWith('paris')).toEqual(['paris']);
    expect(downWith('paris', 'newyork')).toEqual(['both', 'newyork', 'paris']);
  });

  it('has a name of the spec', () => {
    expect(() => clustersDown(platform, [{ kind: 'Cluster', name: 'pariss' }])).toThrow(/pariss/);
  });
});

describe('paints', () => {
  const group = (label: string, neutral = false): Group => ({ label, neutral, countries: [] });

  it('give a cluster the same colour in every map, and each group a letter of its own', () => {
    const first = [group('cloud'), group('paris'), group('paris 50%, cloud 50%')];
    const second = [group('paris'), group('no change', true), group('paris -> cloud'), group('p -> c')];
    const colourOf = (groups: readonly Group[], label: string) =>
      [...paintsFor(groups, clusters)].find(([one]) => one.label === label)?.[1].colour;
    expect(colourOf(first, 'paris')).toBe(colourOf(second, 'paris'));
    for (const groups of [first, second]) {
      const letters = [...paintsFor(groups, clusters).values()].map(({ letter }) => letter);
      expect(new Set(letters).size).toBe(groups.length);
    }
  });
});

describe('in a terminal of 80 x 24', () => {
  const view = wantedView(platform, host, { down: [], nowMs });
  const paints = paintsFor(view.groups, clusters);
  const lines = (colour: boolean) => mapLines(map, view, paints, { columns: 80, colour });
  const textOf = (colour: boolean) => lines(colour).map((line) => line.map(({ text }) => text).join(''));

  it.each([true, false])('the map and its legend fit (colour: %s)', (colour) => {
    expect(textOf(colour).length).toBeLessThan(24);
    expect(Math.max(...textOf(colour).map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('without colour every group has its letter in the map', () => {
    const drawn = textOf(false).slice(1, -view.groups.length).join('');
    expect([...paints.values()].filter(({ letter }) => !drawn.includes(letter))).toEqual([]);
  });

  it('no text of a spec reaches it with control characters', () => {
    let written = '';
    printColoured([[{ text: 'a\u001b[31mb', foreground: 32 }]], { write: (text) => (written += text) });
    expect(stripVTControlCharacters(written)).toBe('a\\u001b[31mb\n');
  });
});

it('is a picture in which every country says its name and its answer', () => {
  const view = wantedView(platform, host, { down: [], nowMs });
  const svg = mapSvg(map, { ...view, host: 'a<b>&' }, paintsFor(view.groups, clusters));
  expect(svg.match(/<(path|circle) id=/g)?.length).toBe(245);
  expect(svg).toContain('<title>Senegal: paris</title>');
  expect(svg).not.toContain('a<b>');
});
