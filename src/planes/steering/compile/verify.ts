import { answersFor, type Tier } from '../../../answers/answers.ts';
import { type Distribution, formatShares, sameShares, sumByCluster } from '../../../answers/distribution.ts';
import { failureSets } from '../../../answers/failures.ts';
import type { Compiled, Dialect, View } from '../dialects/dialect.ts';
import { SteeringError } from '../reasons.ts';
import { type Addresses, type AddressType, type Entry, entriesOfType } from './entries.ts';

/** How much was compared, as plans show it. */
export interface Verification {
  readonly countries: number;
  readonly failureSets: number;
}

/**
 * Reads the records as the provider does, for every country and unknown location, every host and every set of failed
 * clusters, and throws PlanDisagrees at the first answer that is not the wanted one.
 */
export function verify(
  dialect: Dialect,
  compiled: Compiled,
  hosts: readonly string[],
  entries: readonly Entry[],
): Verification {
  const sets = failureSets(entries.map((entry) => entry.cluster));
  const reading = dialect.interpret(compiled.records);
  let countries = 0;
  for (const [type, effective] of compiled.effective) {
    const addresses = entriesOfType(entries, type);
    const clusters = clustersByAddress(addresses);
    countries = effective.size;
    for (const failed of sets) {
      const failedChecks = [...failed].flatMap((name) => addresses.get(name) ?? []);
      const judged = new Set<View>();
      for (const name of hosts) {
        const view = reading.view(name, type, failedChecks);
        if (!judged.has(view)) compare({ name, type, failed, effective, clusters, view });
        judged.add(view);
      }
    }
  }
  return { countries, failureSets: sets.length };
}

interface Question {
  readonly name: string;
  readonly type: AddressType;
  readonly failed: ReadonlySet<string>;
  readonly effective: ReadonlyMap<string, readonly Tier[]>;
  readonly clusters: ReadonlyMap<string, string>;
  readonly view: View;
}

/**
 * Compares the answer of every country, for one host in one state of failures; countries that share answer and tiers are
 * compared once.
 */
function compare({ name, type, failed, effective, clusters, view }: Question): void {
  const agreed = new Map<Distribution, Set<unknown>>();
  const clusterOf = (address: string): string | undefined => clusters.get(address);
  for (const [country, tiers] of effective) {
    const answer = view.answer(country === '' ? undefined : country);
    if (agreed.get(answer)?.has(tiers) === true) continue;
    const wanted = answersFor(tiers, failed);
    const got = sumByCluster(answer, clusterOf);
    if (!sameShares(wanted, got)) {
      const where = `${name} ${type} for ${country === '' ? 'an unknown location' : country}`;
      throw new SteeringError(
        'PlanDisagrees',
        `${where} with [${[...failed].join(', ')}] failed: wanted ${formatShares(wanted)}, the records give ${formatShares(got)}`,
      );
    }
    agreed.set(answer, (agreed.get(answer) ?? new Set()).add(tiers));
  }
}

function clustersByAddress(addresses: Addresses): ReadonlyMap<string, string> {
  return new Map(
    [...addresses].flatMap(([cluster, checks]) => checks.map((check) => [check.address, cluster] as const)),
  );
}
