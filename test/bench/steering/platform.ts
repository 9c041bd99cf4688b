import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { countries } from '../../../src/model/geo/countries.ts';

export const clusterCount = 20;
export const zone = 'video.example';
const apiVersion = 'tideline.dev/v1alpha1';
const indexes = Array.from({ length: clusterCount }, (_, index) => index);
const nameOf = (index: number): string => `c${index % clusterCount}`;

/** Writes a spec of 20 cloud clusters with these policies into a folder, which lives as long as `use` runs. */
export async function withPlatform<T>(policies: readonly object[], use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
  try {
    const documents = [...sites(), ...clusters(), ...policies].map((object) => stringify(object));
    await writeFile(join(folder, 'platform.yaml'), documents.join('---\n'));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A policy in which one of `rules` (at most 60) answers each country; each rule has its own mix of clusters, with three in order
 * behind it.
 */
export function policy(name: string, hosts: readonly string[], rules = 60): object {
  return policyWith(name, hosts, {
    rules: Array.from({ length: rules }, (_, rule) => ({
      countries: countries.filter((_country, place) => place % 60 === rule).map(({ code }) => code),
      clusters: [
        { name: nameOf(rule), weight: 70 },
        { name: nameOf(rule + 1 + Math.floor(rule / 20)), weight: 30 },
      ],
      failover: [nameOf(rule + 7), nameOf(rule + 8), nameOf(rule + 9)],
    })),
    default: { clusters: indexes.map((index) => ({ name: nameOf(index), weight: 10 })) },
  });
}

/** A policy that sends France to c0, the United States to c1 and all others to c2, which follows both. */
export function simplePolicy(name: string, hosts: readonly string[]): object {
  const rule = (country: string, cluster: string) => ({
    countries: [country],
    clusters: [{ name: cluster, weight: 1 }],
    failover: ['c2'],
  });
  return policyWith(name, hosts, {
    rules: [rule('FR', 'c0'), rule('US', 'c1')],
    default: { clusters: [{ name: 'c2', weight: 1 }] },
  });
}

function policyWith(name: string, hosts: readonly string[], answers: object): object {
  const spec = { hosts, dns: { zone, providers: ['route53'] }, ...answers };
  return { apiVersion, kind: 'TrafficPolicy', metadata: { name }, spec };
}

export const hosts = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `h${index}.${zone}`);

function sites(): readonly object[] {
  return indexes.map((index) => ({
    apiVersion,
    kind: 'Site',
    metadata: { name: `s${index}` },
    spec: {
      type: 'cloud',
      location: { country: 'FR', latitude: index, longitude: index },
      prefixes: { vips: [`198.51.100.${index * 4}/30`] },
    },
  }));
}

function clusters(): readonly object[] {
  return indexes.map((index) => ({
    apiVersion,
    kind: 'Cluster',
    metadata: { name: nameOf(index) },
    spec: { sites: [`s${index}`], source: { none: true }, entry: { anycast: [`198.51.100.${index * 4 + 1}`] } },
  }));
}
