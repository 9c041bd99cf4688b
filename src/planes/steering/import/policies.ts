import { apiVersion } from '../../../model/contract.ts';
import { clusterByAddress } from '../../../model/platform/entries.ts';
import { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { cutAbove } from '../records/neighbours.ts';
import { NoEntry, NotPossible, type RecordAnswers } from './answers.ts';
import { type Heritage, heritageOf, hostOfRegistry } from './external-dns.ts';
import { type EntryAnswers, ttlNotes, type ZoneEntry, type ZoneFile } from './zone-file.ts';

/** What becomes of each name of a zone. */
export interface Import {
  readonly policies: readonly TrafficPolicy[];
  readonly findings: readonly ImportFinding[];
}

export interface ImportFinding {
  readonly host: string;
  /** `policy`: it becomes part of one; `stays`: it is none of Tideline's matters; `refused`: it says what a policy cannot say. */
  readonly outcome: 'policy' | 'stays' | 'refused';
  /** Of records that stay beside others of their name, which have a finding of their own: their types, `MX, NS, SOA`. */
  readonly types?: string;
  /** The name of the policy, or why. */
  readonly what: string;
  /** Of a refused host: where its records stand, `file:line`, as far as that is known. */
  readonly at?: readonly string[];
  /** Of a refused host: what to do about it. */
  readonly fix?: string;
  readonly notes: readonly string[];
}

export interface ImportTarget {
  readonly zone: string;
  readonly providers: readonly ProviderName[];
}

type Spec = TrafficPolicy['spec'];
type Draft = Pick<Spec, 'ttlSeconds' | 'rules' | 'default'>;

/** Makes policies of the address records of a zone: hosts with the same answers share one. Writes and asks nothing. */
export function importZone(platform: Platform, file: ZoneFile, target: ImportTarget): Import {
  const clusterOf = clusterByAddress(platform);
  const hosts = Map.groupBy(file.entries, ({ name }) => hostOf(name, target.zone));
  const registered = heritages(hosts);
  const leading = leadingTo(file.entries);
  const findings: ImportFinding[] = [];
  const drafts: Drafted[] = [];
  for (const [host, entries] of hosts) {
    const addresses = entries.filter(isOfAddresses);
    const others = entries.filter((entry) => !isOfAddresses(entry));
    if (others.length > 0) findings.push(staying(host, entries, registered.at(host)));
    if (addresses.length === 0) continue;
    const servedFor = leading.get(host) ?? [];
    const why = whyServing(servedFor, addresses, clusterOf);
    if (why !== undefined) {
      findings.push({ host, outcome: 'stays', what: `${typesOf(addresses)}: ${why}; it stays as it is`, notes: [] });
      continue;
    }
    const alias = others.filter(({ type }) => type === 'CNAME');
    try {
      refuseUnlessAnswered(host, { zone: target.zone, hosts, alias });
      const draft = draftOf(host, addresses, clusterOf);
      refuseUnlessAllowed(draft, target);
      const notes = [...draft.notes, ...servingNotes(servedFor, draft), ...registered.notesOf(host)];
      drafts.push({ ...draft, notes });
    } catch (error) {
      if (!(error instanceof NotPossible)) throw error;
      const at = [...addresses, ...alias].flatMap((entry) => entry.at ?? []);
      findings.push({
        host,
        outcome: 'refused',
        what: error.message,
        at,
        ...withoutUndefined({ fix: error instanceof NoEntry ? fixOfServing(servedFor, error.fix) : error.fix }),
        notes: [],
      });
    }
  }
  const policies = grouped(drafts, target, findings);
  return { policies, findings: findings.sort((a, b) => (a.host < b.host ? -1 : 1)) };
}

/** The types of the records that lead to a name, sorted. */
function leadingTo(entries: readonly ZoneEntry[]): ReadonlyMap<string, readonly string[]> {
  const pairs = entries.flatMap(({ type, leadsTo = [] }) => leadsTo.map((name) => ({ name, type })));
  const byName = Map.groupBy(pairs, ({ name }) => name);
  return new Map([...byName].map(([name, some]) => [name, [...new Set(some.map(({ type }) => type))].sort()]));
}

/**
 * Why addresses are those of a server and no policy; undefined where they may be one. A name server keeps its address whoever has it (decision
 * 154): resolvers hold it as glue, and look for the answers of policies by way of it.
 */
function whyServing(
  servedFor: readonly string[],
  addresses: readonly ZoneEntry[],
  clusterOf: ReadonlyMap<string, string>,
): string | undefined {
  const lead = `${servedFor.join(' and ')} records lead to it`;
  if (servedFor.includes('NS') && addresses.every(({ problem }) => problem === undefined))
    return `${lead}, and a name server keeps its addresses`;
  if (servedFor.length > 0 && isOfNobody(addresses, clusterOf))
    return `${lead}, and none of its addresses is of a Cluster`;
  return undefined;
}

/** What a policy changes for the servers of other records. */
function servingNotes(servedFor: readonly string[], { draft }: Drafted): readonly string[] {
  if (servedFor.length === 0) return [];
  const clusters = [...new Set(clustersOf(draft))].sort().join(', ');
  return [
    `${servedFor.join(' and ')} records lead to it: after this it is answered by country with addresses of ${clusters}`,
  ];
}

function fixOfServing(servedFor: readonly string[], fix: string | undefined): string | undefined {
  if (servedFor.length === 0) return fix;
  return `${servedFor.join(' and ')} records lead to it: leave it to the tool that writes it now, and give what the Cluster answers a name of its own`;
}

/** Whether addresses can be read, and none of them is the entry of a Cluster. */
function isOfNobody(entries: readonly ZoneEntry[], clusterOf: ReadonlyMap<string, string>): boolean {
  let isOfOne = false;
  const seen = (address: string): string => {
    isOfOne ||= clusterOf.has(address);
    return 'somebody';
  };
  try {
    for (const { read } of entries) read?.(seen);
  } catch (error) {
    if (error instanceof NotPossible) return false;
    throw error;
  }
  return !isOfOne && entries.every(({ problem }) => problem === undefined);
}

interface Around {
  readonly zone: string;
  readonly hosts: ReadonlyMap<string, readonly ZoneEntry[]>;
  readonly alias: readonly ZoneEntry[];
}

/** Throws NotPossible for addresses that no name server answers with. */
function refuseUnlessAnswered(host: string, { zone, hosts, alias }: Around): void {
  const cut = cutAbove(host, zone, hosts);
  if (cut !== undefined) throw new NotPossible(cut.message);
  if (alias.length > 0)
    throw new NotPossible(
      'it has a CNAME beside its addresses, which no name may have (RFC 1034, section 3.6.2)',
      'delete one of them',
    );
}

const isOfAddresses = ({ read, problem }: ZoneEntry): boolean => read !== undefined || problem !== undefined;

interface Registered {
  readonly heritage: Heritage;
  readonly host: string | undefined;
}

/** The registry records of external-dns: by the name at which they stand, and what they say of hosts. */
function heritages(hosts: ReadonlyMap<string, readonly ZoneEntry[]>) {
  const hasAddresses = (host: string): boolean => hosts.get(host)?.some(isOfAddresses) === true;
  const byName = new Map<string, Registered>();
  for (const [name, entries] of hosts) {
    const heritage = entries.flatMap(({ texts = [] }) => texts.flatMap((text) => heritageOf(text) ?? []))[0];
    if (heritage !== undefined) byName.set(name, { heritage, host: hostOfRegistry(name, hasAddresses) });
  }
  const namesByHost = Map.groupBy(byName, ([, { host }]) => host ?? '');
  return {
    at: (name: string): Registered | undefined => byName.get(name),
    notesOf: (host: string): readonly string[] => {
      const [first, ...rest] = namesByHost.get(host) ?? [];
      if (first === undefined) return [];
      const { owner, resource } = first[1].heritage;
      const names = [first, ...rest].map(([name]) => name).sort();
      const source = resource === undefined ? '' : ` for ${resource}`;
      return [
        `external-dns (owner ${owner}) writes it${source}: first delete its TXT records at ${names.join(', ')}, so that it leaves the host alone, then take the host out of its sources, and only then adopt`,
      ];
    },
  };
}

interface Drafted {
  readonly host: string;
  readonly draft: Draft;
  readonly notes: readonly string[];
}

function hostOf(name: string, zone: string): string {
  return name === '' ? zone : `${name}.${zone}`;
}

/** What becomes of the records of a name that hold no addresses. */
function staying(host: string, entries: readonly ZoneEntry[], registered: Registered | undefined): ImportFinding {
  const staying = entries.filter((entry) => !isOfAddresses(entry));
  const part = staying.find(({ partOf }) => partOf !== undefined)?.partOf;
  const of = registered?.host === undefined ? 'no host with addresses' : registered.host;
  const notes = registered === undefined ? [] : [`the registry record of external-dns for ${of}`];
  const types = typesOf(staying);
  if (staying.length < entries.length)
    return { host, outcome: 'stays', types, what: part ?? 'no record of addresses', notes };
  return { host, outcome: 'stays', what: `${types}: ${part ?? 'no record of addresses; it stays as it is'}`, notes };
}

/** `MX, NS, SOA` */
function typesOf(entries: readonly ZoneEntry[]): string {
  return [...new Set(entries.map(({ type }) => type))].sort().join(', ');
}

function draftOf(host: string, entries: readonly ZoneEntry[], clusterOf: ReadonlyMap<string, string>): Drafted {
  const broken = entries.find(({ problem }) => problem !== undefined);
  if (broken !== undefined) throw new NotPossible(`its ${broken.type} record cannot be read: ${broken.problem}`);
  const answers = entries.flatMap(({ type, read }) =>
    read === undefined ? [] : [{ type, ...read((address) => clusterOf.get(address)) }],
  );
  const [first, second] = answers;
  if (first === undefined) throw new NotPossible('it has no address');
  if (second !== undefined && textOf(first) !== textOf(second))
    throw new NotPossible('its A and its AAAA record send users to different clusters');
  const ttlSeconds = Math.min(...answers.map((one) => one.ttlSeconds));
  return {
    host,
    draft: { ttlSeconds, rules: [...first.rules], default: first.default },
    notes: [...new Set(answers.flatMap(({ notes }) => notes)), ...notesOf(clusterOf, answers)],
  };
}

function textOf({ rules, default: fallback }: RecordAnswers): string {
  return JSON.stringify([rules, fallback]);
}

/** From here on health checks help late. */
const longTtl = 300;

/** What answers change although clusters are the same. */
function notesOf(
  clusterOf: ReadonlyMap<string, string>,
  answers: readonly (EntryAnswers & Pick<ZoneEntry, 'type'>)[],
): readonly string[] {
  const used = new Set(answers.flatMap(({ addresses }) => addresses));
  const clusters = new Set(answers.flatMap(clustersOf));
  const more = [...clusterOf].filter(([address, cluster]) => clusters.has(cluster) && !used.has(address));
  const types = answers.map(({ type }) => type).join(' and ');
  return [
    ...ttlNotes(
      types,
      answers.map(({ ttlSeconds }) => ttlSeconds),
    ),
    ...answers.flatMap(({ type, together }) =>
      together === undefined
        ? []
        : [
            `today every ${type} answer holds ${together} addresses and clients try the next one; a policy answers with one cluster at a time`,
          ],
    ),
    ...answers
      .filter(({ ttlSeconds }) => ttlSeconds > longTtl)
      .map(({ ttlSeconds }) => `a failed cluster is answered for up to ${ttlSeconds} s more (ttlSeconds); 60 is usual`),
    ...(more.length === 0 ? [] : [`the policy also answers ${more.map(([address]) => address).join(', ')}`]),
    ...(answers.some(({ checked }) => checked)
      ? ["the health check of the record is replaced by that of each Cluster's spec.healthCheck"]
      : []),
  ];
}

function clustersOf({ rules, default: fallback }: Pick<RecordAnswers, 'rules' | 'default'>): readonly string[] {
  return [...rules, fallback].flatMap(({ clusters, failover }) => [...clusters.map(({ name }) => name), ...failover]);
}

/** How many hosts one policy may have. */
const mostHosts = 500;

/** One policy for hosts with the same draft. */
function grouped(
  drafts: readonly Drafted[],
  target: ImportTarget,
  findings: ImportFinding[],
): readonly TrafficPolicy[] {
  const names = new Set<string>();
  return [...Map.groupBy(drafts, ({ draft }) => JSON.stringify(draft)).values()].flatMap((same) =>
    partsOf(same).flatMap((part) => {
      const name = freeName(part[0]?.host ?? '', target.zone, names);
      const policy = policyOf(name, part, target);
      for (const { host, notes } of part) findings.push({ host, outcome: 'policy', what: name, notes });
      return policy;
    }),
  );
}

function partsOf(all: readonly Drafted[]): readonly (readonly Drafted[])[] {
  const count = Math.ceil(all.length / mostHosts);
  return Array.from({ length: count }, (_, index) => all.slice(index * mostHosts, (index + 1) * mostHosts));
}

function policyOf(name: string, part: readonly Drafted[], target: ImportTarget): TrafficPolicy {
  return TrafficPolicy.parse(textOfPolicy(name, part, target));
}

/** A policy as a person would write it, not yet parsed. */
function textOfPolicy(name: string, part: readonly Drafted[], { zone, providers }: ImportTarget) {
  const hosts = part.map(({ host }) => host).sort();
  const spec = { hosts, dns: { zone, providers: [...providers] }, ...part[0]?.draft };
  return { apiVersion, kind: 'TrafficPolicy', metadata: { name }, spec };
}

/** Each host by itself, before hosts share a policy: one that the spec does not allow takes no other along. Throws NotPossible. */
function refuseUnlessAllowed(drafted: Drafted, target: ImportTarget): void {
  const { success, error } = TrafficPolicy.safeParse(textOfPolicy('all', [drafted], target));
  if (success) return;
  const [issue] = error.issues;
  const field = issue?.path.join('.') ?? '';
  if (field === 'spec.ttlSeconds')
    throw new NotPossible(
      `its time to live is ${drafted.draft.ttlSeconds} s: expected 1 to 86400`,
      'give its records such a TTL; 60 is usual',
    );
  if (field.startsWith('spec.hosts.'))
    throw new NotPossible(
      `its name is no host name: expected ${issue?.message}`,
      'rename it, or leave it to the tool that writes it now',
    );
  throw new NotPossible(`${field}: ${issue?.message}`);
}

/** The name of a policy has at most 63 characters, with the number behind it. */
const longestBase = 50;

/** `www` of `www.video.example`; a number behind it when another policy has that name. */
function freeName(host: string, zone: string, taken: Set<string>): string {
  const label = host === zone ? zone : host.slice(0, -zone.length - 1);
  const base =
    label
      .replace(/[^a-z0-9]+/gi, '-')
      .toLowerCase()
      .slice(0, longestBase)
      .replace(/^-|-$/g, '') || 'all';
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}
