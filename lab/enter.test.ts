import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkMachine } from './enter.ts';

it('names the machine that was meant, and all that there are, for one that the lab does not have', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tideline-box-'));
  try {
    await mkdir(join(root, 'run', 'netns'), { recursive: true });
    for (const name of ['tl-paris-blade-1', 'tl-paris-tor', 'other'])
      await writeFile(join(root, 'run', 'netns', name), '');
    await expect(checkMachine('paris-tor', root)).resolves.toBeUndefined();
    await expect(checkMachine('paris-blade1', root)).rejects.toMatchObject({
      problems: [
        {
          reason: 'MachineUnknown',
          message: 'no machine of the lab has the name paris-blade1',
          expected: 'paris-blade-1, paris-tor',
          fix: 'did you mean "paris-blade-1"?',
        },
      ],
    });
  } finally {
    await rm(root, { recursive: true });
  }
});
