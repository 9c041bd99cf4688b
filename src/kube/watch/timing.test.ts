import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kinds } from '../kinds.ts';
import { defaultTiming, watchSecondsOf } from './timing.ts';

it('lets a watch of Secrets end within two minutes, and any other within ten', () => {
  for (const kind of kinds)
    expect([kind, 2 * watchSecondsOf(kind, defaultTiming)]).toEqual([kind, kind === 'Secret' ? 120 : 600]);
  expect(watchSecondsOf('Secret', { ...defaultTiming, watchSeconds: 5 })).toBe(5);
});

const longestMinutes = (kind: 'Secret' | 'Service'): string | undefined =>
  words[(2 * watchSecondsOf(kind, defaultTiming)) / 60];
const { debounceMs, ceilingMs, idleMs, staleAfterMs, missingMs, confirmMs, identityMs } = defaultTiming;
const seconds = (ms: number): string => `${ms / 1000} s`;
const words: Readonly<Record<number, string>> = { 2: 'two', 10: 'ten' };

it.each([
  ['src/kube/README.md', `gathers changes for ${debounceMs} to ${ceilingMs} ms`],
  ['src/kube/README.md', `a watch ends or breaks, and is resumed within ${seconds(staleAfterMs)}`],
  ['src/kube/README.md', `when it goes on for ${seconds(staleAfterMs)}`],
  ['src/kube/README.md', `the definition is looked for every ${seconds(missingMs)}`],
  ['src/kube/README.md', `a watch brings nothing for ${seconds(idleMs)}`],
  ['src/kube/README.md', `a list at least ${words[confirmMs / 1000]} seconds later lacks it too`],
  ['src/kube/README.md', `the identity every ${seconds(identityMs)}`],
  [
    'docs/operations/cluster.md',
    `watches of at most ${longestMinutes('Secret')} minutes for Secrets and ${longestMinutes('Service')} for the rest`,
  ],
  ['docs/operations/cluster.md', `silent for ${seconds(idleMs)} ends in a list`],
])('%s says what holds: %s', (document, sentence) => {
  expect(readFileSync(document, 'utf8').replaceAll(/\s+/g, ' ')).toContain(sentence);
});
