import { countries } from '../../src/model/geo/countries.ts';
import { states } from '../../src/model/geo/states.ts';
import type { SpecReason } from '../../src/model/spec/reasons.ts';

/** A rule of the loader in CEL. The message starts with the loader's reason, because the API server has reasons of its own. */
export interface Rule {
  readonly reason: SpecReason;
  readonly rule: string;
  readonly message: string;
  /**
   * The field that the loader reports, below the schema that has the rule; when absent that schema itself. Never an entry of a
   * list.
   */
  readonly fieldPath?: string;
}

/** The rules of one place of a schema that the API server gets beyond JSON Schema. */
export interface Place {
  /**
   * With `set` no entry may occur twice; with a list of field names no two entries may agree in these. When absent, the list
   * has one owner.
   */
  readonly unique?: 'set' | readonly string[];
  readonly rules?: readonly Rule[];
}

/** Refuses IPv6 addresses with dots: not every reader takes `::192.0.2.1` for an address. */
const noDots = "!(self.contains(':') && self.contains('.'))";

/** The rules of each format of a text. */
export const formatRules: Readonly<Record<string, readonly Rule[]>> = {
  ip: [{ reason: 'BadAddress', rule: `isIP(self) && ${noDots}`, message: 'not an IPv4 or IPv6 address' }],
  cidr: [
    {
      reason: 'BadPrefix',
      rule: `isCIDR(self) && cidr(self) == cidr(self).masked() && ${noDots}`,
      message: 'not a prefix such as 10.0.0.0/16 with no host bits set',
    },
    {
      reason: 'PrefixTooWide',
      rule: '!isCIDR(self) || cidr(self).prefixLength() >= (cidr(self).ip().family() == 4 ? 8 : 16)',
      message: 'too wide; at least /8 for IPv4, /16 for IPv6',
    },
  ],
  network: [
    {
      reason: 'BadPrefix',
      rule: `isCIDR(self) && cidr(self) == cidr(self).masked() && ${noDots}`,
      message: 'not a prefix such as 192.0.2.0/24 with no host bits set',
    },
    {
      reason: 'PrefixTooWide',
      rule: '!isCIDR(self) || cidr(self).prefixLength() >= (cidr(self).ip().family() == 4 ? 8 : 16)',
      message: 'too wide; at least /8 for IPv4, /16 for IPv6',
    },
    {
      reason: 'NetworkTooNarrow',
      rule: '!isCIDR(self) || cidr(self).prefixLength() <= (cidr(self).ip().family() == 4 ? 24 : 48)',
      message: 'more specific than what resolvers tell of a client; at most /24 for IPv4, /48 for IPv6',
    },
  ],
  country: [
    {
      reason: 'UnknownCountry',
      rule: `self.matches('^(${countryPattern()})$') || !self.matches('^[A-Z]{2}$')`,
      message: `not one of the ${countries.length} ISO 3166-1 alpha-2 codes that Route 53 knows, e.g. FR`,
    },
  ],
  // In parts, because one match against all of it would cost more than the API server allows in a list.
  place: [
    ...halvesOf(countries.map(({ code }) => code)).map(
      ([letters, pattern]): Rule => ({
        reason: 'UnknownCountry',
        rule: `self.size() != 2 || !self.matches('^[${letters}]') || self.matches('^(${pattern})$')`,
        message: `not one of the ${countries.length} ISO 3166-1 alpha-2 codes that Route 53 knows, e.g. FR`,
      }),
    ),
    {
      reason: 'UnknownCountry',
      rule: `!self.contains('-') || self.matches('^US-(${patternOf(states.map(({ code }) => code.slice(-2)))})$')`,
      message: 'not the code of a state of the US, e.g. US-CA; providers tell no other parts of countries apart',
    },
  ],
};

/** A pattern such as `A[DEF]|B[ABD]`. It is short, because the cost of a match grows with the pattern. */
function countryPattern(): string {
  return patternOf(countries.map(({ code }) => code));
}

/** First letters of codes, and the pattern of the codes that begin with them: the first half of the alphabet, and the second. */
function halvesOf(codes: readonly string[]): readonly (readonly [letters: string, pattern: string])[] {
  return ['A-L', 'M-Z'].map((letters) => {
    const some = codes.filter((code) => new RegExp(`^[${letters}]`).test(code));
    return [letters, patternOf(some)];
  });
}

function patternOf(codes: readonly string[]): string {
  const byFirst = Map.groupBy(codes, (code) => code.charAt(0));
  return [...byFirst].map(([first, some]) => `${first}[${some.map((code) => code.charAt(1)).join('')}]`).join('|');
}

/** Countries and states are checked in parts: one expression about all of them would cost more than the API server allows for one. */
const halfOfCountries = Math.ceil(countries.length / 2);
const placeCodes = [countries.slice(0, halfOfCountries), countries.slice(halfOfCountries), states].map(
  (part) => `[${part.map(({ code }) => `'${code}'`).join(',')}]`,
);
const continentCodes = "['AF','AN','AS','EU','NA','OC','SA']";

/** Demands that every address of `list` belongs to one entry only, however it is written. */
function addressesDiffer(list: string): Rule {
  const one = `${list}.exists_one(b, ip(b.address) == ip(a.address))`;
  return {
    reason: 'DuplicateAddress',
    rule: `!${list}.all(a, isIP(a.address)) || ${list}.all(a, ${one})`,
    message: 'two entries have one address',
    fieldPath: list.replace('self', ''),
  };
}

const roles = ['pods', 'servers', 'vips'] as const;

/** Demands that a prefix contains no other prefix of its own list, and that prefixes of different lists do not contain each other. */
const prefixesApart: readonly Rule[] = roles.flatMap((role, index) => [
  {
    reason: 'OverlappingPrefixes',
    rule: `!self.${role}.all(a, isCIDR(a)) || self.${role}.all(a, self.${role}.exists_one(b, cidr(a).containsCIDR(b)))`,
    message: `two prefixes of ${role} share addresses`,
    fieldPath: `.${role}`,
  } as const,
  ...roles.slice(index + 1).map((other): Rule => {
    const valid = `self.${role}.all(a, isCIDR(a)) && self.${other}.all(b, isCIDR(b))`;
    const apart = '!cidr(a).containsCIDR(b) && !cidr(b).containsCIDR(a)';
    return {
      reason: 'OverlappingPrefixes',
      rule: `!(${valid}) || self.${role}.all(a, self.${other}.all(b, ${apart}))`,
      message: `a prefix of ${role} and one of ${other} share addresses`,
    };
  }),
]);

function weighs(reason: 'AllWeightsZero' | 'EmptyDefault'): Rule {
  return {
    reason,
    rule: 'self.clusters.size() == 0 || self.clusters.exists(c, c.weight > 0)',
    message: 'every weight is 0, so nobody answers',
    fieldPath: '.clusters',
  };
}

/** There are two expressions, because a single one in every rule of a policy would cost more than the API server allows. */
const namedOnce: readonly Rule[] = [
  'self.failover.all(f, self.failover.exists_one(g, g == f))',
  'self.failover.all(f, !self.clusters.exists(c, c.name == f))',
].map((rule) => ({
  reason: 'NamedTwice',
  rule,
  message: 'a cluster is named twice in one answer',
  fieldPath: '.failover',
}));

function inOneRule(what: 'countries' | 'continents', codes: string): Rule {
  return {
    reason: 'CountryTwice',
    rule: `${codes}.all(c, self.rules.filter(r, c in r.${what}).size() < 2)`,
    message: `one of the ${what} is named by two rules`,
    fieldPath: '.rules',
  };
}

const eachInOneRule: readonly Rule[] = [
  ...placeCodes.map((codes) => inOneRule('countries', codes)),
  inOneRule('continents', continentCodes),
];

/** The places of the rules of an object that answers countries. */
function rulesAt(path: string, others = ''): Readonly<Record<string, Place>> {
  return {
    [`${path}[]`]: {
      rules: [
        {
          reason: 'RuleForNobody',
          rule: `self.countries.size() + self.continents.size() > 0${others}`,
          message: 'the rule names no users',
        },
        weighs('AllWeightsZero'),
        ...namedOnce,
      ],
    },
    [`${path}[].countries`]: { unique: 'set' },
    [`${path}[].continents`]: { unique: 'set' },
    [`${path}[].clusters`]: { unique: ['name'] },
  };
}

/** The places by kind and path; `[]` stands for the entries of a list. */
export const places: Readonly<Record<string, Place>> = {
  'Site.spec': {
    rules: [
      {
        reason: 'MissingServerAsn',
        rule: 'self.routers.size() == 0 || has(self.serverAsn)',
        message: 'the site has routers, but its servers have no AS number to speak BGP with: add serverAsn',
        fieldPath: '.routers',
      },
      addressesDiffer('self.routers'),
    ],
  },
  'Site.spec.routers': { unique: ['name'] },
  'Site.spec.prefixes': { rules: prefixesApart },
  'Cluster.spec.sites': { unique: 'set' },
  'Cluster.spec.entry.anycast': {
    rules: [
      {
        reason: 'DuplicateAddress',
        rule: '!self.all(a, isIP(a)) || self.all(a, self.exists_one(b, ip(b) == ip(a)))',
        message: 'two entries are one address',
      },
    ],
  },
  'EdgePool.spec': {
    rules: [
      {
        reason: 'TooFewBlades',
        rule: 'self.blades.size() == 0 || self.minAnnouncers <= self.blades.size()',
        message: 'more blades must announce every VIP than there are',
        fieldPath: '.minAnnouncers',
      },
      addressesDiffer('self.blades'),
      addressesDiffer('self.vips'),
      {
        reason: 'DuplicateAddress',
        rule: '!(self.blades.all(a, isIP(a.address)) && self.vips.all(b, isIP(b.address))) || self.blades.all(a, !self.vips.exists(b, ip(b.address) == ip(a.address)))',
        message: 'a VIP is also the address of a blade',
        fieldPath: '.vips',
      },
    ],
  },
  'EdgePool.spec.blades': { unique: ['name'] },
  'TrafficPolicy.spec': {
    rules: [
      {
        reason: 'HostOutsideZone',
        rule: "self.hosts.all(h, h == self.dns.zone || h.endsWith('.' + self.dns.zone))",
        message: 'a host is not inside the zone',
        fieldPath: '.hosts',
      },
      ...eachInOneRule,
    ],
  },
  'TrafficPolicy.spec.hosts': { unique: 'set' },
  'TrafficPolicy.spec.dns.providers': { unique: 'set' },
  ...rulesAt('TrafficPolicy.spec.rules', ' || (has(self.networks) && self.networks.size() > 0)'),
  'TrafficPolicy.spec.default': { rules: [weighs('EmptyDefault'), ...namedOnce] },
  'TrafficPolicy.spec.default.clusters': { unique: ['name'] },
  'TrafficPolicy.spec.never[]': {
    rules: [
      {
        reason: 'RuleForNobody',
        rule: 'self.countries.size() + self.continents.size() > 0 || self.unknownLocation',
        message: 'the entry names neither a country nor a continent, nor users of unknown location',
      },
    ],
  },
  'TrafficPolicy.spec.never[].clusters': { unique: 'set' },
  'TrafficPolicy.spec.never[].countries': { unique: 'set' },
  'TrafficPolicy.spec.never[].continents': { unique: 'set' },
  'TrafficOverlay.spec': { rules: eachInOneRule },
  ...rulesAt('TrafficOverlay.spec.rules'),
  'TrafficVerdict.spec.proposal': { rules: eachInOneRule },
  ...rulesAt('TrafficVerdict.spec.proposal.rules'),
};
