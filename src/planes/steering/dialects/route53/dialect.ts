import { Interpreter } from '../../../../answers/interpreter.ts';
import { groupKey, type RecordSet } from '../../../../answers/record.ts';
import { addressTypes } from '../../compile/entries.ts';
import { isBelowRegistry, ownedName } from '../../records/registry.ts';
import type { AddressCheck, Dialect, Reading, Recognition } from '../dialect.ts';
import { cacheViews } from '../views.ts';
import { countedBy } from './counts.ts';
import { route53Limits } from './limits.ts';
import { plainRecords } from './plain.ts';
import { Shapes } from './shapes.ts';
import { compileTree } from './tree.ts';

/** A tree of networks, geolocation, failover and weighted records, read by the interpreter of `src/answers`. */
export const route53Dialect: Dialect = {
  title: 'Route 53',
  limits: route53Limits,
  answerTypes: ['A', 'AAAA'],
  compile: compileTree,
  detection: ({ intervalSeconds, failureThreshold }) => ({
    seconds: intervalSeconds * failureThreshold,
    because: `${failureThreshold} failed checks, one each ${intervalSeconds} s`,
  }),
  interpret,
  plain: plainRecords,
  recognise,
};

/** Only we write below the registry of a zone, so a host whose every record leads there is ours. */
function recognise(host: string, records: readonly RecordSet[], zone: string): Recognition | undefined {
  const answers = records.filter(({ name, type }) => name === host && (type === 'A' || type === 'AAAA'));
  const ours = answers.filter(
    ({ target }) => target.kind === 'alias' && target.zoneId === undefined && isBelowRegistry(zone, target.name),
  );
  if (ours.length === 0) return undefined;
  const below = `below ${ownedName(zone)}`;
  return ours.length === answers.length
    ? { isOurs: true, by: `each of its ${ours.length} records is an alias of a name ${below}` }
    : { isOurs: false, by: `only ${ours.length} of its ${answers.length} records lead to names ${below}` };
}

function interpret(records: readonly RecordSet[]): Reading {
  const interpreter = new Interpreter(records);
  const groups = Map.groupBy(records, groupKey);
  const shapes = new Shapes(groups);
  const cachedView = cacheViews();
  const counting = new Map(records.flatMap((record) => countedBy(record, groups) ?? []).map((one) => [one.key, one]));
  const keysOf = keysOfLast();
  const answersKey: Reading['answersKey'] = (name, type, failed) => {
    const keys = keysOf(failed);
    const { id, checks } = shapes.of({ name, type });
    return [id, ...[...checks].flatMap(([label, key]) => (keys.has(key) ? label : []))].join(' ');
  };
  return {
    checks: checksOf(records),
    types: (host) => addressTypes.filter((type) => groups.has(groupKey({ name: host, type }))),
    apart: (name, type) => shapes.of({ name, type }).apart,
    answersKey,
    view: (name, type, failed) =>
      cachedView(failed, answersKey(name, type, failed), () => {
        const keys = keysOf(failed);
        const isHealthy = (key: string): boolean => {
          const count = counting.get(key);
          if (count === undefined) return !keys.has(key);
          return count.children.filter((child) => !keys.has(child)).length >= count.atLeast;
        };
        const view = interpreter.query({ name, type }, isHealthy);
        return {
          answer: (country) => view.answer(country),
          trace: (country) => view.trace(country),
          clusterOf: () => undefined,
        };
      }),
  };
}

/** The keys of failed checks, kept as long as the array is the same. */
function keysOfLast(): (failed: readonly AddressCheck[]) => ReadonlySet<string> {
  let last: { readonly failed: readonly AddressCheck[]; readonly keys: ReadonlySet<string> } | undefined;
  return (failed) => {
    if (last?.failed !== failed) last = { failed, keys: new Set(failed.map(({ key }) => key)) };
    return last.keys;
  };
}

function checksOf(records: readonly RecordSet[]): readonly AddressCheck[] {
  return records.flatMap(({ healthCheck, target }) =>
    healthCheck === undefined || target.kind !== 'values'
      ? []
      : target.values.map((address) => ({ key: healthCheck, address })),
  );
}
