import { describe, expect, it } from 'vitest';
import { darkBackends, noTries, type TriesMemory, triesAfter } from './tries.ts';

const key = 'video/web/80';

/** The counts, second by second: how many tries connected and how many failed until then, and what the agent's own try did. */
type Second = readonly [connected: number, failed: number, reached?: 'reached'];

function after(seconds: readonly Second[]): TriesMemory {
  let reached = new Map<string, number>();
  return seconds.reduce<TriesMemory>((tries, [connected, failed, own], second) => {
    const nowMs = second * 1000;
    reached = own === undefined ? reached : new Map([[key, nowMs]]);
    return triesAfter(tries, { nginx: { backendTries: { [key]: [connected, failed] } }, reached, nowMs });
  }, noTries);
}

const failing = (from: number, seconds: number, each: number): readonly Second[] =>
  Array.from({ length: seconds }, (_, second): Second => [5, from + second * each]);

describe('a backend', () => {
  it.each<readonly [string, readonly Second[], boolean]>([
    ['of which nothing is known', [], false],
    ['with failures of before this agent', failing(1000, 8, 0), false],
    ['of which ten tries fail in six seconds and none connects', failing(0, 7, 2), true],
    ['of which few tries fail', failing(0, 7, 1), false],
    ['of which many tries fail for a moment', failing(0, 4, 100), false],
    ['of which some try connects all the time', failing(0, 20, 5).map(([, failed], at) => [at, failed]), false],
    ['to which a client connects again', [...failing(0, 7, 2), [6, 12]], false],
    ['to which the agent connects again', [...failing(0, 7, 2), [5, 12, 'reached']], false],
    ['to which the agent connected before it was dark', [[5, 0, 'reached'], ...failing(0, 7, 2)], true],
    ['which nobody tries any more', [...failing(0, 7, 2), ...failing(12, 600, 0)], true],
    ['whose few failures were long ago', [...failing(0, 5, 2), ...failing(8, 70, 0), ...failing(9, 3, 1)], false],
    ['of an nginx that counts anew', [...failing(20, 4, 2), ...failing(0, 4, 2)], false],
  ])('%s', (_, seconds, dark) => {
    expect(darkBackends(after(seconds)).has(key)).toBe(dark);
  });

  it('is forgotten with nginx, when it is not watched any more, and kept while nginx is away', () => {
    const dark = after(failing(0, 7, 2));
    const at = { reached: new Map(), nowMs: 10_000 };
    expect(triesAfter(dark, { nginx: undefined, ...at })).toBe(dark);
    expect(triesAfter(dark, { nginx: { backendTries: {} }, ...at }).size).toBe(0);
  });
});
