import { CountedHistogram, type CountedRow, Counter, Gauge, type Registry } from '../../../runtime/metrics.ts';
import { type RequestCounts, requestBounds, type Times } from './counts.ts';

/** What nginx counted of requests. All of it begins anew when nginx does, and what belongs to a host ends when the host leaves the table. */
export interface RequestMetrics {
  readonly requests: Counter<'host' | 'status'>;
  readonly refused: Counter<'host' | 'reason'>;
  readonly duration: CountedHistogram<'host'>;
  readonly pod: CountedHistogram<'host'>;
  readonly countryRequests: Counter<'country' | 'pool'>;
  readonly countryFailures: Counter<'country' | 'pool'>;
  readonly countryDuration: CountedHistogram<'country' | 'pool'>;
  readonly roundTrips: CountedHistogram<'country' | 'pool'>;
  readonly leftOut: Counter;
  readonly linesLeftOut: Counter;
  readonly countryData: Gauge;
  readonly countryDataBuilt: Gauge;
}

const seconds = (bounds: readonly number[]): readonly number[] => bounds.map((ms) => ms / 1000);

export function requestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const latency = seconds(requestBounds.latency);
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `tideline_edge_${name}_total`, help, labelNames, registers });
  return {
    requests: counter('requests', 'Requests by host and class of status; status none: the client left first', [
      'host',
      'status',
    ]),
    refused: counter(
      'refused_requests',
      'Requests that the edge answered itself, or whose answer it refused, by host and reason',
      ['host', 'reason'],
    ),
    duration: new CountedHistogram({
      name: 'tideline_edge_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer; upgraded connections are left out',
      labelNames: ['host'],
      bounds: latency,
      registers,
    }),
    pod: new CountedHistogram({
      name: 'tideline_edge_pod_response_seconds',
      help: 'Time from the first try to reach a pod to the head of the answer',
      labelNames: ['host'],
      bounds: latency,
      registers,
    }),
    countryRequests: counter('country_requests', 'Requests by country of the client', ['country', 'pool']),
    countryFailures: counter('country_failures', 'Requests answered with 500 and more, by country of the client', [
      'country',
      'pool',
    ]),
    countryDuration: new CountedHistogram({
      name: 'tideline_edge_country_duration_seconds',
      help: 'Time from the head of a request to the end of its answer, by country of the client',
      labelNames: ['country', 'pool'],
      bounds: seconds(requestBounds.countryLatency),
      registers,
    }),
    roundTrips: new CountedHistogram({
      name: 'tideline_edge_round_trip_seconds',
      help: 'Round-trip time of the connection of one request in sixteen, as the kernel measured it, by country of the client',
      labelNames: ['country', 'pool'],
      bounds: seconds(requestBounds.roundTrip),
      registers,
    }),
    leftOut: counter(
      'round_trips_left_out',
      'Round-trip times that were not taken because a trusted proxy was at the other end',
    ),
    linesLeftOut: counter(
      'access_log_left_out',
      'Requests without a line in the access log, because it is a sample or off',
    ),
    countryData: new Gauge({
      name: 'tideline_edge_country_data',
      help: '1 when nginx has the data that tells the country of an address',
      registers,
    }),
    countryDataBuilt: new Gauge({
      name: 'tideline_edge_country_data_built_timestamp_seconds',
      help: 'When the data was made that tells the country of an address; 0 where that is not known',
      registers,
    }),
  };
}

/** Sets the metrics to what nginx counted. */
export function setRequestMetrics(metrics: RequestMetrics, counts: RequestCounts, pool: string): void {
  const { requests, refused, countryRequests, countryFailures, leftOut, linesLeftOut } = metrics;
  for (const metric of [requests, refused, countryRequests, countryFailures, leftOut, linesLeftOut]) metric.reset();
  for (const [name, { statuses, reasons }] of counts.hosts) {
    const host = hostLabel(name);
    for (const [status, count] of statuses) if (count > 0) requests.inc({ host, status }, count);
    for (const [reason, count] of reasons) refused.inc({ host, reason }, count);
  }
  for (const [country, { requests: all, failures }] of counts.countries) {
    countryRequests.inc({ country, pool }, all);
    countryFailures.inc({ country, pool }, failures);
  }
  const hosts = [...counts.hosts].map(([name, of]) => ({ labels: { host: hostLabel(name) }, ...of }));
  const countries = [...counts.countries].map(([country, of]) => ({ labels: { country, pool }, ...of }));
  metrics.duration.set(hosts.flatMap(({ labels, whole }) => rowOf(labels, whole)));
  metrics.pod.set(hosts.flatMap(({ labels, pod }) => rowOf(labels, pod)));
  metrics.countryDuration.set(countries.flatMap(({ labels, whole }) => rowOf(labels, whole)));
  metrics.roundTrips.set(countries.flatMap(({ labels, roundTrips }) => rowOf(labels, roundTrips)));
  leftOut.inc(counts.roundTripsLeftOut);
  linesLeftOut.inc(counts.linesLeftOut);
  metrics.countryData.set(counts.countryData === 'ready' ? 1 : 0);
  metrics.countryDataBuilt.set(counts.countryDataBuilt ?? 0);
}

/** The table calls the host of all that no other takes by the empty name, which is no label for people. */
export function hostLabel(host: string): string {
  return host === '' ? '(any)' : host;
}

function rowOf<L extends string>(labels: Readonly<Record<L, string>>, times: Times): readonly CountedRow<L>[] {
  return times.buckets.some((count) => count > 0) ? [{ labels, buckets: times.buckets, sum: times.sumSeconds }] : [];
}
