import { expect, it } from 'vitest';
import { CountedHistogram, Registry } from './metrics.ts';

it('a histogram that another process counts is told as prom-client tells its own', async () => {
  const registry = new Registry();
  const histogram = new CountedHistogram<'host'>({
    name: 'tideline_test_seconds',
    help: 'A test.',
    labelNames: ['host'],
    bounds: [0.1, 1],
    registers: [registry],
  });
  histogram.set([{ labels: { host: 'a"b' }, buckets: [2, 1, 4], sum: 9.5 }]);
  expect(await registry.metrics()).toBe(
    [
      '# HELP tideline_test_seconds A test.',
      '# TYPE tideline_test_seconds histogram',
      'tideline_test_seconds_bucket{host="a\\"b",le="0.1"} 2',
      'tideline_test_seconds_bucket{host="a\\"b",le="1"} 3',
      'tideline_test_seconds_bucket{host="a\\"b",le="+Inf"} 7',
      'tideline_test_seconds_sum{host="a\\"b"} 9.5',
      'tideline_test_seconds_count{host="a\\"b"} 7',
      '',
    ].join('\n'),
  );
});
