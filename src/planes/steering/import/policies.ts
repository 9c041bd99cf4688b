import { apiVersion } from '../../../model/contract.ts';
import { clusterByAddress } from '../../../model/platform/entries.ts';
import { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { answersOfRecord, NotPossible, type RecordAnswers } from './answers.ts';
import type { AddressRecord, ZoneEntry, ZoneFile } from './octodns.ts';

/** What becomes of each name of a zone. */
export interface Import {
  readonly policies: readonly TrafficPolicy[];
  readonly findings: readonly ImportFinding[];
}

export interface ImportFinding {
  readonly host: string;
  /** `policy`: it becomes part of one; `stays`: it is none of Tideline's matters; `refused`: it says what a policy cannot say. */
  readonly outcome: 'policy' | 'stays' | 'refused';
  /** The name of the policy, or why. */
  readonly what: string;
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
  const findings: ImportFinding[] = [];
  const drafts: Drafted[] = [];
  for (const [host, entries] of hosts) {
    const others = entries.filter(({ record, problem }) => record === undefined && problem === undefined);
    if (others.length > 0) findings.push(staying(host, others));
    const addresses = entries.filter((entry) => !others.includes(entry));
    if (addresses.length === 0) continue;
    try {
      drafts.push(draftOf(host, addresses, clusterOf));
    } catch (error) {
      if (!(error instanceof NotPossible)) throw error;
      findings.push({ host, outcome: 'refused', what: error.message, notes: [] });
    }
  }
  const policies = grouped(drafts, target, findings);
  return { policies, findings: findings.sort((a, b) => (a.host < b.host ? -1 : 1)) };
}

interface Drafted {
  readonly host: string;
  readonly draft: Draft;
  readonly notes: readonly string[];
}

function hostOf(name: string, zone: string): string {
  return name === '' ? zone : `${name}.${zone}`;
}

function staying(host: string, entries: readonly ZoneEntry[]): ImportFinding {
  const types = [...new Set(entries.map(({ type }) => type))].sort().join(', ');
  return { host, outcome: 'stays', what: `${types}: no record of addresses; it stays as it is`, notes: [] };
}

function draftOf(host: string, entries: readonly ZoneEntry[], clusterOf: ReadonlyMap<string, string>): Drafted {
  const broken = entries.find(({ problem }) => problem !== undefined);
  if (broken !== undefined)
    throw new NotPossible(`its ${broken.type} record is not of octoDNS's form: ${broken.problem}`);
  const records = entries.flatMap(({ record }) => record ?? []);
  const answers = records.map((record) => answersOfRecord(record, (address) => clusterOf.get(address)));
  const [first, second] = answers;
  if (first === undefined) throw new NotPossible('it has no address');
  if (second !== undefined && textOf(first) !== textOf(second))
    throw new NotPossible('its A and its AAAA record send users to different clusters');
  const ttlSeconds = Math.min(...records.map(({ ttl = octoTtl }) => ttl));
  return {
    host,
    draft: { ttlSeconds, rules: [...first.rules], default: first.default },
    notes: [...new Set(answers.flatMap(({ notes }) => notes)), ...notesOf(records, clusterOf, answers)],
  };
}

function textOf({ rules, default: fallback }: RecordAnswers): string {
  return JSON.stringify([rules, fallback]);
}

/** The time to live, in seconds, of a record of octoDNS that names none. */
const octoTtl = 3600;
/** From here on health checks help late. */
const longTtl = 300;

/** What answers change although clusters are the same. */
function notesOf(
  records: readonly AddressRecord[],
  clusterOf: ReadonlyMap<string, string>,
  answers: readonly RecordAnswers[],
): readonly string[] {
  const used = new Set(records.flatMap(addressesOf));
  const clusters = new Set(answers.flatMap(clustersOf));
  const more = [...clusterOf].filter(([address, cluster]) => clusters.has(cluster) && !used.has(address));
  const several = records.filter(({ dynamic, values = [] }) => dynamic === undefined && values.length > 1);
  return [
    ...several.map(
      ({ type, values = [] }) =>
        `today every ${type} answer holds ${values.length} addresses and clients try the next one; a policy answers with one cluster at a time`,
    ),
    ...records
      .filter(({ ttl = octoTtl }) => ttl > longTtl)
      .map(({ ttl = octoTtl }) => `a failed cluster is answered for up to ${ttl} s more (ttlSeconds); 60 is usual`),
    ...(more.length === 0 ? [] : [`the policy also answers ${more.map(([address]) => address).join(', ')}`]),
    ...(records.some(({ octodns }) => octodns?.healthcheck !== undefined)
      ? ["the health check of the record is replaced by that of each Cluster's spec.healthCheck"]
      : []),
  ];
}

function addressesOf({ value, values = [], geo = {}, dynamic }: AddressRecord): readonly string[] {
  const pooled = Object.values(dynamic?.pools ?? {}).flatMap((pool) => pool.values.map((one) => one.value));
  return [...(value === undefined ? [] : [value]), ...values, ...Object.values(geo).flat(), ...pooled];
}

function clustersOf({ rules, default: fallback }: RecordAnswers): readonly string[] {
  return [...rules, fallback].flatMap(({ clusters, failover }) => [...clusters.map(({ name }) => name), ...failover]);
}

/** How many hosts one policy may have. */
const mostHosts = 500;

/** One policy for hosts with the same draft; what the spec does not allow becomes a finding. */
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
      for (const { host, notes } of part)
        findings.push(
          typeof policy === 'string'
            ? { host, outcome: 'refused', what: policy, notes: [] }
            : { host, outcome: 'policy', what: name, notes },
        );
      return typeof policy === 'string' ? [] : [policy];
    }),
  );
}

function partsOf(all: readonly Drafted[]): readonly (readonly Drafted[])[] {
  const count = Math.ceil(all.length / mostHosts);
  return Array.from({ length: count }, (_, index) => all.slice(index * mostHosts, (index + 1) * mostHosts));
}

/** The policy, or what the spec does not allow. */
function policyOf(name: string, part: readonly Drafted[], { zone, providers }: ImportTarget): TrafficPolicy | string {
  const hosts = part.map(({ host }) => host).sort();
  const spec = { hosts, dns: { zone, providers: [...providers] }, ...part[0]?.draft };
  const parsed = TrafficPolicy.safeParse({ apiVersion, kind: 'TrafficPolicy', metadata: { name }, spec });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}

/** `www` of `www.video.example`; a number behind it when another policy has that name. */
function freeName(host: string, zone: string, taken: Set<string>): string {
  const label = host === zone ? zone : host.slice(0, -zone.length - 1);
  const base =
    label
      .replace(/[^a-z0-9]+/gi, '-')
      .replace(/^-|-$/g, '')
      .toLowerCase() || 'all';
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}
