import { expect, it } from 'vitest';
import { lossInFirstTable } from './first-table.ts';

const nginx = (hosts: number, generation = 7) => ({ generation, hosts });

it.each([
  [15, 0, true],
  [15, 7, true],
  [15, 8, false],
  [2, 0, true],
  [2, 1, false],
  [1, 0, false],
  [0, 0, false],
])('%d hosts in nginx, %d in the first table: a loss is %s', (served, hosts, loss) => {
  expect(lossInFirstTable(nginx(served), hosts) !== undefined).toBe(loss);
});

it('is no loss when nginx is away or has started anew', () => {
  expect(lossInFirstTable(undefined, 0)).toBeUndefined();
  expect(lossInFirstTable(nginx(15, 0), 0)).toBeUndefined();
});
