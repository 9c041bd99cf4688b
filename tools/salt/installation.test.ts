import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findSalt } from './installation.ts';

test('a Salt that is not installed is an error that names the command', async () => {
  const nowhere = join(tmpdir(), 'tideline-no-such-cache');
  await expect(findSalt({ XDG_CACHE_HOME: nowhere })).rejects.toThrow(`is not in ${nowhere}/tideline/salt`);
  await expect(findSalt({ XDG_CACHE_HOME: nowhere })).rejects.toThrow('run: make salt');
});
