import { describe, expect, test } from 'vitest';
import { twoSites } from '../../../../test/support/platform.ts';
import { guarded, overlay, overlayNowMs, verdict } from '../../../../test/support/steering/overlays.ts';
import { buildPlatform } from '../build.ts';

const laterMs = Date.parse('2026-11-29T00:00:00Z');

/** What is found wrong with overlays of `video` beside each other. */
function twice(objects: readonly unknown[], nowMs = overlayNowMs, guard: Parameters<typeof guarded>[1] = {}) {
  const documents = [guarded(twoSites(), guard).policies.get('video'), ...objects].map((value) => ({
    file: 'object.json',
    folder: '/',
    value,
    broken: false,
    lineOf: () => 1,
  }));
  const { problems } = buildPlatform(documents, nowMs);
  return problems.filter(({ reason }) => reason === 'OverlayTwice').map(({ message }) => message);
}

const leading = (rule: object, name: string, change: object = {}) =>
  overlay({ rules: [{ ...rule, clusters: [{ name: 'cloud' }] }], ...change }, name);

test.each([
  [{ countries: ['FR'] }, { countries: ['FR'] }, 'FR already,'],
  [{ countries: ['US'] }, { countries: ['US-CA'] }, 'US already, which speaks for US-CA too,'],
  [{ countries: ['US-CA'] }, { countries: ['US'] }, 'US-CA already,'],
  [{ continents: ['EU'] }, { countries: ['BE'] }, 'EU already, which speaks for BE too,'],
  [{ continents: ['NA'] }, { countries: ['US-CA'] }, 'NA already, which speaks for US-CA too,'],
])('%j and then %j: the other is told by what it names', (one, two, said) => {
  expect(twice([leading(one, 'first'), leading(two, 'second')])).toEqual([
    `the policy video has an overlay for ${said} see TrafficOverlay/first (object.json:1)`,
  ]);
});

describe('an overlay that is over holds up no other', () => {
  const first = leading({ countries: ['FR'] }, 'first');
  const second = leading({ countries: ['FR'] }, 'second', { expires: '2026-12-01T00:00:00Z' });
  const found = (...args: Parameters<typeof twice>) => twice(...args).length;

  test('it ended before anybody approved it', () => {
    expect([found([first, second]), found([first, second], laterMs)]).toEqual([1, 0]);
    expect([found([second, first]), found([second, first], laterMs)]).toEqual([1, 0]);
  });

  test('it was rejected', () => {
    const rejected = verdict(first, { verdict: 'reject' });
    expect(found([first, second, rejected])).toBe(0);
    const changed = leading({ countries: ['FR', 'DE'] }, 'first');
    expect(found([changed, second, rejected])).toBe(1);
  });

  test('it was approved and ended: it holds up others while its traffic stays, and not where that returns', () => {
    const returns = leading({ countries: ['FR'] }, 'first', { afterwards: 'return' });
    expect(found([first, second, verdict(first)], laterMs)).toBe(1);
    expect(found([first, second], laterMs, { proposals: 'automatic' })).toBe(1);
    expect(found([returns, second, verdict(returns)], laterMs)).toBe(0);
    const changed = leading({ countries: ['FR'] }, 'first', { afterwards: 'return', expires: '2026-12-01T00:00:00Z' });
    expect(found([changed, second, verdict(returns)], laterMs)).toBe(1);
  });
});
