import { expect, it } from 'vitest';
import { execute } from './children.ts';
import type { Result, Step } from './step.ts';
import { runTimed, withIdlePriority } from './timed.ts';

const step = (name: string): Step => ({ name, part: 'integration', command: [name] });
const result = ({ name, part }: Step): Result => ({
  name,
  part,
  seconds: 1,
  processorSeconds: 1,
  passed: 1,
  failed: 0,
  failures: [],
});

it('runs the timed steps one after the other, and beside them as much as begins before they are over', async () => {
  const events: string[] = [];
  const end = new Map<string, () => void>();
  const act = async (one: Step): Promise<Result> => {
    events.push(one.command.includes('gives-way') ? `${one.name} gives way` : one.name);
    await new Promise<void>((resolve) => end.set(one.name, resolve));
    return result(one);
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const quiet = ['a', 'b', 'c', 'd', 'e'].map(step);
  const all = runTimed(['first', 'second'].map(step), quiet, act);
  await turn();
  expect(events.splice(0)).toEqual(['first', 'a gives way', 'b gives way']);
  end.get('b')?.();
  await turn();
  end.get('first')?.();
  await turn();
  expect(events.splice(0)).toEqual(['c gives way', 'second']);
  end.get('second')?.();
  await turn();
  for (const name of ['a', 'c']) end.get(name)?.();
  expect((await all).map(({ name }) => name).toSorted()).toEqual(['a', 'b', 'c', 'first', 'second']);
  expect(events).toEqual([]);
  expect(quiet.map(({ name }) => name)).toEqual(['d', 'e']);
});

it('leaves all for later when there is no timed step', async () => {
  const quiet = [step('a')];
  expect(await runTimed([], quiet, async (one) => result(one))).toEqual([]);
  expect(quiet).toHaveLength(1);
});

it('gives way with all that it starts, and says how it ended', async () => {
  const { command } = withIdlePriority({
    ...step('x'),
    command: ['sh', '-c', 'cat /proc/self/autogroup; chrt --pid $$; exit 3'],
  });
  const { code, text } = await execute(command, 'kept');
  expect(code).toBe(3);
  expect(text).toMatch(/scheduling policy: SCHED_IDLE$/m);
  // A kernel without autogroups has no such file, and ranks all processes together.
  expect(text).toMatch(/ nice 19$|No such file/m);
});
