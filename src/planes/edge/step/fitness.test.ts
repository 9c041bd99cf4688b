import { describe, expect, test } from 'vitest';
import { Fitness } from './fitness.ts';

describe('Fitness', () => {
  test('changes its verdict at the second result in a row, both ways', () => {
    const fitness = new Fitness();
    expect(fitness.fit).toBe(false);
    fitness.take(['NotSynced']);
    fitness.take([]);
    expect(fitness.fit).toBe(false);
    fitness.take([]);
    expect(fitness.fit).toBe(true);
    fitness.take(['ProbeFailed']);
    fitness.take([]);
    fitness.take(['ProbeFailed']);
    expect([fitness.fit, fitness.reasons]).toEqual([true, []]);
    fitness.take(['NginxUnreachable']);
    expect([fitness.fit, fitness.reasons]).toEqual([false, ['NginxUnreachable']]);
  });
});
