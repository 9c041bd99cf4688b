import { continentOf } from '../../src/model/geo/countries.ts';
import type { Platform } from '../../src/model/spec/platform.ts';

/**
 * The clusters that a policy names for a country while all is well: by the rule that names the country, else by the one that
 * names its continent, else by the default. It reads the spec alone, so that it can judge what steering made of the spec.
 */
export function expectedClusters(platform: Platform, policyName: string, country: string): readonly string[] {
  const policy = platform.policies.get(policyName);
  if (policy === undefined) return [];
  const { rules, default: fallback } = policy.spec;
  const continent = continentOf(country);
  const rule =
    rules.find(({ countries }) => countries.includes(country)) ??
    rules.find(({ continents }) => continents.some((code) => code === continent)) ??
    fallback;
  return rule.clusters.filter(({ weight }) => weight > 0).map(({ name }) => name);
}

/** The countries of the lab that a policy sends to a cluster, wholly or in part. */
export function countriesOf(
  platform: Platform,
  policyName: string,
  cluster: string,
  countries: readonly string[],
): readonly string[] {
  return countries.filter((country) => expectedClusters(platform, policyName, country).includes(cluster));
}
