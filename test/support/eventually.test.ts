import { describe, expect, it } from 'vitest';
import { eventually, NotYet, nothing } from './eventually.ts';

const patience = { timeoutMs: 20, everyMs: 1 };

describe('eventually', () => {
  it('gives what a look gives that is neither false nor undefined', async () => {
    const seen = [undefined, false, 0] as const;
    let looks = 0;
    expect(await eventually('a number', () => seen[looks++], { ...patience, timeoutMs: 10_000 })).toBe(0);
    expect(looks).toBe(3);
  });

  it('says what it waited for, how long, and what it saw last', async () => {
    const look = () => Promise.reject(new NotYet('only one'));
    await expect(eventually('two blades', look, { ...patience, show: () => 'the log' })).rejects.toThrow(
      /^not within 20 ms: two blades \(waited \d+ ms, last seen: only one\)\nthe log$/,
    );
    await expect(eventually('two blades', () => false, patience)).rejects.toThrow('last seen: false');
  });

  it('takes an error as not yet, or fails at once where errors are not expected', async () => {
    let looks = 0;
    const look = () => {
      looks += 1;
      if (looks < 3) throw new Error('refused');
      return true;
    };
    expect(await eventually('an answer', look, { ...patience, timeoutMs: 10_000 })).toBe(true);
    looks = 0;
    await expect(eventually('an answer', look, { ...patience, onError: 'fail' })).rejects.toThrow(/^refused$/);
    expect(looks).toBe(1);
  });

  it('waits for nothing to be missing, also where errors fail', async () => {
    const left = ['two', 'one'];
    const missing = nothing(() => left.shift());
    expect(await eventually('all', missing, { timeoutMs: 10_000, everyMs: 1, onError: 'fail' })).toBe(true);
    await expect(
      eventually(
        'all',
        nothing(() => 'three'),
        patience,
      ),
    ).rejects.toThrow('last seen: three');
  });
});
