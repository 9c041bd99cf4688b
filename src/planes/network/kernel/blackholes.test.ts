import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { kernelBlackholes } from './blackholes.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-ip-'));
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Puts a program in the place of `ip`. */
async function putIp(script: string): Promise<void> {
  await writeFile(join(folder, 'ip'), `#!/bin/bash\n${script}\n`);
  await chmod(join(folder, 'ip'), 0o755);
}

it('reads what ip prints', async () => {
  await putIp(`echo '[{"type":"blackhole","dst":"10.10.1.0/26","protocol":"114","metric":65535}]'`);
  expect((await kernelBlackholes.read()).blackholes.map(({ text }) => text)).toContain('10.10.1.0/26');
});

it.each(['exec yes', 'exec yes >&2'])('ends an ip that prints without end, and says so: %s', async (script) => {
  await putIp(script);
  await expect(kernelBlackholes.read()).rejects.toThrow(
    /^ip -[46] -j route show table all printed more than 67108864 bytes$/,
  );
  await expect(kernelBlackholes.change([], [])).resolves.toBe('');
});
