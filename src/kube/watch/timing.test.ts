import { expect, it } from 'vitest';
import { kinds } from '../kinds.ts';
import { defaultTiming, watchSecondsOf } from './timing.ts';

it('lets a watch of Secrets end within two minutes, and any other within ten', () => {
  for (const kind of kinds)
    expect([kind, 2 * watchSecondsOf(kind, defaultTiming)]).toEqual([kind, kind === 'Secret' ? 120 : 600]);
  expect(watchSecondsOf('Secret', { ...defaultTiming, watchSeconds: 5 })).toBe(5);
});
