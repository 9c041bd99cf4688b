import type { Answer } from 'dns-packet';
import { type AnswerContext, type Place, resolve } from '../zone/answer.ts';
import { canonicalName, canonicalWireName, isWithin, parentOf, wireName } from '../zone/names.ts';
import { type RecordSet, recordTypes } from '../zone/record.ts';
import { parseValue } from '../zone/values.ts';
import type { HostedZone } from '../zone/zones.ts';

/** What the answer depends on besides the question. */
export interface LookupContext {
  readonly place: Place;
  readonly locationIn: AnswerContext['locationIn'];
  readonly isHealthy: (healthCheckId: string) => boolean;
  readonly random: () => number;
}

export interface LookupResult {
  readonly rcode: 'NOERROR' | 'NXDOMAIN';
  /** False for a referral to a delegated subdomain. */
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  /** True when the answer depends on where the client is. */
  readonly byPlace: boolean;
}

/** What the decoder calls the type HTTPS, which it does not know. */
const unnamedHttps = 'UNKNOWN_65';

/** How many CNAMEs of a chain are followed, at most; they are followed inside the zone only. */
const longestChain = 8;

/** The zone's answer to a question (RFC 1034 section 4.3.2, with Route 53's choice among records). */
export function lookup(zone: HostedZone, name: string, type: string, context: LookupContext): LookupResult {
  const table = zone.published;
  const answerContext: AnswerContext = { ...context, table };
  const answers: Answer[] = [];
  let owner = name;
  let byPlace = false;
  for (let hop = 0; hop <= longestChain; hop++) {
    const canonical = canonicalWireName(owner);
    const referral = canonical === undefined ? undefined : delegation(zone, canonical);
    if (referral !== undefined)
      return {
        rcode: 'NOERROR',
        authoritative: hop > 0,
        answers,
        authorities: render(referral, wireName(referral.name)),
        byPlace,
      };
    const source = canonical === undefined ? undefined : sourceOf(zone, canonical);
    if (source === undefined) return { ...negative(zone, 'NXDOMAIN', byPlace), answers };
    const known = type === unnamedHttps ? 'HTTPS' : recordTypes.find((candidate) => candidate === type);
    const direct = known === undefined ? undefined : resolve(source, known, answerContext);
    const found = direct ?? (type === 'CNAME' ? undefined : resolve(source, 'CNAME', answerContext));
    byPlace ||= found?.byPlace ?? false;
    if (found?.leaf === undefined) return { ...negative(zone, 'NOERROR', byPlace), answers };
    answers.push(...render(found.leaf, owner));
    const next = found.leaf.values[0] === undefined ? undefined : canonicalName(found.leaf.values[0]);
    if (direct !== undefined || next === undefined || !isWithin(next, zone.name)) break;
    owner = wireName(next);
  }
  return { rcode: 'NOERROR', authoritative: true, answers, authorities: [], byPlace };
}

/** The NS record of a delegated subdomain that the name is in. */
function delegation(zone: HostedZone, name: string): RecordSet | undefined {
  let cut: RecordSet | undefined;
  for (let at: string | undefined = name; at !== undefined && at !== zone.name; at = parentOf(at))
    cut = zone.published.group(at, 'NS')[0] ?? cut;
  return cut;
}

/** The name whose records answer: the name itself, or the wildcard under its closest encloser (RFC 4592). */
function sourceOf(zone: HostedZone, name: string): string | undefined {
  const table = zone.published;
  if (table.nameExists(name)) return name;
  let encloser = parentOf(name);
  while (encloser !== undefined && encloser !== zone.name && !table.nameExists(encloser)) encloser = parentOf(encloser);
  const wildcard = `\\052.${encloser ?? zone.name}`;
  return table.atName(wildcard).length > 0 ? wildcard : undefined;
}

/** The SOA in the authority section, with the TTL for negative answers (RFC 2308). */
function negative(zone: HostedZone, rcode: LookupResult['rcode'], byPlace: boolean): LookupResult {
  const soa = zone.published.group(zone.name, 'SOA')[0];
  const minimum = Number(soa?.values[0]?.split(/\s+/).at(-1) ?? 0);
  const shown = soa === undefined ? [] : render({ ...soa, ttl: Math.min(soa.ttl ?? 0, minimum) }, zone.name);
  return { rcode, authoritative: true, answers: [], authorities: shown, byPlace };
}

function render(record: RecordSet, owner: string): readonly Answer[] {
  return record.values.flatMap((value): readonly Answer[] => {
    const parsed = parseValue(record.type, value);
    if ('problem' in parsed) return [];
    // The type and its data were paired by parseValue; a spread of the union loses that.
    return [{ ...parsed, name: owner, ttl: record.ttl ?? 0, class: 'IN' } as Answer];
  });
}
