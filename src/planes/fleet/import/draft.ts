import { type Address, parseAddress } from '../../../model/address.ts';
import { holdsServer, siteOfServer } from '../../../model/platform/places.ts';
import { shellWords } from '../../../model/shell-words.ts';
import { Name } from '../../../model/spec/fields.ts';
import type { ServerRole } from '../../../model/spec/kinds/server.ts';
import type { Site } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { mostSimilar } from '../../../model/spec/similar.ts';
import type { FoundServer } from './found.ts';
import type { Mapping } from './mapping.ts';

/** A server as the source and the mapping have it, before it is compared with others. */
export interface Draft {
  readonly name: string;
  readonly at: string;
  readonly site: string;
  readonly rack: string;
  readonly class: string;
  readonly addresses: readonly Address[];
  readonly cluster: string | undefined;
  readonly roles: readonly ServerRole[];
  readonly state: 'active' | 'retired';
  readonly serial: string | undefined;
  readonly uplink: string | undefined;
  readonly gpus: readonly string[];
  /** What a person should know of it. */
  readonly notes: readonly string[];
}

/** Why a machine does not become a server. */
export class NotAServer extends Error {
  /** `left`: somebody says that it is none of ours; `refused`: something is missing or wrong. */
  readonly outcome: 'left' | 'refused';
  readonly fix: string | undefined;
  constructor(message: string, fix?: string, outcome: 'left' | 'refused' = 'refused') {
    super(message);
    this.name = 'NotAServer';
    this.outcome = outcome;
    this.fix = fix;
  }
}

/** The server that a machine becomes. Throws NotAServer. */
export function draftOf(found: FoundServer, platform: Platform, mapping: Mapping): Draft {
  const { texts, at } = found;
  const state = stateOf(texts.status, mapping);
  const roles = rolesOf(texts.roles, mapping);
  const { name, notes: named } = nameOf(texts.name);
  const all = texts.addresses.map(addressOf);
  const { site, notes: placed } = placeOf(texts.site, all, platform, mapping);
  const { addresses, notes: chosen } = chosenAddresses(all, site);
  const cluster = clusterOf(texts.cluster, { roles, site: site.metadata.name, platform, mapping });
  return {
    name,
    at,
    site: site.metadata.name,
    rack: rackOf(texts.rack),
    class: classOf(texts.class, mapping),
    addresses,
    cluster: cluster.name,
    roles,
    state,
    serial: texts.serial[0],
    uplink: uplinkOf(texts.uplink, all, addresses),
    gpus: texts.gpu,
    notes: [...named, ...placed, ...chosen, ...cluster.notes],
  };
}

function stateOf([word = '']: readonly string[], { statuses }: Mapping): Draft['state'] {
  const state = statuses.get(word.toLowerCase());
  if (state === 'leave') throw new NotAServer(`its status is ${word || 'not said'}`, undefined, 'left');
  if (state !== undefined) return state;
  throw new NotAServer(
    `its status "${word}" is none that is known`,
    `say what it means: ${option('--status', word, 'active')}, =retired or =leave`,
  );
}

function rolesOf(words: readonly string[], { roles }: Mapping): readonly ServerRole[] {
  const meant = (words.length === 0 ? [''] : words).map((word) => {
    const role = roles.get(word.toLowerCase());
    if (role === 'leave') throw new NotAServer(`its role is ${word || 'not said'}`, undefined, 'left');
    if (role !== undefined) return role;
    throw new NotAServer(
      `its role "${word}" is none that is known`,
      `say what it means: ${option('--role', word, 'worker')}, =etcd+control-plane, = (a spare) or =leave (none of ours)`,
    );
  });
  const all = [...new Set(meant.flat())];
  if (all.length < 2 || (all.length === 2 && all.includes('etcd') && all.includes('control-plane'))) return all;
  throw new NotAServer(
    `its roles ${all.join(' and ')} do not share a server`,
    'give it one role, or etcd with control-plane',
  );
}

/** The first label of the host name: a Node, a minion and a blade are called so. */
function nameOf([text = '']: readonly string[]): { readonly name: string; readonly notes: readonly string[] } {
  if (text === '') throw new NotAServer('it has no name', 'name it in the source, or leave it out there');
  const [label = ''] = text.toLowerCase().split('.');
  if (!Name.safeParse(label).success)
    throw new NotAServer(`its name "${text}" is no host name`, 'rename it: lower-case letters, digits and dashes');
  return { name: label, notes: label === text ? [] : [`${text} is written ${label}`] };
}

/** NetBox and many lists write an address with the length of its network behind it. */
function addressOf(text: string): Address {
  const address = parseAddress(text.replace(/\/\d{1,3}$/, ''));
  if (address === undefined) throw new NotAServer(`"${text}" is no address`, 'correct it in the source');
  return address;
}

interface Placed {
  readonly site: Site;
  readonly notes: readonly string[];
}

function placeOf([text]: readonly string[], all: readonly Address[], platform: Platform, mapping: Mapping): Placed {
  const holders = new Set(all.flatMap((address) => siteOfServer(platform, address) ?? []));
  const mapped = mapping.sites.get((text ?? '').toLowerCase());
  const name = mapped ?? (text === undefined ? undefined : wordOf(text));
  if (name !== undefined) return { site: namedSite(name, text ?? '', { all, holders, platform }), notes: [] };
  const [only, another] = holders;
  const addresses = all.map((address) => address.text).join(', ');
  if (only === undefined || another !== undefined)
    throw new NotAServer(
      only === undefined
        ? `it has no site, and no Site has ${addresses || 'an address of it'} in its servers prefixes`
        : `it has no site, and addresses of several: ${[...holders].map(({ metadata }) => metadata.name).join(', ')}`,
      'name its site in the source, or the field that has it: --field site=PLACE',
    );
  return { site: only, notes: [`its site is ${only.metadata.name} by its address`] };
}

interface Places {
  readonly all: readonly Address[];
  readonly holders: ReadonlySet<Site>;
  readonly platform: Platform;
}

function namedSite(name: string, text: string, { all, holders, platform }: Places): Site {
  const site = platform.sites.get(name);
  if (site === undefined) {
    const meant = mostSimilar(name, platform.sites.keys());
    const which = option('--site', text, meant ?? [...platform.sites.keys()][0] ?? 'NAME');
    throw new NotAServer(
      `there is no Site for "${text || name}"`,
      meant === undefined ? `describe the Site, or say which one it is: ${which}` : `did you mean "${meant}"? ${which}`,
    );
  }
  if (all.length === 0 || all.some((address) => holdsServer(site, address))) return site;
  const others = [...holders].map(({ metadata }) => metadata.name);
  throw new NotAServer(
    `${all.map((address) => address.text).join(', ')} is outside the servers prefixes of ${name}${
      others.length === 0 ? ', and of every other Site' : `; it is of ${others.join(' and ')}`
    }`,
    'correct the site or the address in the source, or add the prefix to the Site',
  );
}

/** Those inside the prefixes of the site, one of a family; addresses of bridges, tunnels and other networks are left out. */
function chosenAddresses(all: readonly Address[], site: Site) {
  const inside = all.filter((address) => holdsServer(site, address));
  if (inside.length === 0) throw new NotAServer('it has no address', 'give it one in the source');
  for (const some of Map.groupBy(inside, ({ family }) => family).values()) {
    const [first, second] = some;
    if (first !== undefined && second !== undefined)
      throw new NotAServer(
        `it has several IPv${first.family} addresses in ${site.metadata.name}: ${some.map(({ text }) => text).join(', ')}`,
        'name the field that has the one of the server alone: --field addresses=PLACE',
      );
  }
  const outside = all.filter((address) => !inside.includes(address)).map(({ text }) => text);
  const notes =
    outside.length === 0
      ? []
      : [`left out, outside the servers prefixes of ${site.metadata.name}: ${outside.join(', ')}`];
  return { addresses: inside, notes };
}

function rackOf([text = '']: readonly string[]): string {
  if (text === '')
    throw new NotAServer(
      'it has no rack, and what fails together would not be known',
      'name its rack in the source, or the field that has it: --field rack=PLACE',
    );
  return word('rack', text);
}

function classOf([text = '']: readonly string[], { classes }: Mapping): string {
  const name = classes.get(text.toLowerCase()) ?? (text === '' ? '' : word('class', text));
  if (name !== '') return name;
  throw new NotAServer('it has no class', "name it in the source, or give one for all without: --class '=standard'");
}

interface ClusterContext {
  readonly roles: readonly ServerRole[];
  readonly site: string;
  readonly platform: Platform;
  readonly mapping: Mapping;
}

function clusterOf([text = '']: readonly string[], { roles, site, platform, mapping }: ClusterContext) {
  const name = mapping.clusters.get(text.toLowerCase()) ?? wordOf(text);
  if (roles.length === 0) {
    const notes = name === '' ? [] : [`it has no role, so it is a spare and none of the cluster ${name}`];
    return { name: undefined, notes };
  }
  const here = [...platform.clusters.values()].filter(({ spec }) => spec.sites.includes(site));
  const names = here.map(({ metadata }) => metadata.name);
  const fix = `name one that stands in ${site}${names.length === 0 ? ' (none does)' : `: ${names.join(', ')}`}, by ${option('--cluster', text, names[0] ?? 'NAME')}`;
  if (name !== '') {
    if (names.includes(name)) return { name, notes: [] };
    const what = platform.clusters.has(name)
      ? `its cluster ${name} does not stand in ${site}`
      : `there is no Cluster for "${text || name}"`;
    throw new NotAServer(what, fix);
  }
  const [only, another] = names;
  if (only !== undefined && another === undefined)
    return { name: only, notes: [`its cluster is ${only}, the only one in ${site}`] };
  throw new NotAServer(`it is to be ${roles.join(' and ')}, and of no cluster`, fix);
}

/** A word of a source as a name: `Rack 12/A` is `rack-12-a`. Empty where nothing of it can stand in a name. */
function wordOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-|-$/g, '');
}

function word(field: string, text: string): string {
  const name = wordOf(text);
  if (name !== '') return name;
  throw new NotAServer(`nothing of its ${field} "${text}" can stand in a name`, 'write it with letters or digits');
}

/** Of the address that counts, where the source has an interface for each; else the only one. */
function uplinkOf(uplinks: readonly string[], all: readonly Address[], chosen: readonly Address[]): string | undefined {
  if (uplinks.length !== all.length) return uplinks[0];
  return uplinks[all.findIndex((address) => address === chosen[0])];
}

/** An option as a person may paste it. */
const option = (name: string, text: string, meaning: string): string => shellWords([name, `${text}=${meaning}`]);
