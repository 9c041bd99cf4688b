import { expect, it } from 'vitest';
import { parsePrefix } from '../../model/address.ts';
import { ReleaseQueue } from './release.ts';

const prefixes = (...texts: readonly string[]) => texts.flatMap((text) => parsePrefix(text) ?? []);
const due = (queue: ReleaseQueue, nowMs: number, ...surplus: readonly string[]) => ({
  due: queue.due(prefixes(...surplus), nowMs).map(({ text }) => text),
  nextAtMs: queue.nextAtMs,
});
const [a, b] = ['10.10.1.0/26', '10.10.2.0/26'];

it('lets go of what was surplus for the whole time, and says when the next one is due', () => {
  const queue = new ReleaseQueue(1000);
  expect(due(queue, 0, a)).toEqual({ due: [], nextAtMs: 1000 });
  expect(due(queue, 5, a, b)).toEqual({ due: [], nextAtMs: 1000 });
  expect(due(queue, 1000, a, b)).toEqual({ due: [a], nextAtMs: 1005 });
  expect(due(queue, 1005, b)).toEqual({ due: [b], nextAtMs: Infinity });
});

it('begins anew with what was needed in between, and tries again what could not be let go', () => {
  const queue = new ReleaseQueue(1000);
  due(queue, 0, a);
  due(queue, 500);
  expect(due(queue, 1000, a)).toEqual({ due: [], nextAtMs: 2000 });
  expect(due(queue, 2000, a).due).toEqual([a]);
  expect(due(queue, 2100, a)).toEqual({ due: [a], nextAtMs: Infinity });
});
