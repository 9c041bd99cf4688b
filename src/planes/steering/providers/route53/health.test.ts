import { expect, test } from 'vitest';
import { HealthWatch, looksHealthy, type Verdict } from './health.ts';

/** The reports of each checker in their order: `+` for a success, `-` for a failure. */
const cases: readonly (readonly [what: string, reports: readonly string[], verdict: Verdict])[] = [
  ['nobody has reported', [], 'unknown'],
  ['one success of one checker: the others may be late', ['+'], 'unknown'],
  ['two successes', ['++'], 'healthy'],
  ['fewer failures than the threshold', ['--', '--'], 'unknown'],
  ['as many failures as the threshold', ['---', '---'], 'unhealthy'],
  ['one of three is on: more than 18 %', ['---', '---', '++'], 'healthy'],
  ['one of six is on: less than 18 %', ['---', '---', '---', '---', '---', '++'], 'unhealthy'],
  ['one of six is not sure yet, which would not be enough', ['---', '---', '---', '---', '---', '--'], 'unhealthy'],
  ['two of six are not sure yet', ['---', '---', '---', '---', '--', '--'], 'unknown'],
  ['it went down and came back', ['---+++'], 'healthy'],
  ['it went down and is coming back', ['---++'], 'unknown'],
  ['one checker has reported only once', ['+++', '+'], 'unknown'],
];

test.each(cases)('%s', (_what, reports, verdict) => {
  const watch = new HealthWatch(3);
  const rounds = Math.max(0, ...reports.map((text) => text.length));
  for (let at = 0; at < rounds; at += 1) {
    const round = reports.flatMap((text, checker) =>
      text[at] === undefined ? [] : [{ checker: `${checker}`, healthy: text[at] === '+', at }],
    );
    watch.add(round);
    watch.add(round);
  }
  expect(watch.verdict()).toBe(verdict);
});

test('the last reports call an endpoint healthy when more than 18 % of them succeed', () => {
  const report = (healthy: boolean) => ({ checker: 'a', healthy, at: 0 });
  expect(looksHealthy([])).toBe(false);
  expect(looksHealthy([report(true), report(false), report(false)])).toBe(true);
  expect(looksHealthy([report(true), ...Array.from({ length: 5 }, () => report(false))])).toBe(false);
});
