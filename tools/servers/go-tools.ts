import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sources } from '../../lab/servers/root.ts';
import { atLeast, go, goVersion } from '../kubernetes/go.ts';

/** Builds what the go.mod of a folder here names as tools into `target`. `say` gets a line for each step. */
export async function buildTools(
  name: string,
  target: string,
  linker: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  const compiler = await goVersion();
  if (compiler === undefined || !atLeast(compiler, '1.26.0'))
    throw new Error(
      'Go 1.26 or newer is needed\nservers: fix: install Go 1.26 or newer (https://go.dev/dl) and put it on the PATH',
    );
  await mkdir(target, { recursive: true });
  let compiled = 0;
  let saidAt = performance.now();
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...linker].join(' ')];
  await go(['build', '-v', ...flags, '-o', `${target}/`, 'tool'], join(sources, name), (line) => {
    if (!line.startsWith('#') && !line.startsWith('go: ')) compiled += 1;
    if (performance.now() - saidAt < 15_000) return;
    saidAt = performance.now();
    say(`${name}: compiled ${compiled} packages`);
  });
}
