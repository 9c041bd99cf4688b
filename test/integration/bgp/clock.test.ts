import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually, route, World } from './world.ts';

let world: World;
afterEach(async () => {
  await world.stop();
});

/** A library of Debian that shifts the clock of one process, by what a file says. */
const [library = 'libfaketime is not installed'] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
const clockFile = (directory: string): string => join(directory, 'clock');

function startWorld(more: Readonly<Record<string, string>>): Promise<World> {
  return World.start(undefined, 'BIRD', (directory) => ({
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile(directory),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_SKIP_CMDS: 'node,bash,env',
    ...more,
  }));
}

async function announce(): Promise<void> {
  const speaker = world.speaker();
  speaker.setDesired([route('10.10.1.0/26')]);
  await speaker.settled(10_000);
  await world.waitKernel(['10.10.1.0/26']);
}

it('a step of the clock, forward or back, ends no session', async () => {
  world = await startWorld({});
  await announce();
  const deletions = await world.watchDeletions();
  for (const step of ['+16s', '+1h', '-1h']) {
    await writeFile(clockFile(world.directory), `${step}\n`);
    // Longer than the hold time of 9 s for the step back, in which ExaBGP would send no keepalives.
    await new Promise((resolve) => setTimeout(resolve, step === '-1h' ? 12_000 : 2000));
    expect(await world.router.established('server')).toBe(true);
  }
  expect(await deletions()).toEqual([]);
});

it('ExaBGP by itself loses its session when the clock is set forward', async () => {
  world = await startWorld({ PYTHONPATH: '' });
  await announce();
  await writeFile(clockFile(world.directory), '+16s\n');
  await eventually('the session ends', async () => !(await world.router.established('server')), { everyMs: 5 });
});
