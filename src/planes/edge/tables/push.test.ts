import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../runtime/log.ts';
import { Push } from './push.ts';

describe('Push', () => {
  test('sends a value once, again to a new receiver, again after a failure, and nothing while there is none', async () => {
    const sent: number[] = [];
    let receiver: string | undefined;
    let failing = false;
    const push = new Push<number>({
      what: 'test',
      log: silentLog,
      instance: () => receiver,
      send: async (value) => {
        if (failing) throw new Error('no');
        sent.push(value);
      },
    });
    const set = async (value: number): Promise<void> => {
      push.set(value);
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await set(1);
    receiver = 'first';
    await set(1);
    await set(1);
    await set(2);
    receiver = 'second';
    failing = true;
    await set(2);
    failing = false;
    await set(2);
    await set(2);
    expect(sent).toEqual([1, 2, 2]);
    expect(push.value).toBe(2);
  });
});
