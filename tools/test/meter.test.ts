import { expect, it } from 'vitest';
import { execute } from './children.ts';
import { machineTime, secondsOfEndedChildren } from './meter.ts';

const busy = 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done';

it('counts the processor time of a command and of what it starts', async () => {
  const before = secondsOfEndedChildren();
  const [outcome, idle] = await Promise.all([
    execute(['sh', '-c', `sh -c '${busy}'; echo done`], 'kept'),
    execute(['sleep', '1'], 'kept'),
  ]);
  expect(outcome).toMatchObject({ code: 0, text: 'done\n' });
  expect(outcome.processorSeconds).toBeGreaterThan(0.05);
  expect(idle.processorSeconds).toBeLessThan(outcome.processorSeconds);
  // This is the measure on machines without control groups.
  expect(secondsOfEndedChildren() - before).toBeGreaterThanOrEqual(outcome.processorSeconds * 0.9);
});

it('knows how long the processors of the machine had nothing to do', async () => {
  const { totalSeconds, idleSeconds } = await machineTime();
  expect(totalSeconds).toBeGreaterThan(0);
  expect(idleSeconds).toBeGreaterThan(0);
  expect(idleSeconds).toBeLessThan(totalSeconds);
});
