import { type CountryWeights, weightsAmong } from '../../../model/country-weights.ts';
import { countries } from '../../../model/geo/countries.ts';
import { isNetwork } from '../../../model/geo/networks.ts';
import type { AddressType } from '../compile/entries.ts';
import type { Reading, View } from '../dialects/dialect.ts';
import { placesApart, servedType } from './places.ts';

/** Countries that have another number of choices after a plan, whatever is answered first. */
export interface DepthChange {
  readonly type: AddressType;
  /** Who answers, one after the other, while all that answered before has failed: `newyork,paris > cloud`. */
  readonly before: string;
  readonly after: string;
  /** How many clusters that are, at least one. */
  readonly choices: { readonly before: number; readonly after: number };
  readonly countries: readonly string[];
  /** Share of all traffic, 0..1. */
  readonly share: number;
}

interface Question {
  readonly before: Reading;
  readonly after: Reading;
  readonly clusterOfAddress: ReadonlyMap<string, string>;
  readonly weights: CountryWeights;
}

/**
 * Finds the countries whose users have more or fewer clusters to go to, each time the one that answers fails: for a host and a family, as the
 * readings answer; those that concern more traffic come first. A host without an answer before or after has none. Hosts with the same records
 * are looked at once.
 */
export class Depths {
  readonly #question: Question;
  readonly #orders = new Map<Reading, Map<string, ReadonlyMap<string, Order>>>();

  constructor(question: Question) {
    this.#question = question;
  }

  changes(host: string, type: AddressType): readonly DepthChange[] {
    const { before, after, weights } = this.#question;
    const told = [before, after].map((reading) => new Set(placesApart([reading], host, type)));
    // What a network had, or will have, with its country is not known.
    const places = placesApart([before, after], host, type).filter(
      (code) => !isNetwork(code) || told.every((some) => some.has(code)),
    );
    const weightOf = weightsAmong(weights, places);
    const [old, next] = [this.#ordersOf(before, host, type, places), this.#ordersOf(after, host, type, places)];
    const groups = new Map<string, DepthChange>();
    for (const code of places) {
      const [was, becomes] = [old.get(code) ?? none, next.get(code) ?? none];
      if (was.choices === becomes.choices || was.choices === 0 || becomes.choices === 0) continue;
      const key = `${was.text} -> ${becomes.text}`;
      const group = groups.get(key);
      groups.set(key, {
        type,
        before: was.text,
        after: becomes.text,
        choices: { before: was.choices, after: becomes.choices },
        countries: [...(group?.countries ?? []), code],
        share: (group?.share ?? 0) + weightOf(code),
      });
    }
    return [...groups.values()].sort((a, b) => b.share - a.share);
  }

  #ordersOf(reading: Reading, host: string, type: AddressType, places: readonly string[]): ReadonlyMap<string, Order> {
    const served = servedType(reading, host, type);
    // With every check failed the key holds all that answers depend on.
    const key = `${reading.answersKey(host, served, reading.checks)} ${places.slice(countries.length).join()}`;
    const known = this.#orders.get(reading) ?? new Map<string, ReadonlyMap<string, Order>>();
    this.#orders.set(reading, known);
    const orders = known.get(key) ?? ordersOf(reading, { host, type: served, places }, this.#question.clusterOfAddress);
    known.set(key, orders);
    return orders;
  }
}

/** The share, 0..1, of the users who lose choices, in the family for which that is more. */
export function lostDepth(depth: readonly DepthChange[]): number {
  const lost = depth.filter(({ choices }) => choices.after < choices.before);
  const byType = Map.groupBy(lost, ({ type }) => type).values();
  return Math.max(0, ...[...byType].map((some) => some.reduce((sum, { share }) => sum + share, 0)));
}

interface Order {
  readonly text: string;
  readonly choices: number;
}

const none: Order = { text: '', choices: 0 };

/** One step of an order: clusters, and addresses of none, that share the users. */
interface Step {
  readonly names: readonly string[];
  readonly clusters: number;
}

function ordersOf(
  reading: Reading,
  { host, type, places }: { readonly host: string; readonly type: AddressType; readonly places: readonly string[] },
  clusterOfAddress: ReadonlyMap<string, string>,
): ReadonlyMap<string, Order> {
  const steps = new Map<string, Step[]>();
  const follow = (codes: readonly string[], failed: Failed): void => {
    const checks = reading.checks.filter(
      ({ address }) => failed.addresses.has(address) || failed.names.has(clusterOfAddress.get(address) ?? address),
    );
    const view = reading.view(host, type, checks);
    for (const some of Map.groupBy(codes, (code) => [...view.answer(code).keys()].sort().join()).values()) {
      const fresh = [...view.answer(some[0]).keys()].filter((address) => !failed.addresses.has(address));
      const step = stepOf(view, fresh, failed, clusterOfAddress);
      if (step.names.length === 0) continue;
      for (const code of some) steps.set(code, [...(steps.get(code) ?? []), step]);
      follow(some, {
        names: new Set([...failed.names, ...step.names]),
        addresses: new Set([...failed.addresses, ...fresh]),
      });
    }
  };
  follow(places, { names: new Set(), addresses: new Set() });
  return new Map([...steps].map(([code, some]) => [code, orderOf(some)]));
}

interface Failed {
  readonly names: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
}

function stepOf(
  view: View,
  addresses: readonly string[],
  failed: Failed,
  clusterOfAddress: ReadonlyMap<string, string>,
): Step {
  const clusterOf = (address: string): string | undefined => view.clusterOf(address) ?? clusterOfAddress.get(address);
  const names = new Set(
    addresses.map((address) => clusterOf(address) ?? address).filter((one) => !failed.names.has(one)),
  );
  const clusters = new Set(addresses.flatMap((address) => clusterOf(address) ?? []));
  return { names: [...names].sort(), clusters: clusters.size };
}

/** Addresses that belong to no cluster count as one choice, where they stand alone: whose they were is not known any more. */
function orderOf(steps: readonly Step[]): Order {
  return {
    text: steps.map(({ names }) => names.join()).join(' > '),
    choices: steps.reduce((sum, { clusters }) => sum + Math.max(1, clusters), 0),
  };
}
