import { answersFor, formatTiers, type Tier } from '../../../answers/answers.ts';
import { type Distribution, formatShares, sameShares, sumByCluster } from '../../../answers/distribution.ts';
import { failureSets } from '../../../answers/failures.ts';
import { countryOfPlace } from '../../../model/geo/states.ts';
import type { AddressCheck, Compiled, Reading, View } from '../dialects/dialect.ts';
import { SteeringError } from '../reasons.ts';
import { type Addresses, type AddressType, type Entry, entriesOfType, leastOf } from './entries.ts';

/** How much was compared, as plans show it. */
export interface Verification {
  readonly countries: number;
  readonly failureSets: number;
}

/**
 * Verifies several policies whose records were read together. Where the reading says that two hosts answer alike (`answersKey`), and
 * the same is wanted of both, it compares one of them, whichever policy they belong to.
 */
export class Verifier {
  readonly #reading: Reading;
  /** What was compared: what is wanted, which clusters are down, and what answers. */
  readonly #agreed = new Set<string>();
  readonly #expectations = new Map<string, number>();
  readonly #tierTexts = new WeakMap<readonly Tier[], string>();

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  verify(
    { effective, uncounted }: Pick<Compiled, 'effective' | 'uncounted'>,
    hosts: readonly string[],
    entries: readonly Entry[],
  ): Verification {
    const sets = failureSets(entries.map((entry) => entry.cluster));
    let countries = 0;
    for (const [type, wanted] of effective) {
      const addresses = entriesOfType(entries, type);
      const clusters = clustersByAddress(addresses);
      const expectation = this.#expectationOf(wanted, clusters);
      countries = wanted.size;
      // Records may tell states and networks apart that the policy does not name.
      const everywhere = withOthers(
        wanted,
        hosts.flatMap((name) => this.#reading.apart(name, type)),
      );
      const whole = sets.map((failed): State => {
        const checks = [...failed].flatMap((name) => addresses.get(name) ?? []);
        return { failed, checks, effective: everywhere, text: [...failed].join() };
      });
      for (const state of [...whole, ...partialStates(addresses, everywhere, uncounted.get(type))]) {
        for (const name of hosts) {
          const comparison = `${expectation} ${state.text} ${this.#reading.answersKey(name, type, state.checks)}`;
          if (this.#agreed.has(comparison)) continue;
          compare({ name, type, ...state, clusters, view: this.#reading.view(name, type, state.checks) });
          this.#agreed.add(comparison);
        }
      }
    }
    return { countries, failureSets: sets.length };
  }

  /** A number that is equal for equal tiers of every country and equal clusters of every address. */
  #expectationOf(effective: Question['effective'], clusters: Question['clusters']): number {
    const tiers = [...effective].map(([country, wanted]) => `${country} ${this.#textOf(wanted)}`);
    const text = [...tiers, ...[...clusters].map((pair) => pair.join(' '))].join('\n');
    const number = this.#expectations.get(text) ?? this.#expectations.size;
    this.#expectations.set(text, number);
    return number;
  }

  #textOf(tiers: readonly Tier[]): string {
    const text = this.#tierTexts.get(tiers) ?? formatTiers(tiers);
    this.#tierTexts.set(tiers, text);
    return text;
  }
}

interface State {
  /** The clusters that count as failed. */
  readonly failed: ReadonlySet<string>;
  /** The checks that fail. */
  readonly checks: readonly AddressCheck[];
  readonly effective: ReadonlyMap<string, readonly Tier[]>;
  readonly text: string;
}

/**
 * Each cluster that must have several addresses to be a first choice, alone with one too few, when it counts as failed, and with just enough of them, when it
 * does not. Left out are the countries of which a compiler says that its records do not count, where it is one of the first choices.
 */
function partialStates(
  addresses: Addresses,
  effective: State['effective'],
  uncounted: ReadonlySet<string> = new Set(),
): readonly State[] {
  return [...addresses].flatMap(([name, checks]) => {
    const least = leastOf(checks);
    if (least < 2) return [];
    const counted = new Map(
      [...effective].filter(
        ([code, [first = []]]) =>
          !(uncounted.has(code) || uncounted.has(countryOfPlace(code))) || first.every((one) => one.name !== name),
      ),
    );
    return [least - 1, least].map((answering): State => {
      const failed = new Set(answering < least ? [name] : []);
      return { failed, checks: checks.slice(answering), effective: counted, text: `${answering} of ${name}` };
    });
  });
}

function withOthers(
  wanted: ReadonlyMap<string, readonly Tier[]>,
  apart: readonly string[],
): ReadonlyMap<string, readonly Tier[]> {
  const others = [...new Set(apart)].filter((code) => !wanted.has(code));
  if (others.length === 0) return wanted;
  const tiersOf = (code: string): readonly Tier[] => wanted.get(countryOfPlace(code)) ?? wanted.get('') ?? [];
  return new Map([...wanted, ...others.map((code) => [code, tiersOf(code)] as const)]);
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
