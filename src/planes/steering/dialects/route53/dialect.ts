import { Interpreter } from '../../../../answers/interpreter.ts';
import { formatRecord, groupKey, type RecordSet } from '../../../../answers/record.ts';
import { addressTypes } from '../../compile/entries.ts';
import type { Dialect, Reading } from '../dialect.ts';
import { cacheViews } from '../views.ts';
import { route53Limits } from './limits.ts';
import { compileTree } from './tree.ts';

/** A tree of geolocation, failover and weighted records, read by the interpreter of `src/answers`. */
export const route53Dialect: Dialect = {
  title: 'Route 53',
  limits: route53Limits,
  answerTypes: ['A', 'AAAA'],
  compile: compileTree,
  interpret,
};

function interpret(records: readonly RecordSet[]): Reading {
  const interpreter = new Interpreter(records);
  const groups = Map.groupBy(records, groupKey);
  const contents = new Map([...groups].map(([key, group]) => [key, contentOf(group)]));
  const cachedView = cacheViews<string>();
  return {
    types: (host) => addressTypes.filter((type) => groups.has(groupKey({ name: host, type }))),
    view: (name, type, failed) =>
      cachedView(failed, contents.get(groupKey({ name, type })) ?? '', () => {
        const keys = new Set(failed.map(({ key }) => key));
        const view = interpreter.query({ name, type }, (key) => !keys.has(key));
        return {
          answer: (country) => view.answer(country),
          trace: (country) => view.trace(country),
          clusterOf: () => undefined,
        };
      }),
  };
}

/** The records of a group as text, without their name, which decides nothing. */
function contentOf(group: readonly RecordSet[]): string {
  return group.map((record) => formatRecord({ ...record, name: '' })).join('\n');
}
