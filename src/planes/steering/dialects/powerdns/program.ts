import { z } from 'zod';
import type { Tier } from '../../../../answers/answers.ts';
import type { Distribution } from '../../../../answers/distribution.ts';
import { isNetwork } from '../../../../model/geo/networks.ts';
import { type AddressType, addressTypes } from '../../compile/entries.ts';

/**
 * A script of ours, read back from a LUA record: its tables, and the answers that its code computes from them. The code is the
 * same in every script (`lua.ts`), so only the tables are parsed; what the code does is written here from PowerDNS's
 * documentation of `ifurlup` and `pickwhashed`, and the conformance suite compares it with a real server.
 */
export class Program {
  readonly type: AddressType;
  /** Equal for programs of equal tables, whatever they probe; the answers depend on nothing else. */
  readonly id: string;
  /** Index of the group, by country code or network. */
  readonly #groups: ReadonlyMap<string, string>;
  /** The group of all other countries, and of unknown locations. */
  readonly #otherwise: string;
  readonly #tiers: ReadonlyMap<string, readonly Tier[]>;
  readonly #addresses: ReadonlyMap<string, readonly string[]>;
  readonly #clusters: ReadonlyMap<string, string>;

  private constructor(type: AddressType, tables: Tables, id: string) {
    this.type = type;
    this.id = id;
    this.#groups = tables.groups;
    this.#otherwise = tables.otherwise;
    this.#tiers = tables.tiers;
    this.#addresses = tables.addresses;
    this.#clusters = new Map(
      [...tables.addresses].flatMap(([name, addresses]) => addresses.map((address) => [address, name] as const)),
    );
  }

  /** Reads the value of a LUA record, `A "…" "…"`; undefined when it is not in our form. `idOf` gives an identifier to a content. */
  static parse(value: string, idOf: (tables: string) => string = (tables) => tables): Program | undefined {
    const type = addressTypes.find((candidate) => value.startsWith(`${candidate} "`));
    const tables = parseTables(codeOf(value));
    if (type === undefined || tables === undefined) return undefined;
    const { groups, otherwise, tiers, addresses } = tables;
    return new Program(type, tables, idOf(JSON.stringify([[...groups], otherwise, [...tiers], [...addresses]])));
  }

  /** The addresses of all clusters that the script knows. */
  get addresses(): readonly string[] {
    return [...this.#clusters.keys()];
  }

  /** The networks that it tells apart, sorted. */
  get networks(): readonly string[] {
    return [...this.#groups.keys()].filter(isNetwork).sort();
  }

  tiersOf(country: string | undefined): readonly Tier[] {
    return this.#tiers.get(this.#groupOf(country)) ?? [];
  }

  /** The cluster that an address belongs to. */
  clusterOf(address: string): string | undefined {
    return this.#clusters.get(address);
  }

  /** Shares by address while these addresses are down, for a country or network or, when undefined, for users of unknown location. */
  answerWhileDown(down: ReadonlySet<string>): (country: string | undefined) => Distribution {
    const byGroup = new Map<string, Distribution>();
    return (country) => {
      const group = this.#groupOf(country);
      const answer = byGroup.get(group) ?? this.#evaluate(this.tiersOf(country), down);
      byGroup.set(group, answer);
      return answer;
    };
  }

  #groupOf(country: string | undefined): string {
    return this.#groups.get(country ?? '') ?? this.#otherwise;
  }

  /**
   * The answer is the first tier in which a cluster has an address that is up, by weight among such clusters; when there is none,
   * it is the first tier with all of its addresses. A cluster answers with all its addresses that are up; clients pick at random.
   */
  #evaluate(tiers: readonly Tier[], down: ReadonlySet<string>): Distribution {
    for (const tier of tiers) {
      const answer = this.#pick(tier, (address) => !down.has(address));
      if (answer.size > 0) return answer;
    }
    return this.#pick(tiers[0] ?? [], () => true);
  }

  #pick(tier: Tier, serves: (address: string) => boolean): Distribution {
    const choices = tier.flatMap(({ weight, name, failover = [] }) => {
      const serving = [name, ...failover].map((one) => (this.#addresses.get(one) ?? []).filter(serves));
      const addresses = serving.find((some) => some.length > 0);
      return addresses === undefined ? [] : [{ weight, addresses }];
    });
    const total = choices.reduce((sum, { weight }) => sum + weight, 0);
    const shares = new Map<string, number>();
    for (const { weight, addresses } of choices) {
      for (const address of addresses) {
        shares.set(address, (shares.get(address) ?? 0) + weight / total / addresses.length);
      }
    }
    return shares;
  }
}

interface Tables {
  readonly groups: ReadonlyMap<string, string>;
  readonly otherwise: string;
  readonly tiers: ReadonlyMap<string, readonly Tier[]>;
  readonly addresses: ReadonlyMap<string, readonly string[]>;
}

/** The script without the quotes of its character strings, which `lua.ts` cuts only where white space may stand. */
function codeOf(value: string): string {
  return value.slice(value.indexOf('"') + 1, -1).replaceAll('" "', '');
}

function parseTables(code: string): Tables | undefined {
  const [, members, networks = ''] = /^;local m=\{([^}]*)\} (?:local n=\{(.*?\},)\} )?local t=/.exec(code) ?? [];
  const clusters = / local c=\{(.*?)\} local [ux][,=]/.exec(code)?.[1];
  const otherwise = /countryCode\(\)\] or (\d+)/.exec(code)?.[1];
  if (members === undefined || clusters === undefined || otherwise === undefined) return undefined;
  const functions = [...code.matchAll(/\[(\d+)\]=function\(\) return (\{.*?\}) end,/g)];
  const tiers = functions.flatMap(([, group = '', text = '']): readonly (readonly [string, readonly Tier[]])[] => {
    const read = parseTiers(text);
    return read === undefined ? [] : [[group, read]];
  });
  if (tiers.length < functions.length) return undefined;
  return {
    groups: new Map([
      ...[...members.matchAll(/_([a-z]{2})=(\d+),/g)].map(
        ([, code = '', group = '']) => [code.toUpperCase(), group] as const,
      ),
      ...[...networks.matchAll(/\[(\d+)\]=\{(.*?)\},/g)].flatMap(([, group = '', list = '']) =>
        [...list.matchAll(/'(.*?)',/g)].map(([, network = '']) => [network, group] as const),
      ),
    ]),
    otherwise,
    tiers: new Map(tiers),
    addresses: new Map(
      [...clusters.matchAll(/\['(.*?)'\]=\{'.*?',(.*?)\},/g)].map(([, name = '', addresses = '']) => [
        name,
        [...addresses.matchAll(/'(.*?)',/g)].map(([, address = '']) => address),
      ]),
    ),
  };
}

const Tiers = z.array(z.array(z.tuple([z.string(), z.number()], z.string())));

/** Undefined for a table that somebody wrote otherwise. */
function parseTiers(text: string): readonly Tier[] | undefined {
  const json = text.replaceAll('{', '[').replaceAll('}', ']').replaceAll("'", '"').replaceAll(',]', ']');
  try {
    return Tiers.parse(JSON.parse(json)).map((tier) =>
      tier.map(([name, weight, ...failover]) => ({ name, weight, ...(failover.length === 0 ? {} : { failover }) })),
    );
  } catch {
    return undefined;
  }
}
