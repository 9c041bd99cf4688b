import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findIngresses } from '../../src/cli/check/ingresses.ts';
import { WatchedFiles } from '../../src/kube/api/access/files.ts';
import { readSnapshot } from '../../src/kube/snapshot.ts';
import { messageOf } from '../../src/model/values.ts';
import { pairFile } from '../../src/planes/edge/tables/pair-file.ts';
import { loadPlatform } from '../../src/platform/load.ts';
import { readTarget } from '../../src/preflight/kubeconfig.ts';
import { readBounded } from '../../src/runtime/bounded-file.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-files-'));
  file = join(folder, 'x.yaml');
});
afterEach(async () => {
  // Whoever opened a FIFO and waits for a writer would keep the test process for ever.
  await open(file, 'r+').then(
    (handle) => handle.close(),
    () => undefined,
  );
  await rm(folder, { recursive: true });
});

/** What stands where a file should be, and what is said of it. */
const intruders: readonly (readonly [what: string, put: () => Promise<unknown>, said: RegExp])[] = [
  ['a FIFO', () => promisify(execFile)('mkfifo', [file]), /no regular file/],
  ['a device that never ends', () => symlink('/dev/zero', file), /no regular file/],
  ['a folder', () => mkdir(file), /no regular file|holds no/],
  ['a link to itself', () => symlink('x.yaml', file), /ELOOP/],
  [
    'a file of 4 GiB',
    async () => {
      await writeFile(file, '');
      await truncate(file, 4 * 2 ** 30);
    },
    /has 4294967296 bytes/,
  ],
];

/** Everything that reads a file which somebody named or may put there: resolves with what it says of a file that it refuses. */
const readers: readonly (readonly [who: string, read: () => Promise<string>])[] = [
  ['the platform spec, by its name', () => saidOfSpec(file)],
  ['the platform spec, in its folder', () => saidOfSpec(folder)],
  ['Ingresses, by the name of the file', () => saidOfIngresses(file)],
  ['Ingresses, in a folder', () => saidOfIngresses(folder)],
  ['the kubeconfig of a preflight', () => refusal(readTarget(file, undefined))],
  ['an authority that a kubeconfig names', () => saidOfAuthority()],
  ["an agent's kubeconfig, token or certificate", () => refusal(new WatchedFiles(systemClock).read(file))],
  ['the last good state of a cluster', () => saidOfSnapshot()],
  ['the last good pairs of certificates', () => saidOfPairs()],
  ['the one bounded read', () => refusal(readBounded(file, 1 << 20))],
];

async function refusal(reading: Promise<unknown>): Promise<string> {
  return reading.then(
    () => 'was read',
    (error: unknown) => messageOf(error),
  );
}

async function saidOfSpec(path: string): Promise<string> {
  const result = await loadPlatform([path], 0);
  return 'problems' in result ? result.problems.map(({ message }) => message).join() : 'was read';
}

/** With an Ingress beside it, so that nobody takes the folder for a spec. */
async function saidOfIngresses(path: string): Promise<string> {
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'video' },
  };
  await writeFile(join(folder, 'good.yaml'), JSON.stringify(ingress));
  const { ingresses, specPaths, unread } = await findIngresses([path, join(folder, 'good.yaml')]);
  expect(ingresses).toHaveLength(1);
  // A path that may be a spec is read as one, which says what is wrong with it.
  const asSpec = await Promise.all(specPaths.map(saidOfSpec));
  return [...unread.map(({ message }) => message), ...asSpec].join();
}

async function saidOfAuthority(): Promise<string> {
  const kubeconfig = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1', 'certificate-authority': 'x.yaml' } }],
  };
  await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  return refusal(readTarget(join(folder, 'kubeconfig'), undefined));
}

async function saidOfSnapshot(): Promise<string> {
  const found = await readSnapshot(file);
  return found.ok ? 'was read' : found.message;
}

async function saidOfPairs(): Promise<string> {
  let said = 'was read';
  const log = { ...silentLog, warn: ({ problem }: { readonly problem?: string }) => (said = problem ?? '') };
  await pairFile(file, log).read();
  return said;
}

/** Rejects when a reader hangs: a FIFO without a writer would hold it for ever. */
function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer within 20 s')), 20_000);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

/** In a folder of manifests a folder is one more of them, and a link that leads nowhere is a file that is gone. */
const harmless: Readonly<Record<string, readonly string[]>> = {
  'Ingresses, in a folder': ['a folder', 'a link to itself'],
};

describe.each(readers)('%s', (who, read) => {
  it.each(intruders.filter(([what]) => harmless[who]?.includes(what) !== true))(
    'is refused by name where %s stands',
    async (__, put, said) => {
      await put();
      expect(await inTime(read())).toMatch(said);
    },
  );
});
