import { type Answers, formatTiers, preferenceOf, type Tier } from '../../../../answers/answers.ts';
import { countries } from '../../../../model/geo/countries.ts';
import { isNetwork } from '../../../../model/geo/networks.ts';
import { stateOf } from '../../../../model/geo/states.ts';
import {
  type Addresses,
  type AddressType,
  addressTypes,
  entriesOfType,
  type HealthCheck,
  leastOf,
} from '../../compile/entries.ts';
import { badInput, noAddress, type SteeringNotice } from '../../reasons.ts';
import type { Compiled, CompileInput } from '../dialect.ts';
import { servable } from '../servable.ts';

/** Compiles one LUA record set for each host, with a script for each address type; the result is exact for any policy. */
export function compileLua(input: CompileInput): Compiled {
  const served = addressTypes
    .map((type) => ({ type, addresses: entriesOfType(input.entries, type) }))
    .filter(({ addresses }) => addresses.size > 0);
  if (served.length === 0) throw noAddress(input.answers.policy);
  refuseStates(input.answers);
  const values = served.map(({ type, addresses }) => `${type} ${quote(script(input.answers, type, addresses))}`);
  return {
    records: input.hosts.map((name) => ({
      name,
      type: 'LUA',
      target: { kind: 'values', ttlSeconds: input.ttlSeconds, values },
    })),
    healthChecks: [],
    countingChecks: [],
    uncounted: new Map(),
    effective: new Map(served.map(({ type, addresses }) => [type, effectiveOf(input.answers, type, addresses)])),
    notices: [healthIntervalOfServer, only200IsHealthy],
  };
}

/** The server's database knows countries only: where it had states, a script could not tell an unknown one from another state. */
function refuseStates({ policy, byCountry }: Answers): void {
  const states = [...byCountry.keys()].filter((code) => stateOf(code) !== undefined);
  if (states.length === 0) return;
  throw badInput(
    'StatesUnknown',
    `policy ${policy} names ${states.join(', ')}, and PowerDNS tells countries apart, not states`,
    'name the whole country, or take powerdns out of spec.dns.providers of the policy',
  );
}

const healthIntervalOfServer: SteeringNotice = {
  reason: 'HealthIntervalOfServer',
  message:
    "PowerDNS checks health at its own lua-health-checks-interval; the clusters' interval and threshold do not count there",
};

/** `ifurlup` of release 4.7 has no option for it, and follows no redirect. */
const only200IsHealthy: SteeringNotice = {
  reason: 'OnlyStatusOkHealthy',
  message:
    'PowerDNS takes an endpoint for healthy only when it answers 200, Route 53 for any 2xx or 3xx: let the health path answer 200',
};

/** The tiers of the policy by country or network, without the clusters that have no address of the type. */
function effectiveOf(answers: Answers, type: AddressType, addresses: Addresses): ReadonlyMap<string, readonly Tier[]> {
  const tiersOf = (country: string | undefined): readonly Tier[] =>
    servable(preferenceOf(answers, country).tiers, type, addresses);
  const places = [...countries.map(({ code }) => code), ...networksIn(answers)];
  return new Map([...places.map((place) => [place, tiersOf(place)] as const), ['', tiersOf(undefined)]]);
}

const networksIn = ({ byCountry }: Answers): readonly string[] => [...byCountry.keys()].filter(isNetwork);

/**
 * The pieces of the script; between any two of them white space may stand. The script asks for the health of every
 * cluster at every query, so that PowerDNS keeps checking all of them, then answers from the first tier with a healthy
 * cluster, by weight and hash of the client's network. `ifurlup` does not say whether anything was up; given the same
 * list twice and `backupSelector='all'` it returns the list once when something is up, and both when nothing is.
 * Networks, which share no address, beat countries: `netmask` looks at the client's subnet where the resolver tells it, else at the resolver.
 * Country keys start with `_` because `do` and `in` are words of Lua.
 * A group is a function so that a query runs only its own group (PowerDNS counts instructions).
 */
function script(answers: Answers, type: AddressType, addresses: Addresses): readonly string[] {
  const groups = new Map<string, { readonly index: number; readonly tiers: readonly Tier[] }>();
  const groupOf = (country: string | undefined): number => {
    const tiers = servable(preferenceOf(answers, country).tiers, type, addresses);
    const key = formatTiers(tiers);
    const group = groups.get(key) ?? { index: groups.size, tiers };
    groups.set(key, group);
    return group.index;
  };
  const unknown = groupOf(undefined);
  const members = countries
    .map(({ code }) => ({ code, group: groupOf(code) }))
    .filter(({ group }) => group !== unknown);
  const networks = Map.groupBy(networksIn(answers), groupOf);
  const searched = [...addresses].flatMap(([name, [check]]) =>
    check?.searchString === undefined ? [] : { name, text: check.searchString },
  );
  const counted = [...addresses].flatMap(([name, checks]) => {
    const least = leastOf(checks);
    return least < 2 ? [] : { name, least };
  });
  const hasOwnFailover = [...groups.values()].some(({ tiers }) =>
    tiers.flat().some(({ failover }) => failover !== undefined),
  );
  return [
    ';local m={',
    ...members.map(({ code, group }) => `_${code.toLowerCase()}=${group},`),
    ...(networks.size === 0 ? [] : ['} local n={', ...[...networks].flatMap(luaNetworks)]),
    '} local t={',
    ...[...groups.values()].flatMap(({ index, tiers }) => [
      `[${index}]=function() return `,
      ...luaTiers(tiers),
      ' end,',
    ]),
    '} local c={',
    ...[...addresses].flatMap(([name, checks]) => [
      `['${name}']={'${urlOf(checks)}',`,
      ...checks.map((check) => `'${check.address}',`),
      '},',
    ]),
    '} ',
    ...(counted.length === 0 ? [] : ['local h={', ...counted.map(({ name, least }) => `['${name}']=${least},`), '} ']),
    ...(searched.length === 0
      ? []
      : ['local x={', ...searched.flatMap(({ name, text }) => [`['${name}']=`, ...luaText(text), ',']), '} ']),
    ...code(unknown, {
      searches: searched.length > 0,
      hasOwnFailover,
      hasNetworks: networks.size > 0,
      counts: counted.length > 0,
    }),
  ];
}

function luaNetworks([group, networks]: readonly [number, readonly string[]]): readonly string[] {
  return [`[${group}]={`, ...networks.map((network) => `'${network}',`), '},'];
}

/** What the code of a script can do, and does only where its tables need it. */
interface Abilities {
  readonly searches: boolean;
  readonly hasOwnFailover: boolean;
  readonly hasNetworks: boolean;
  readonly counts: boolean;
}

/**
 * What follows the tables in every script; one that needs none of these abilities is the same as in earlier releases. One that counts leads to a
 * first choice by the addresses in `q`, and when nothing is left by those in `d` that answer, if any do.
 */
function code(unknown: number | string, abilities: Abilities): readonly string[] {
  const { searches, hasOwnFailover, hasNetworks, counts } = abilities;
  const others = counts ? 'o' : 'f';
  return [
    `local u,d={},{} ${counts ? 'local q={} ' : ''}for k,v in pairs(c) do local a={} for i=2,#v do a[#a+1]=v[i] end `,
    `local r=ifurlup(v[1],{a,a},{selector='all',backupSelector='all'${searches ? ',stringmatch=x[k]' : ''}}) `,
    counts
      ? 'd[k]=a if #r<=#a then u[k]=r d[k]=r if #r>=(h[k] or 1) then q[k]=r end end end '
      : 'd[k]=a if #r<=#a then u[k]=r end end ',
    `local function p(s,f${counts ? ',o' : ''}) local w,b={},{} for _,e in ipairs(s) do local r=f[e[1]] `,
    ...(hasOwnFailover ? [`for i=3,#e do r=r or ${others}[e[i]] end `] : []),
    'if r then w[#w+1]={e[2],r[1]} b[r[1]]=r end end ',
    'if #w>0 then return b[pickwhashed(w)] end end ',
    ...(hasNetworks
      ? [
          `local g=m['_'..countryCode()] or ${unknown} `,
          'for k,v in pairs(n) do if netmask(v) then g=k end end local l=t[g]() ',
        ]
      : [`local l=t[m['_'..countryCode()] or ${unknown}]() `]),
    counts
      ? 'for i,s in ipairs(l) do local r=p(s,i==1 and q or u,u) if r then return r end end return p(l[1],d,d)'
      : 'for _,s in ipairs(l) do local r=p(s,u) if r then return r end end return p(l[1],d)',
  ];
}

/** The tables before the code: nothing in them calls anything. */
const tablesOnly =
  /^;local m=\{(?:_[a-z]{2}=\d+,)*\} (?:local n=\{(?:\[\d+\]=\{(?:'[0-9a-f.:/]+',)+\},)+\} )?local t=\{(?:\[\d+\]=function\(\) return [^()]* end,)+\} local c=\{[^()]*?\} (?:local h=\{(?:\['[^'()]*'\]=\d+,)+\} )?(?:local x=\{(?:[^()]|string\.char\([\d,]+\))*\} )?$/;

/** True when a value of a LUA record is a script of this version, which nobody else could have written but as a copy. */
export function isOurScript(value: string): boolean {
  const text = value.slice(value.indexOf('"') + 1, -1).replaceAll('" "', '');
  const start = text.indexOf('local u,d=');
  const [, unknown = ''] = /countryCode\(\)\] or (\d+)/.exec(text) ?? [];
  const tables = text.slice(0, start);
  const [searches, hasNetworks, counts] = [/ local x=/, / local n=/, / local h=/].map((table) =>
    table.test(tables),
  ) as [boolean, boolean, boolean];
  const isOurCode = [false, true].some(
    (hasOwnFailover) => text.slice(start) === code(unknown, { searches, hasOwnFailover, hasNetworks, counts }).join(''),
  );
  return start > 0 && tablesOnly.test(tables) && isOurCode;
}

function luaTiers(tiers: readonly Tier[]): readonly string[] {
  return [
    '{',
    ...tiers.flatMap((tier) => [
      '{',
      ...tier.map(
        ({ name, weight, failover = [] }) => `{'${name}',${weight}${failover.map((one) => `,'${one}'`).join('')}},`,
      ),
      '},',
    ]),
    '}',
  ];
}

function urlOf(checks: readonly HealthCheck[]): string {
  const [check] = checks;
  if (check === undefined) return '';
  return `${check.protocol.toLowerCase()}://${check.hosts[0]}:${check.port}${check.path}`;
}

/** Runs of characters that mean nothing to DNS, to Lua and to the reader of our tables, and runs of others; each is a piece. */
const textRuns = /[a-zA-Z0-9 ._:/=-]{1,40}|[^a-zA-Z0-9 ._:/=-]{1,40}/g;

/** A text in Lua. Releases of PowerDNS differ in what they make of a backslash, so characters are given by number and not escaped. */
function luaText(text: string): readonly string[] {
  const runs = text.match(textRuns) ?? [];
  return runs.map((run, index) => {
    const codes = Array.from(run, (character) => character.charCodeAt(0));
    const part = /^[a-zA-Z0-9 ._:/=-]/.test(run) ? `'${run}'` : `string.char(${codes.join()})`;
    return `${index === 0 ? '' : '..'}${part}`;
  });
}

/** The script as character strings of at most 255 bytes; PowerDNS puts white space between them when it runs the script. */
function quote(pieces: readonly string[]): string {
  const strings: string[] = [];
  let current = '';
  for (const piece of pieces) {
    if (current.length + piece.length > 250) {
      strings.push(current);
      current = '';
    }
    current += piece;
  }
  strings.push(current);
  return strings.map((text) => `"${text}"`).join(' ');
}
