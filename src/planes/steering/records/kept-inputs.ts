import type { RecordSet } from '../../../answers/record.ts';
import { compareText } from '../../../model/values.ts';
import { ownedName } from './registry.ts';

/**
 * What a plan was made from, packed, in a TXT record set of its own, `_inputs-<digest>._tideline.<zone>`: so an earlier apply can be looked at
 * and gone back to from any machine. Applies with the same inputs share one.
 */
const label = '_inputs-';
const ttlSeconds = 60;
const charactersInValue = 250;
/** Two digits number the values, because a record set has no order. Together they are less than half of what a batch of Route 53 takes. */
const mostValues = 50;
/** So many applies keep their inputs. */
const mostKept = 16;

/** True for the name of such a record. A plan goes without it rather than fail. */
export function isKeptInputs(zone: string, name: string): boolean {
  return name.startsWith(label) && name.endsWith(ownedName(zone, ''));
}

/** The record that keeps this text, of the alphabet of base64; undefined when it is too large. */
export function inputsRecord(zone: string, digest: string, packed: string): RecordSet | undefined {
  const parts = packed.match(partsOfText) ?? [];
  if (parts.length > mostValues) return undefined;
  const values = parts.map((part, index) => `"${String(index).padStart(2, '0')}${part}"`);
  return { name: nameOf(zone, digest), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

/** The text that is kept under this digest; undefined when it is not there. */
export function findInputs(zone: string, digest: string, records: readonly RecordSet[]): string | undefined {
  const name = nameOf(zone, digest);
  const found = records.find((record) => record.name === name && record.type === 'TXT');
  if (found?.target.kind !== 'values') return undefined;
  const parts = found.target.values.map((value) => value.replaceAll('"', '')).sort(compareText);
  return parts.map((part) => part.slice(2)).join('');
}

/** The records of inputs with other digests than those of the next apply and of the latest ones, `recent`. */
export function forgottenInputs(
  zone: string,
  recent: readonly string[],
  records: readonly RecordSet[],
): readonly RecordSet[] {
  const kept = new Set(recent.slice(0, mostKept).map((digest) => nameOf(zone, digest)));
  return records.filter(({ name, type }) => type === 'TXT' && isKeptInputs(zone, name) && !kept.has(name));
}

const partsOfText = new RegExp(`.{1,${charactersInValue}}`, 'g');
const nameOf = (zone: string, digest: string): string => ownedName(zone, `${label}${digest}`);
