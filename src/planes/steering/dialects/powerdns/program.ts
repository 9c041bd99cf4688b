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
  /** How many addresses of a cluster must be up for it to be a first choice, where one is not enough. */
  readonly #least: ReadonlyMap<string, number>;
  readonly #clusters: ReadonlyMap<string, string>;

  private constructor(type: AddressType, tables: Tables, id: string) {
    this.type = type;
    this.id = id;
    this.#groups = tables.groups;
    this.#otherwise = tables.otherwise;
    this.#tiers = tables.tiers;
    this.#addresses = tables.addresses;
    this.#least = tables.least;
    this.#clusters = new Map(
      [...tables.addresses].flatMap(([name, addresses]) => addresses.map((address) => [address, name] as const)),
    );
  }

  /** Reads the value of a LUA record, `A "…" "…"`; undefined when it is not in our form. `idOf` gives an identifier to a content. */
  static parse(value: string, idOf: (tables: string) => string = (tables) => tables): Program | undefined {
    const type = addressTypes.find((candidate) => value.startsWith(`${candidate} "`));
    const tables = parseTables(codeOf(value));
    if (type === undefined || tables === undefined) return undefined;
    const { groups, otherwise, tiers, addresses, least } = tables;
    const content = [[...groups], otherwise, [...tiers], [...addresses], [...least]];
    return new Program(type, tables, idOf(JSON.stringify(content)));
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
   * The answer is the first tier in which a cluster has an address that is up, by weight among such clusters; in the very first, a cluster needs as
   * many as the script says. When there is none, it is the first tier with all of its addresses, or of a script that counts, with those that
   * are up where some are. A cluster answers with all its addresses that are up; clients pick at random.
   */
  #evaluate(tiers: readonly Tier[], down: ReadonlySet<string>): Distribution {
    const up = (cluster: string): readonly string[] => this.#addressesOf(cluster).filter((one) => !down.has(one));
    const enough = (cluster: string): readonly string[] =>
      up(cluster).length < (this.#least.get(cluster) ?? 1) ? [] : up(cluster);
    for (const [index, tier] of tiers.entries()) {
      const answer = pick(tier, index === 0 ? enough : up, up);
      if (answer.size > 0) return answer;
    }
    const left = (cluster: string): readonly string[] =>
      this.#least.size > 0 && up(cluster).length > 0 ? up(cluster) : this.#addressesOf(cluster);
    return pick(tiers[0] ?? [], left, left);
  }

  #addressesOf(cluster: string): readonly string[] {
    return this.#addresses.get(cluster) ?? [];
  }
}

type Serving = (cluster: string) => readonly string[];

/** The shares of the addresses that serve: of the cluster of each share, or of the first that takes over for it. */
function pick(tier: Tier, own: Serving, others: Serving): Distribution {
  const choices = tier.flatMap(({ weight, name, failover = [] }) => {
    const serving = [own(name), ...failover.map(others)];
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

interface Tables {
  readonly groups: ReadonlyMap<string, string>;
  readonly otherwise: string;
  readonly tiers: ReadonlyMap<string, readonly Tier[]>;
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly least: ReadonlyMap<string, number>;
}

/** The script without the quotes of its character strings, which `lua.ts` cuts only where white space may stand. */
function codeOf(value: string): string {
  return value.slice(value.indexOf('"') + 1, -1).replaceAll('" "', '');
}

function parseTables(code: string): Tables | undefined {
  const [, members, networks = ''] = /^;local m=\{([^}]*)\} (?:local n=\{(.*?\},)\} )?local t=/.exec(code) ?? [];
  const clusters = / local c=\{(.*?)\} local [uhx][,=]/.exec(code)?.[1];
  const otherwise = /countryCode\(\)\] or (\d+)/.exec(code)?.[1];
  const counts = / local h=\{(.*?)\} local [ux][,=]/.exec(code)?.[1] ?? '';
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
    least: new Map([...counts.matchAll(/\['(.*?)'\]=(\d+),/g)].map(([, name = '', least]) => [name, Number(least)])),
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
