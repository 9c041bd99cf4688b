import { spawn } from 'node:child_process';
import { access, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { messageOf } from '../../src/model/values.ts';
import { underLock } from '../under-lock.ts';
import { completeFile, installationKey, installationsFolder, isComplete, locks, systemPython } from './installation.ts';

/**
 * `make salt`: installs the Salt of salt/requirements.lock into a virtual environment in the cache folder, once for each state
 * of the lock files. Nothing to do costs nothing. Scripts of a virtual environment name its folder, so that it cannot be moved: it is
 * made in its place, and a file that is written last says that it is complete. A lock lets one installation work at a time.
 */
const installations = installationsFolder(process.env);
const keptInstallations = 2;
const say = (text: string): boolean => process.stderr.write(`salt: ${text}\n`);

async function main(locked: boolean): Promise<number> {
  const folder = join(installations, await installationKey());
  if (await isComplete(folder)) {
    await utimes(folder, new Date(), new Date());
    return 0;
  }
  try {
    await access(systemPython);
  } catch {
    say(`there is no ${systemPython}`);
    say('fix: run tools/setup, which installs python3-venv, python3-dev and gcc');
    return 1;
  }
  if (!locked)
    return await underLock(installations, import.meta.filename, () =>
      say('another installation is at work; waiting for it'),
    );
  await install(folder);
  await prune();
  return 0;
}

async function install(folder: string): Promise<void> {
  const startedAt = performance.now();
  const texts = await Promise.all(locks.map((lock) => readFile(lock, 'utf8')));
  const packages = texts.join('\n').match(/^[^#\s]+==/gm)?.length ?? 0;
  say('installing Salt, once: about a minute on 2 idle cores, 50 MB of downloads, 250 MB in the cache');
  await rm(folder, { recursive: true, force: true });
  await run([systemPython, '-m', 'venv', folder], () => undefined);
  let collected = 0;
  let saidAt = performance.now();
  for (const lock of locks) {
    const pip = [join(folder, 'bin/python'), '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input'];
    await run([...pip, '--require-hashes', '--no-build-isolation', '--requirement', lock], (line) => {
      if (line.startsWith('Collecting ')) collected += 1;
      if (performance.now() - saidAt < 15_000) return;
      saidAt = performance.now();
      say(`${collected} of ${packages} packages; now: ${line.trim().slice(0, 60)}`);
    });
  }
  await writeFile(join(folder, completeFile), '');
  say(`done in ${Math.round((performance.now() - startedAt) / 1000)} s: ${folder}`);
}

/** Rejects with the last lines of the program when it fails. Which index packages come from is the user's setting of pip. */
async function run(command: readonly string[], onLine: (line: string) => void): Promise<void> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => {
      onLine(line);
      last.push(line);
      if (last.length > 15) last.shift();
    });
  const forward = (signal: NodeJS.Signals): boolean => child.kill(signal);
  process.once('SIGTERM', forward).once('SIGINT', forward);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (status) => resolve(status ?? 1));
  });
  if (code !== 0) throw new Error(`${command.slice(0, 4).join(' ')} failed with status ${code}:\n${last.join('\n')}`);
}

/** Keeps the installations used last. */
async function prune(): Promise<void> {
  const names = (await readdir(installations)).filter((name) => /^[0-9a-f]{16}-/.test(name));
  const ages = await Promise.all(
    names.map(async (name) => ({ name, usedAt: (await stat(join(installations, name))).mtimeMs })),
  );
  const old = ages.sort((a, b) => b.usedAt - a.usedAt).slice(keptInstallations);
  for (const { name } of old) await rm(join(installations, name), { recursive: true });
}

process.exitCode = await main(process.argv.includes('--locked')).catch((error: unknown) => {
  say(messageOf(error));
  say('fix: see the words above; then run make salt again');
  return 1;
});
