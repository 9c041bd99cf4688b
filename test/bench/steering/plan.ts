import type { ZoneReader } from '../../../src/planes/steering/providers/provider.ts';
import { loadPlatformOrThrow } from '../../../src/platform/load.ts';
import { planZone } from '../../support/steering/plans.ts';
import { atMost, type Bench, figure, type Row } from '../support/row.ts';
import { median } from '../support/statistics.ts';
import { clusterCount, hosts, policy, withPlatform, zone } from './platform.ts';

const runs = 5;
const budgetSeconds = 1;

/**
 * Measures whole plans in an empty Route 53 zone: answers, record tree, its verification, batches, impact. The first plan is that of
 * a cold process.
 */
export const steeringPlan: Bench = {
  name: 'steering-plan',
  async run(reportProgress) {
    const of = async (what: string, policies: readonly object[]): Promise<Measured> => {
      reportProgress(`${runs + 1} plans of ${what}`);
      return withPlatform(policies, measure);
    };
    const one = await of('one host', [policy('video', hosts(1))]);
    const many = await of('100 hosts of one policy', [policy('video', hosts(100))]);
    const each = await of(
      '100 policies',
      hosts(100).map((host, index) => policy(`video-${index}`, [host], 6)),
    );
    return [
      ...rowsOf('steering plan, verified', one),
      ...rowsOf('100 hosts of one policy', many),
      ...rowsOf('100 hosts, each with a policy of its own, all alike', each),
    ];
  },
};

interface Measured {
  readonly seconds: readonly number[];
  /** Of the first plan. */
  readonly processorSeconds: number;
  readonly what: string;
}

async function measure(folder: string): Promise<Measured> {
  const platform = await loadPlatformOrThrow([folder]);
  const seconds: number[] = [];
  const processor: number[] = [];
  let what = '';
  for (let run = 0; run <= runs; run += 1) {
    const begin = performance.now();
    const before = process.cpuUsage();
    const { intent } = await planZone(platform, emptyZone, zone, Date.now());
    seconds.push((performance.now() - begin) / 1000);
    const { user, system } = process.cpuUsage(before);
    processor.push((user + system) / 1e6);
    const verified = intent.policies[0]?.verification;
    what = `${verified?.countries} locations × ${clusterCount} clusters × ${verified?.failureSets} sets of failures, ${intent.wanted.records.length} records`;
  }
  return { seconds, processorSeconds: processor[0] ?? Number.NaN, what };
}

function rowsOf(title: string, { seconds, processorSeconds, what }: Measured): readonly Row[] {
  const [first = Number.NaN, ...others] = seconds;
  return [
    atMost(`${title}: ${what}`, first, budgetSeconds, 's'),
    { what: 'its processor time', measured: figure(processorSeconds, 's') },
    { what: 'the same once more in the same process', measured: figure(median(others), 's') },
  ];
}

const emptyZone: ZoneReader = {
  name: 'route53',
  async read(name) {
    return {
      zone: name,
      zoneId: 'Z0',
      records: [],
      healthChecks: new Map(),
      strayHealthChecks: [],
      retiredHealthChecks: [],
    };
  },
};
