import { figure } from './findings.ts';
import type { Forecast, PlaceForecast } from './forecast/forecast.ts';
import type { ScalingFinding } from './reasons.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** So many places are named; a value for programs has all. */
const mostPlaces = 3;
/** A place with a smaller share of all requests is no reason to doubt. */
const ownShare = 0.01;
/** A history that ends longer ago says nothing of the present. */
const freshMs = 30 * minuteMs;

const percent = (part: number): string => `${figure(part * 100)} %`;

/** What a forecast says, of what, and how sure it is: `5,000 requests/s of 40 places expected at …, by …; …`. */
export function forecastLine({ question, fromMs, toMs, places }: Forecast): string {
  const sum = places.reduce((total, one) => total + one.requestsPerSecond, 0);
  const largest = largestFirst(places);
  const named = largest.slice(0, mostPlaces).map(({ place, margin }) => `${place} ${percent(margin)}`);
  const others = Math.max(0, ...largest.slice(mostPlaces).map(({ margin }) => margin));
  return [
    `${figure(sum)} requests/s of ${places.length} places expected at ${new Date(question.atMs).toISOString()}`,
    `, by a history of ${((toMs - fromMs) / dayMs).toFixed(1)} days until ${Math.max(0, Math.round((question.nowMs - toMs) / minuteMs))} min ago`,
    `, and margins that ${Math.round(question.quantile * 1000) / 10} % of its past forecasts would have needed at most: ${named.join(', ')}`,
    others === 0 ? '' : `, others up to ${percent(others)}`,
  ].join('');
}

const largestFirst = (places: readonly PlaceForecast[]): readonly PlaceForecast[] =>
  places.toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond);

/** What is not as a forecast wants it. */
export function forecastFindings(forecast: Forecast): readonly ScalingFinding[] {
  const { question, toMs, places } = forecast;
  const isOld = question.nowMs - toMs > freshMs;
  const total = places.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0);
  const large = largestFirst(places).filter(
    ({ requestsPerSecond, looks }) => looks > 0 && requestsPerSecond >= ownShare * total,
  );
  const low = large.filter(({ standing }) => standing === 'low' || standing === 'silent');
  return [
    ...shortFinding(forecast),
    ...(isOld
      ? [
          {
            reason: 'HistoryOld' as const,
            message: `the history ends ${Math.round((question.nowMs - toMs) / minuteMs)} min ago: nothing says how much is asked just now`,
          },
        ]
      : [
          ...oddFinding('MeasuredLow', low, 'not believed, because a counter may be broken: what is usual stands'),
          ...oddFinding(
            'MeasuredHigh',
            large.filter(({ standing }) => standing === 'high'),
            'believed, and no margin knows how far it goes on',
          ),
        ]),
  ];
}

function shortFinding({ places, question, fromMs, toMs }: Forecast): readonly ScalingFinding[] {
  const short = largestFirst(places.filter(({ isShort }) => isShort));
  if (short.length === 0) return [];
  const days = ((toMs - fromMs) / dayMs).toFixed(1);
  return [
    {
      reason: 'HistoryShort',
      message: `a history of ${days} days does not tell its own errors for ${placesText(short)}: at least ${percent(question.fallbackMargin)} (--margin) are added; it takes eight days, and as many more as the moment lies ahead`,
    },
  ];
}

function oddFinding(
  reason: 'MeasuredLow' | 'MeasuredHigh',
  places: readonly PlaceForecast[],
  so: string,
): readonly ScalingFinding[] {
  const [first, ...others] = places;
  if (first === undefined) return [];
  const { measured, usual } = first.before;
  const told =
    usual > 0
      ? `${first.place} asks ${percent(measured / usual)} of what is usual at this time`
      : `nothing was measured of ${first.place} in the last quarter of an hour`;
  return [{ reason, message: `${told}${others.length === 0 ? '' : `, and ${placesText(others)} likewise`}: ${so}` }];
}

function placesText(places: readonly PlaceForecast[]): string {
  const named = places.slice(0, mostPlaces).map(({ place }) => place);
  return places.length <= mostPlaces ? named.join(', ') : `${named.join(', ')} and ${places.length - mostPlaces} more`;
}
