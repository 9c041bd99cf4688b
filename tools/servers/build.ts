import { access, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { felixKey, previousKey, programsKey } from '../../lab/servers/programs.ts';
import { release, rootKey, rootsFolder } from '../../lab/servers/root.ts';
import { messageOf } from '../../src/model/values.ts';
import { underLock } from '../under-lock.ts';
import { makeRoot } from './debian.ts';
import { makeFelix } from './felix.ts';
import { makePrevious } from './previous.ts';
import { makePrograms } from './programs.ts';

/**
 * `make servers`: makes the root filesystem of the lab's servers and the programs of a Kubernetes node in the cache folder, each once
 * for each state of its sources. Nothing to do costs nothing. Each is made beside its place and moved there when it is whole; a lock
 * lets one build work at a time. `make kubernetes-previous` makes one thing besides, by `--previous`.
 */
const folder = rootsFolder(process.env);
const unfinished = 'unfinished-';
const kept = 2;
const startedAt = performance.now();

interface Product {
  readonly what: string;
  readonly key: string;
  make(target: string, say: (line: string) => void): Promise<void>;
}

async function main(locked: boolean): Promise<number> {
  const missing: Product[] = [];
  for (const product of await products()) {
    const place = join(folder, product.key);
    if (await exists(place)) await utimes(place, new Date(), new Date());
    else missing.push(product);
  }
  if (missing.length === 0) return 0;
  if (process.geteuid?.() !== 0) {
    say('only root can make the files of a root filesystem');
    say('fix: run it as root: sudo make servers');
    return 1;
  }
  if (!locked)
    return await underLock(folder, import.meta.filename, () => say('another build is at work; waiting for it'));
  for (const left of await readdir(folder))
    if (left.startsWith(unfinished)) await rm(join(folder, left), { recursive: true, force: true });
  for (const product of missing) {
    const place = join(folder, product.key);
    const making = join(folder, `${unfinished}${process.pid}-${product.key}`);
    say(`making ${product.what}`);
    await product.make(making, (step) => say(`${step}, ${seconds()} s`));
    await rename(making, place);
    say(`done in ${seconds()} s: ${place}`);
  }
  await prune();
  return 0;
}

async function products(): Promise<readonly Product[]> {
  const previous = {
    what: 'the programs of the minor version of Kubernetes before (once: ten minutes)',
    key: await previousKey(),
    make: makePrevious,
  };
  return [
    {
      what: `the root filesystem of the lab's servers (once: a minute, 0.13 GB of downloads)`,
      key: await rootKey(),
      make: makeRoot,
    },
    {
      what: 'the programs of a Kubernetes node (once: two minutes after `make kubernetes`, ten without)',
      key: await programsKey(),
      make: makePrograms,
    },
    { what: "Calico's Felix (once: three minutes)", key: await felixKey(), make: makeFelix },
    ...(process.argv.includes('--previous') ? [previous] : []),
  ];
}

function say(text: string): void {
  process.stderr.write(`servers: ${text}\n`);
}

function seconds(): number {
  return Math.round((performance.now() - startedAt) / 1000);
}

/** Keeps of each kind the ones used last, and what a server still runs on. */
async function prune(): Promise<void> {
  const mounts = await mountsOfAll();
  const inUse = (name: string): boolean => mounts.some((text) => text.includes(`lowerdir=${join(folder, name)},`));
  const names = (await readdir(folder)).filter((name) => /^[a-z]+-[0-9a-f]{16}-/.test(name));
  const ages = await Promise.all(
    names.map(async (name) => ({ name, usedAt: (await stat(join(folder, name))).mtimeMs })),
  );
  ages.sort((a, b) => b.usedAt - a.usedAt);
  for (const kind of [release, 'programs', 'felix', 'previous']) {
    const old = ages.filter(({ name }) => name.startsWith(`${kind}-`)).slice(kept);
    for (const { name } of old) if (!inUse(name)) await rm(join(folder, name), { recursive: true });
  }
}

async function mountsOfAll(): Promise<readonly string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return await Promise.all(processes.map((id) => readFile(`/proc/${id}/mountinfo`, 'utf8').catch(() => '')));
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

process.exitCode = await main(process.argv.includes('--locked')).catch((error: unknown) => {
  say(messageOf(error));
  return 1;
});
