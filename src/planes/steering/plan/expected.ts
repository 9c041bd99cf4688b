import type { RecordSet } from '../../../answers/record.ts';
import { parseAddress } from '../../../model/address.ts';
import { countries } from '../../../model/geo/countries.ts';
import { countryOfPlace } from '../../../model/geo/states.ts';
import { compareKeys } from '../../../model/values.ts';
import type { AddressType } from '../compile/entries.ts';
import type { AddressCheck, Reading, View } from '../dialects/dialect.ts';
import { failingChecks } from './counted.ts';
import { countriesThatMove, type HostImpact } from './impact.ts';
import { readingAfter, type ZonePlan } from './plan.ts';

/** What a name server is asked once a plan is carried out: one family of a host, as a client in a country. */
export interface AnswerQuestion {
  readonly host: string;
  readonly type: AddressType;
  readonly country: string;
}

/** So many countries are asked for at most, for one family of a host. */
const mostCountries = 24;

/** What the zone of a plan should answer when the plan is carried out, as its provider reads the records. */
export class ExpectedAnswers {
  readonly #plan: ZonePlan;
  readonly #reading: Reading;
  readonly #failed = new Map<string, readonly AddressCheck[]>();

  constructor(plan: ZonePlan) {
    this.#plan = plan;
    this.#reading = readingAfter(plan);
  }

  /**
   * The questions by which every answer of the hosts of the plan is asked for once, where users are moved in a country of theirs and in
   * another; of countries for which `canAsk`. A host that loses its answers is asked for as well.
   */
  questions(canAsk: (country: string) => boolean): readonly AnswerQuestion[] {
    const groupsOf = new Map<View, readonly (readonly string[])[]>();
    return this.#plan.impacts.flatMap((impact) =>
      this.#typesOf(impact).flatMap((type) => {
        const view = this.#reading.view(impact.host, type, this.#failedWhile());
        const groups = groupsOf.get(view) ?? sameAnswers(view, canAsk);
        groupsOf.set(view, groups);
        return askedFor(groups, new Set(countriesThatMove(impact))).map((country) => ({
          host: impact.host,
          type,
          country,
        }));
      }),
    );
  }

  /**
   * The addresses that may be answered, one or several of them, while everything is healthy, or now that the addresses `down` fail; none for
   * a host without an answer. In which state of a country a client is is not known, so the answers of its states are among them. It must be in
   * none of the networks that the records tell apart.
   */
  addresses({ host, type, country }: AnswerQuestion, down?: ReadonlySet<string>): ReadonlySet<string> {
    if (!this.#reading.types(host).includes(type)) return none;
    const view = this.#reading.view(host, type, this.#failedWhile(down));
    const states = this.#reading.apart(host, type).filter((code) => countryOfPlace(code) === country);
    const answers = [country, ...states].flatMap((place) => [...view.answer(place)]);
    return new Set(answers.filter(([, share]) => share > 0).map(([address]) => address));
  }

  /** The families of which an answer is known: those that the host has, or has lost without anything that answers instead. */
  #typesOf({ host, families }: HostImpact): readonly AddressType[] {
    const held = this.#reading.types(host);
    if (held.length > 0) return held;
    return isSilentAt(host, this.#plan) ? families.map(({ type }) => type) : [];
  }

  /** One list for each set of addresses, because a reading keeps what it read for the list that it was given last. */
  #failedWhile(down?: ReadonlySet<string>): readonly AddressCheck[] {
    const key = down === undefined ? 'healthy' : ['down', ...[...down].sort()].join(' ');
    const failing = () => (down === undefined ? [] : failingChecks(this.#reading, down, this.#plan.countedAfter));
    const known = this.#failed.get(key) ?? failing();
    this.#failed.set(key, known);
    return known;
  }
}

const none: ReadonlySet<string> = new Set();

/** The countries that can be asked for, together where they are answered alike; without those that a name outside of the zone answers. */
function sameAnswers(view: View, canAsk: (country: string) => boolean): readonly (readonly string[])[] {
  const textOf = (country: string): string => [...view.answer(country)].sort(compareKeys).join(' ');
  const isKnown = (country: string): boolean =>
    [...view.answer(country).keys()].every((value) => parseAddress(value) !== undefined);
  const codes = countries.map(({ code }) => code).filter((code) => canAsk(code) && isKnown(code));
  return [...Map.groupBy(codes, textOf).values()];
}

function askedFor(groups: readonly (readonly string[])[], moved: ReadonlySet<string>): readonly string[] {
  const [first, second] = [true, false].map((isMoved) =>
    groups.flatMap((codes) => codes.find((code) => moved.has(code) === isMoved) ?? []),
  );
  return [...(first ?? []), ...(second ?? [])].slice(0, mostCountries);
}

/** True when neither a record of the host nor a wildcard above it is left. */
function isSilentAt(host: string, { zone, state, changes }: ZonePlan): boolean {
  const gone = new Set<RecordSet>(changes.delete);
  const left = [...state.records.filter((record) => !gone.has(record)), ...changes.create];
  const names = new Set([host]);
  for (let name = host; name !== zone && name.includes('.'); ) {
    name = name.slice(name.indexOf('.') + 1);
    names.add(`*.${name}`);
  }
  return !left.some(({ name }) => names.has(name));
}
