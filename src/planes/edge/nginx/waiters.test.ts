import { expect, it } from 'vitest';
import { Waiters } from './waiters.ts';

/** What became of the promises, in the order given. */
async function fates(...promises: readonly Promise<number>[]): Promise<readonly string[]> {
  const pending = Promise.resolve('waits');
  return Promise.all(
    promises.map((promise) =>
      Promise.race([
        promise.then(
          (generation) => `held by ${generation}`,
          (error: unknown) => `rejected: ${String(error)}`,
        ),
        pending.then(() => Promise.resolve()).then(() => Promise.resolve('waits')),
      ]),
    ),
  );
}

it('answers everybody up to the version that nginx holds, and nobody later', async () => {
  const waiters = new Waiters();
  const [one, two, also, three] = [1, 2, 2, 3].map((version) => waiters.wait('table', version));
  waiters.settle({ of: 'table', upTo: 2, generation: 7 });
  expect(await fates(one!, two!, also!, three!)).toEqual(['held by 7', 'held by 7', 'held by 7', 'waits']);
  waiters.settle({ of: 'table', upTo: 3, error: 'no' });
  expect(await fates(one!, three!)).toEqual(['held by 7', 'rejected: no']);
});

it('keeps the subjects apart', async () => {
  const waiters = new Waiters();
  const [table, health] = [waiters.wait('table', 1), waiters.wait('health', 1)];
  waiters.settle({ of: 'health', upTo: 5, generation: 2 });
  expect(await fates(table, health)).toEqual(['waits', 'held by 2']);
  waiters.settle({ of: 'draining', upTo: 5, generation: 2 });
  expect(await fates(table)).toEqual(['waits']);
});

it('rejects those who wait at the end, and those who come after it', async () => {
  const waiters = new Waiters();
  const before = waiters.wait('draining', 1);
  waiters.end(new Error('stopped'));
  expect(await fates(before, waiters.wait('table', 1))).toEqual([
    'rejected: Error: stopped',
    'rejected: Error: stopped',
  ]);
});
