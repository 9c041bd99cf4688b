import { groupKey, type RecordSet } from '../../../answers/record.ts';
import { exclusiveTypes } from './changes.ts';

/** The types of answers that people get. */
const answered = ['A', 'AAAA'] as const;

/**
 * Records of others in a form that a dialect reads. What leads out of the zone answers with the name of its target; a CNAME is read
 * as an alias. What users get of a routing that depends on more than their country and health is not known, and is a value of its own,
 * so that a change of it counts as a move.
 */
export function readable(records: readonly RecordSet[]): readonly RecordSet[] {
  const groups = Map.groupBy(records, groupKey);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    if (exclusiveTypes.includes(first.type)) return group.flatMap((record) => redirection(record, groups));
    if (!isAnswer(first.type)) return group;
    return knownRouting(group).map((record) => withinZone(record, groups));
  });
}

const isAnswer = (type: string): boolean => answered.some((one) => one === type);

/** The answers of a record that names another name: the records there, or the name itself when the zone has none of them. */
function redirection(record: RecordSet, groups: ReadonlyMap<string, unknown>): readonly RecordSet[] {
  const { target } = record;
  const name = target.kind === 'alias' ? target.name : (target.values[0] ?? '').replace(/\.$/, '').toLowerCase();
  const inZone = answered.filter((type) => groups.has(groupKey({ name, type })));
  const types = inZone.length === 0 ? answered : inZone;
  return types.map((type) => ({
    ...record,
    type,
    target: inZone.length === 0 ? nameAsValue(name) : { kind: 'alias', name, evaluateHealth: false },
  }));
}

function withinZone(record: RecordSet, groups: ReadonlyMap<string, unknown>): RecordSet {
  const { target, type } = record;
  if (target.kind === 'values') return record;
  if (target.zoneId === undefined && groups.has(groupKey({ name: target.name, type }))) return record;
  return { ...record, target: nameAsValue(target.name) };
}

const nameAsValue = (name: string): RecordSet['target'] => ({ kind: 'values', ttlSeconds: 0, values: [name] });

/** The group without routings that cannot be read. */
function knownRouting(group: readonly RecordSet[]): readonly RecordSet[] {
  const [first] = group;
  const others = group.flatMap(({ routing }) => (routing?.kind === 'other' ? [routing.description] : []));
  if (first === undefined || others.length === 0) return group;
  if (others.length < group.length) return withoutParts(group);
  const values = group.flatMap(({ target }) => (target.kind === 'values' ? target.values : [target.name]));
  const { routing: _routing, setIdentifier: _id, healthCheck: _check, ...plain } = first;
  const text = `one of ${values.join(', ')} by ${[...new Set(others.map((one) => one.replace(/=.*/, '')))].join(' and ')}`;
  const shown = others.every((one) => one === 'multivalue') ? values : [text];
  return [{ ...plain, target: { kind: 'values', ttlSeconds: 0, values: shown } }];
}

/** A geolocation group of which some records are for parts of countries: the answer of such a country is not known as a whole. */
function withoutParts(group: readonly RecordSet[]): readonly RecordSet[] {
  const whole = group.filter(({ routing }) => routing?.kind !== 'other');
  const parts = group.flatMap(({ routing }) =>
    routing?.kind === 'other' ? (/^geo=([A-Z]{2})-/.exec(routing.description)?.[1] ?? []) : [],
  );
  const known = whole.filter(
    ({ routing }) =>
      !(
        routing?.kind === 'geo' &&
        typeof routing.location === 'object' &&
        'country' in routing.location &&
        parts.includes(routing.location.country)
      ),
  );
  const [first] = group;
  if (first === undefined) return known;
  const unknown = [...new Set(parts)].map(
    (country): RecordSet => ({
      name: first.name,
      type: first.type,
      setIdentifier: `parts of ${country}`,
      routing: { kind: 'geo', location: { country } },
      target: nameAsValue(`by subdivision of ${country}`),
    }),
  );
  return [...known, ...unknown];
}
