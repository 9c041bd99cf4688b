import { describe, expect, test } from 'vitest';
import type { EdgeReason } from '../reasons.ts';
import { afterCheck, reasonsAgainst, untried } from './fitness.ts';

describe('Fitness', () => {
  test('changes its verdict at the second result in a row, both ways', () => {
    let fitness = untried;
    const take = (reasons: readonly EdgeReason[]): void => {
      fitness = afterCheck(fitness, reasons);
    };
    expect(fitness.fit).toBe(false);
    take(['NotSynced']);
    take([]);
    expect(fitness.fit).toBe(false);
    take([]);
    expect(fitness.fit).toBe(true);
    take(['ProbeFailed']);
    take([]);
    take(['ProbeFailed']);
    expect([fitness.fit, reasonsAgainst(fitness)]).toEqual([true, []]);
    take(['NginxUnreachable']);
    expect([fitness.fit, reasonsAgainst(fitness)]).toEqual([false, ['NginxUnreachable']]);
  });
});
