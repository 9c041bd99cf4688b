import { compareKeys } from '../../../model/values.ts';
import { answersFor } from '../policy/answers.ts';
import { SteeringError } from '../reasons.ts';
import { type AddressType, type Entry, entriesOfType } from './entries.ts';
import { type Distribution, Interpreter } from './interpreter.ts';
import type { HealthCheck } from './record.ts';
import type { Tree } from './tree.ts';

/** How much was compared; shown in plans. */
export interface Verification {
  readonly countries: number;
  readonly failureSets: number;
}

/** Up to this many clusters every set of failed ones is tried; beyond, none, each one, each pair and all. */
const everySubsetUpTo = 8;

/**
 * Reads the tree as the provider does, for every country and unknown location, every host and every set of failed
 * clusters, and throws PlanDisagrees at the first answer that is not the wanted one.
 */
export function verifyTree(tree: Tree, hosts: readonly string[], entries: readonly Entry[]): Verification {
  const sets = failureSets(entries.map((entry) => entry.cluster));
  const interpreter = new Interpreter(tree.records);
  let countries = 0;
  for (const [type, effective] of tree.effective) {
    const byCluster = entriesOfType(entries, type);
    const clusterOfAddress = clustersByAddress(byCluster);
    countries = effective.size;
    for (const failed of sets) {
      const failedChecks = new Set(
        [...failed].flatMap((name) => (byCluster.get(name) ?? []).map((check) => check.key)),
      );
      for (const name of hosts) {
        const agreed = new Map<Distribution, Set<unknown>>();
        const view = interpreter.query({ name, type }, (key) => !failedChecks.has(key));
        for (const [country, tiers] of effective) {
          const answer = view.answer(country === '' ? undefined : country);
          if (agreed.get(answer)?.has(tiers) === true) continue;
          const wanted = answersFor(tiers, failed);
          const got = sumByCluster(answer, clusterOfAddress);
          if (!same(wanted, got)) throw disagreement({ name, type, country, failed, wanted, got });
          agreed.set(answer, (agreed.get(answer) ?? new Set()).add(tiers));
        }
      }
    }
  }
  return { countries, failureSets: sets.length };
}

/** The sets of failed clusters that a plan is checked against. */
export function failureSets(clusters: readonly string[]): readonly ReadonlySet<string>[] {
  if (clusters.length <= everySubsetUpTo) {
    return Array.from(
      { length: 2 ** clusters.length },
      (_, bits) => new Set(clusters.filter((_name, index) => (bits >> index) & 1)),
    );
  }
  const pairs = clusters.flatMap((a, index) => clusters.slice(index + 1).map((b) => new Set([a, b])));
  return [new Set<string>(), ...clusters.map((name) => new Set([name])), ...pairs, new Set(clusters)];
}

function clustersByAddress(byCluster: ReadonlyMap<string, readonly HealthCheck[]>): ReadonlyMap<string, string> {
  return new Map(
    [...byCluster].flatMap(([cluster, checks]) => checks.map((check) => [check.address, cluster] as const)),
  );
}

/** Shares by cluster; an address that belongs to no cluster counts under its own text. */
export function sumByCluster(answer: Distribution, clusterOfAddress: ReadonlyMap<string, string>): Distribution {
  const shares = new Map<string, number>();
  for (const [address, share] of answer) {
    const name = clusterOfAddress.get(address) ?? address;
    shares.set(name, (shares.get(name) ?? 0) + share);
  }
  return shares;
}

function same(a: Distribution, b: Distribution): boolean {
  return a.size === b.size && [...a].every(([name, share]) => Math.abs(share - (b.get(name) ?? -1)) < 1e-9);
}

function disagreement(detail: {
  readonly name: string;
  readonly type: AddressType;
  readonly country: string;
  readonly failed: ReadonlySet<string>;
  readonly wanted: Distribution;
  readonly got: Distribution;
}): SteeringError {
  const { name, type, country, failed, wanted, got } = detail;
  const where = `${name} ${type} for ${country === '' ? 'an unknown location' : country}`;
  return new SteeringError(
    'PlanDisagrees',
    `${where} with [${[...failed].join(', ')}] failed: wanted ${formatShares(wanted)}, the records give ${formatShares(got)}`,
  );
}

/** `newyork 30%, paris 70%`, sorted by name; `nothing` when empty. */
export function formatShares(shares: Distribution): string {
  if (shares.size === 0) return 'nothing';
  const sorted = [...shares].sort(compareKeys);
  return sorted.map(([name, share]) => (share === 1 ? name : `${name} ${Math.round(share * 1000) / 10}%`)).join(', ');
}
