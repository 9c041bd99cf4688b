import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { countries } from '../../src/model/geo/countries.ts';
import { planZone } from '../../src/planes/steering/plan/plan.ts';
import type { ZoneReader } from '../../src/planes/steering/providers/provider.ts';
import { loadPlatformOrThrow } from '../../src/platform/load.ts';
import { atMost, type Bench, figure } from './support/row.ts';
import { median } from './support/statistics.ts';

const clusterCount = 20;
const zone = 'video.example';
const runs = 5;

/** Measures the whole plan of one host in an empty Route 53 zone: answers, record tree, its verification, batches, impact. */
export const steeringPlan: Bench = {
  name: 'steering-plan',
  async run(reportProgress) {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    try {
      await writeFile(
        join(folder, 'platform.yaml'),
        documents()
          .map((object) => stringify(object))
          .join('---\n'),
      );
      const platform = await loadPlatformOrThrow([folder]);
      reportProgress(`${runs + 1} plans, the first in a cold process`);
      const times: number[] = [];
      let what = '';
      for (let run = 0; run <= runs; run += 1) {
        const begin = performance.now();
        const plan = await planZone(platform, emptyZone, zone, Date.now());
        times.push((performance.now() - begin) / 1000);
        const verified = plan.intent.policies[0]?.verification;
        what = `${verified?.countries} locations × ${clusterCount} clusters × ${verified?.failureSets} sets of failures, ${plan.intent.wanted.records.length} records`;
      }
      const [cold = Number.NaN, ...warm] = times;
      return [
        atMost(`steering plan, verified: ${what}`, cold, 1, 's'),
        { what: 'the same once more in the same process', measured: figure(median(warm), 's') },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const emptyZone: ZoneReader = {
  name: 'route53',
  async read(name) {
    return { zone: name, zoneId: 'Z0', records: [], healthChecks: new Map(), strayHealthChecks: [] };
  },
};

/**
 * A spec of 20 cloud clusters, in which one of 60 rules answers each country; each rule has its own mix of clusters, with three
 * in order behind it.
 */
function documents(): readonly unknown[] {
  const apiVersion = 'tideline.dev/v1alpha1';
  const indexes = Array.from({ length: clusterCount }, (_, index) => index);
  const name = (index: number): string => `c${index % clusterCount}`;
  const sites = indexes.map((index) => ({
    apiVersion,
    kind: 'Site',
    metadata: { name: `s${index}` },
    spec: {
      type: 'cloud',
      location: { country: 'FR', latitude: index, longitude: index },
      prefixes: { vips: [`198.51.100.${index * 4}/30`] },
    },
  }));
  const clusters = indexes.map((index) => ({
    apiVersion,
    kind: 'Cluster',
    metadata: { name: name(index) },
    spec: { sites: [`s${index}`], source: { none: true }, entry: { anycast: [`198.51.100.${index * 4 + 1}`] } },
  }));
  const rules = Array.from({ length: 60 }, (_, rule) => ({
    countries: countries.filter((_country, place) => place % 60 === rule).map(({ code }) => code),
    clusters: [
      { name: name(rule), weight: 70 },
      { name: name(rule + 1 + Math.floor(rule / 20)), weight: 30 },
    ],
    failover: [name(rule + 7), name(rule + 8), name(rule + 9)],
  }));
  const policy = {
    apiVersion,
    kind: 'TrafficPolicy',
    metadata: { name: 'video' },
    spec: {
      hosts: [`www.${zone}`],
      dns: { zone, providers: ['route53'] },
      rules,
      default: { clusters: indexes.map((index) => ({ name: name(index), weight: 10 })) },
    },
  };
  return [...sites, ...clusters, policy];
}
