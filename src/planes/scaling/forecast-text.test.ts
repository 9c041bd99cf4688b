import { expect, test } from 'vitest';
import type { PlaceForecast } from './forecast/forecast.ts';
import { forecastFindings, forecastLine } from './forecast-text.ts';

const nowMs = Date.UTC(2026, 10, 28, 12);
const dayMs = 86_400_000;
const place = (name: string, requestsPerSecond: number, changed: Partial<PlaceForecast> = {}): PlaceForecast => ({
  place: name,
  requestsPerSecond,
  margin: 0.1,
  looks: 700,
  isShort: false,
  before: { measured: requestsPerSecond, usual: requestsPerSecond },
  standing: 'usual',
  ...changed,
});
const of = (places: readonly PlaceForecast[], ageMs = 180_000): Parameters<typeof forecastLine>[0] => ({
  question: { atMs: nowMs + dayMs, nowMs, quantile: 0.975, fallbackMargin: 0.2 },
  fromMs: nowMs - 15 * dayMs,
  toMs: nowMs - ageMs,
  places,
});

test('a forecast says for when, by what, and how sure it is', () => {
  expect(
    forecastLine(of([place('BE', 10, { margin: 0.34 }), place('FR', 800), place('DE', 100), place('US', 90)])),
  ).toBe(
    '1,000 requests/s of 4 places expected at 2026-11-29T12:00:00.000Z, by a history of 15.0 days until 3 min ago, and margins that 97.5 % of its past forecasts would have needed at most: FR 10 %, DE 10 %, US 10 %, others up to 34 %',
  );
});

test('nothing is found where all is usual', () => {
  expect(forecastFindings(of([place('FR', 800)]))).toEqual([]);
});

test('what is oddly low, high or missing just now is named, of places that count', () => {
  const half = { before: { measured: 300, usual: 600 }, standing: 'low' as const };
  const silent = { before: { measured: 0, usual: 0 }, standing: 'silent' as const };
  const findings = forecastFindings(
    of([
      place('DE', 500, half),
      place('FR', 400, silent),
      place('US', 90, { before: { measured: 90, usual: 30 }, standing: 'high' }),
      place('LU', 1, half),
    ]),
  );
  expect(findings.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
    'MeasuredLow: DE asks 50 % of what is usual at this time, and FR likewise: not believed, because a counter may be broken: what is usual stands',
    'MeasuredHigh: US asks 300 % of what is usual at this time: believed, and no margin knows how far it goes on',
  ]);
});

test('a history that ends long ago says so once, and one that is short says what is added', () => {
  const silent = { before: { measured: 0, usual: 0 }, standing: 'silent' as const };
  const places = ['FR', 'DE', 'US', 'BE'].map((name) => place(name, 1, { isShort: true, ...silent }));
  expect(forecastFindings(of(places, 7_200_000)).map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
    'HistoryShort: a history of 14.9 days does not tell its own errors for FR, DE, US and 1 more: at least 20 % (--margin) are added; it takes eight days, and as many more as the moment lies ahead',
    'HistoryOld: the history ends 120 min ago: nothing says how much is asked just now',
  ]);
});
