import { Interpreter } from '../../../../answers/interpreter.ts';
import type { RecordSet } from '../../../../answers/record.ts';
import { addressTypes } from '../../compile/entries.ts';
import type { Dialect, Reading } from '../dialect.ts';
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
  return {
    types: (host) =>
      addressTypes.filter((type) => records.some((record) => record.name === host && record.type === type)),
    view(name, type, failed) {
      const keys = new Set(failed.map(({ key }) => key));
      const view = interpreter.query({ name, type }, (key) => !keys.has(key));
      return {
        answer: (country) => view.answer(country),
        trace: (country) => view.trace(country),
        clusterOf: () => undefined,
      };
    },
  };
}
